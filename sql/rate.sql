CREATE FUNCTION odoo_rate(currency text, company_id bigint, day date, server text DEFAULT NULL) RETURNS numeric
    LANGUAGE c STABLE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp SET jit TO off
    AS 'MODULE_PATHNAME', 'odoo_rate_wrapper';
COMMENT ON FUNCTION odoo_rate(text, bigint, date, text) IS
    'how much of a currency one unit of a company''s own is on a day, by fact_currency_rates; NULL without a rate until then';

CREATE FUNCTION odoo_dashboard(
    schema text DEFAULT 'reports', period text DEFAULT NULL, server text DEFAULT NULL
) RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp SET jit TO off
    AS 'MODULE_PATHNAME', 'odoo_dashboard_wrapper';
COMMENT ON FUNCTION odoo_dashboard(text, text, text) IS
    'one HTML page with the charts of the reports in a schema, which asks nothing of anywhere; period is day, week or month, else as long as there are sales';

CREATE TYPE odoo_domain;

CREATE FUNCTION odoo_domain_in(written cstring) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_in_wrapper';
CREATE FUNCTION odoo_domain_out(domain odoo_domain) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_out_wrapper';

CREATE TYPE odoo_domain (INPUT = odoo_domain_in, OUTPUT = odoo_domain_out, LIKE = text);
COMMENT ON TYPE odoo_domain IS
    'a search domain of Odoo; written in JSON, [["state", "=", "paid"]], or as Odoo does, [(''state'', ''='', ''paid'')]';

-- Implicit, so that a domain may be given as text or built as jsonb; drivers send texts as varchar.
CREATE CAST (text AS odoo_domain) WITH INOUT AS IMPLICIT;
CREATE CAST (varchar AS odoo_domain) WITH INOUT AS IMPLICIT;
CREATE CAST (jsonb AS odoo_domain) WITH INOUT AS IMPLICIT;
CREATE CAST (odoo_domain AS jsonb) WITH INOUT;

CREATE FUNCTION odoo_domain(field text, operator text, value text) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_wrapper';
CREATE FUNCTION odoo_domain(field text, operator text, value jsonb) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_jsonb_wrapper';

CREATE FUNCTION odoo_domain(field text, operator text, value timestamptz) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_timestamptz_wrapper';
CREATE FUNCTION odoo_domain(field text, operator text, value date) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_date_wrapper';
CREATE FUNCTION odoo_domain(field text, operator text, value timestamp) RETURNS odoo_domain
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    RETURN odoo_domain($1, $2, $3::timestamptz);
-- Numbers and arrays are written alike in every session.
CREATE FUNCTION odoo_domain(field text, operator text, value anyelement) RETURNS odoo_domain
    LANGUAGE c STABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    SET extra_float_digits TO 1 SET datestyle TO iso SET intervalstyle TO postgres SET timezone TO 'UTC' SET bytea_output TO hex
    AS 'MODULE_PATHNAME', 'odoo_domain_any_wrapper';

COMMENT ON FUNCTION odoo_domain(text, text, text) IS 'one condition on a field of Odoo; NULL asks for an empty field';
COMMENT ON FUNCTION odoo_domain(text, text, jsonb) IS 'one condition on a field of Odoo, with a value in JSON';
COMMENT ON FUNCTION odoo_domain(text, text, timestamptz) IS 'one condition on a time in Odoo, which has whole seconds in UTC';
COMMENT ON FUNCTION odoo_domain(text, text, timestamp) IS 'one condition on a time in Odoo, from one in the session''s time zone';
COMMENT ON FUNCTION odoo_domain(text, text, date) IS 'one condition on a date in Odoo';
COMMENT ON FUNCTION odoo_domain(text, text, anyelement) IS 'one condition on a field of Odoo, with a number, a boolean or an array';

CREATE FUNCTION odoo_domain_and(one odoo_domain, other odoo_domain) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_and_wrapper';
CREATE FUNCTION odoo_domain_or(one odoo_domain, other odoo_domain) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_or_wrapper';
CREATE FUNCTION odoo_domain_not(domain odoo_domain) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_not_wrapper';
COMMENT ON FUNCTION odoo_domain_and(odoo_domain, odoo_domain) IS 'implementation of & operator';
COMMENT ON FUNCTION odoo_domain_or(odoo_domain, odoo_domain) IS 'implementation of | operator';
COMMENT ON FUNCTION odoo_domain_not(odoo_domain) IS 'implementation of ! operator';

CREATE OPERATOR & (LEFTARG = odoo_domain, RIGHTARG = odoo_domain, FUNCTION = odoo_domain_and);
CREATE OPERATOR | (LEFTARG = odoo_domain, RIGHTARG = odoo_domain, FUNCTION = odoo_domain_or);
CREATE OPERATOR ! (RIGHTARG = odoo_domain, FUNCTION = odoo_domain_not);
COMMENT ON OPERATOR & (odoo_domain, odoo_domain) IS 'records that meet both domains';
COMMENT ON OPERATOR | (odoo_domain, odoo_domain) IS 'records that meet a domain or the other; & and | bind alike, from the left';
COMMENT ON OPERATOR ! (NONE, odoo_domain) IS 'records that do not meet the domain';

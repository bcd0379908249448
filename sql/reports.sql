CREATE FUNCTION odoo_create_reports(schema text DEFAULT 'reports', server text DEFAULT NULL) RETURNS SETOF regclass
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_create_reports_wrapper';
COMMENT ON FUNCTION odoo_create_reports(text, text) IS
    'makes views over a server''s tables, the reports of docs/reports.md, in a schema of their own; returns them';

CREATE FUNCTION odoo_create_model(schema text DEFAULT 'model', server text DEFAULT NULL) RETURNS SETOF regclass
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_create_model_wrapper';
COMMENT ON FUNCTION odoo_create_model(text, text) IS
    'makes a view of each of a server''s tables, without arrays, for tools such as Power BI: docs/bi.md; returns them';

CREATE FUNCTION odoo_union(target text, schema text DEFAULT 'all_servers') RETURNS regclass
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_union_wrapper';
COMMENT ON FUNCTION odoo_union(text, text) IS
    'makes a view of a table of all servers, with the server of each row, in a schema of its own; returns it';

CREATE FUNCTION odoo_drop_reports(schema text DEFAULT 'reports') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_drop_reports_wrapper';
COMMENT ON FUNCTION odoo_drop_reports(text) IS
    'drops the views that odoo_create_reports, odoo_create_model or odoo_union made in a schema';

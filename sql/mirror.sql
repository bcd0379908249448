CREATE FUNCTION odoo_mirror(
    model text, target text DEFAULT NULL, fields text[] DEFAULT NULL, domain odoo_domain DEFAULT '[]',
    keep_deleted boolean DEFAULT false, server text DEFAULT NULL
) RETURNS TABLE (column_name text, column_type text, label text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_mirror_wrapper';
COMMENT ON FUNCTION odoo_mirror(text, text, text[], odoo_domain, boolean, text) IS
    'makes a table of any Odoo model, which runs keep in step from then on as an entity of its own; without fields it has all stored ones, also those that are to come';

CREATE FUNCTION odoo_mirror_drop(target text, server text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_mirror_drop_wrapper';
COMMENT ON FUNCTION odoo_mirror_drop(text, text) IS 'drops the table of a mirror, and forgets it';

CREATE FUNCTION odoo_add_column(
    target text, field text, column_name text DEFAULT NULL, server text DEFAULT NULL
) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_add_column_wrapper';
COMMENT ON FUNCTION odoo_add_column(text, text, text, text) IS
    'adds a column of an Odoo field to a table of the warehouse; the next run fills it; returns its type';

CREATE FUNCTION odoo_drop_column(target text, column_name text, server text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_drop_column_wrapper';
COMMENT ON FUNCTION odoo_drop_column(text, text, text) IS 'drops a column that odoo_add_column added';

-- Models that users mirror, and columns that they added to any table.
CREATE TABLE odoo_etl.mirrors (
    server text NOT NULL,
    target text NOT NULL,
    model text NOT NULL,
    -- NULL for all, also those that are to come.
    fields text[],
    domain text NOT NULL,
    keep_deleted boolean NOT NULL,
    -- Whether its records have a write_date.
    is_dated boolean NOT NULL,
    -- Who may drop it.
    role name NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, target)
);
CREATE TABLE odoo_etl.added_columns (
    server text NOT NULL,
    target text NOT NULL,
    column_name text NOT NULL,
    odoo_field text NOT NULL,
    column_type text NOT NULL,
    -- Nobody asked for it: its mirror has all fields.
    is_automatic boolean NOT NULL,
    -- Odoo can tell which records changed beyond the relation that the path leads over.
    follows boolean NOT NULL,
    -- Odoo has the field no more; the column keeps its values.
    is_gone boolean NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (server, target, column_name)
);

SELECT pg_catalog.pg_extension_config_dump('odoo_etl.mirrors', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.added_columns', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.added_columns_position_seq', '');

CREATE VIEW odoo_mirrors WITH (security_barrier) AS
SELECT server, target, model, fields, domain, keep_deleted, role, since
FROM odoo_etl.mirrors
WHERE odoo_etl.server_visible(server)
ORDER BY server, target;
COMMENT ON VIEW odoo_mirrors IS 'the models that users mirror';
COMMENT ON COLUMN odoo_mirrors.server IS 'the Odoo server';
COMMENT ON COLUMN odoo_mirrors.target IS 'the table';
COMMENT ON COLUMN odoo_mirrors.model IS 'the model in Odoo';
COMMENT ON COLUMN odoo_mirrors.fields IS 'the fields that were asked for; NULL for all stored ones';
COMMENT ON COLUMN odoo_mirrors.domain IS 'which records';
COMMENT ON COLUMN odoo_mirrors.keep_deleted IS 'whether rows stay when their record is deleted';
COMMENT ON COLUMN odoo_mirrors.role IS 'the role that made it';
COMMENT ON COLUMN odoo_mirrors.since IS 'when that was';

GRANT SELECT ON odoo_mirrors TO PUBLIC;

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

CREATE FUNCTION odoo_keep_history(target text, server text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_keep_history_wrapper';
COMMENT ON FUNCTION odoo_keep_history(text, text) IS
    'keeps the history of a dimension or a mirror from now on, in a table beside it: a row for each version of a record; returns the name of that table';

CREATE FUNCTION odoo_forget_history(target text, server text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_forget_history_wrapper';
COMMENT ON FUNCTION odoo_forget_history(text, text) IS 'keeps the history of a table no more; what was kept stays';

CREATE FUNCTION odoo_enable(entity text, server text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_enable_wrapper';
COMMENT ON FUNCTION odoo_enable(text, text) IS
    'turns on an entity that is off by default: invoices; the next run makes and fills its tables';

CREATE FUNCTION odoo_disable(entity text, server text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_disable_wrapper';
COMMENT ON FUNCTION odoo_disable(text, text) IS 'turns it off again; its tables stay, and are written no more';

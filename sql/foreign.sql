CREATE FUNCTION odoo_etl.fdw_handler() RETURNS fdw_handler
    LANGUAGE c STRICT SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_fdw_handler_wrapper';
COMMENT ON FUNCTION odoo_etl.fdw_handler() IS 'what PostgreSQL calls for foreign tables of odoo_fdw';

CREATE FUNCTION odoo_etl.import_comments(schema_name text, table_name text) RETURNS SETOF text
    LANGUAGE c STRICT SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_import_comments_wrapper';

-- IMPORT FOREIGN SCHEMA takes CREATE FOREIGN TABLE from a wrapper and nothing else; what it made
-- gets its comments when it has ended.
CREATE FUNCTION odoo_etl.comment_imported() RETURNS event_trigger
SET search_path TO pg_catalog, pg_temp
LANGUAGE plpgsql AS $$
DECLARE
    -- The schema may have been renamed.
    home regnamespace := (
        SELECT coalesce(own.objid, extnamespace) FROM pg_extension
        LEFT JOIN pg_depend AS own ON own.refclassid = 'pg_extension'::regclass AND own.refobjid = pg_extension.oid
         AND own.classid = 'pg_namespace'::regclass
        WHERE extname = 'odoo_etl'
    );
    imported record;
    statement text;
BEGIN
    FOR imported IN
        SELECT n.nspname::text AS schema_name, c.relname::text AS table_name
        FROM pg_catalog.pg_event_trigger_ddl_commands() e
        JOIN pg_catalog.pg_class c ON c.oid = e.objid AND e.classid = 'pg_class'::regclass
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_foreign_table t ON t.ftrelid = c.oid
        JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver
        JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw AND w.fdwname = 'odoo_fdw'
    LOOP
        FOR statement IN
            EXECUTE format('SELECT %s.import_comments($1, $2)', home) USING imported.schema_name, imported.table_name
        LOOP
            EXECUTE statement;
        END LOOP;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION odoo_etl.comment_imported() IS 'comments on the tables that IMPORT FOREIGN SCHEMA made';
COMMENT ON FUNCTION odoo_etl.import_comments(text, text) IS 'the comments on a table that was just imported; a part of odoo_etl.comment_imported()';

CREATE EVENT TRIGGER odoo_comment_imported ON ddl_command_end
WHEN TAG IN ('IMPORT FOREIGN SCHEMA') EXECUTE FUNCTION odoo_etl.comment_imported();
COMMENT ON EVENT TRIGGER odoo_comment_imported IS 'labels of Odoo as comments on imported foreign tables';

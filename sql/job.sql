CREATE OR REPLACE FUNCTION odoo_etl.job_begin(
    entity text, server text, full_refresh boolean, reconcile boolean, scheduled boolean
) RETURNS void
    LANGUAGE c VOLATILE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_sync_job_begin_wrapper';
CREATE OR REPLACE FUNCTION odoo_etl.job_step() RETURNS boolean
    LANGUAGE c VOLATILE STRICT SET search_path TO pg_catalog, pg_temp SET jit TO off
    AS 'MODULE_PATHNAME', 'odoo_sync_job_step_wrapper';
CREATE OR REPLACE FUNCTION odoo_etl.job_end() RETURNS void
    LANGUAGE c VOLATILE STRICT SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_sync_job_end_wrapper';
COMMENT ON FUNCTION odoo_etl.job_begin(text, text, boolean, boolean, boolean) IS 'a part of odoo_sync_job()';
COMMENT ON FUNCTION odoo_etl.job_step() IS 'a part of odoo_sync_job()';
COMMENT ON FUNCTION odoo_etl.job_end() IS 'a part of odoo_sync_job()';

-- Loads entities and commits page by page. What a scheduler runs: a cancel or a crash loses the
-- current page at most, and the next job goes on where this one stopped. With scheduled => true,
-- as odoo_schedule() has it, entities that failed wait a while, and a refused login stops the jobs.
-- A procedure that commits has no search_path of its own, so every name has its schema; that of its
-- parts may have been renamed.
CREATE OR REPLACE PROCEDURE odoo_sync_job(
    entity text DEFAULT 'all',
    server text DEFAULT NULL,
    full_refresh boolean DEFAULT false,
    reconcile boolean DEFAULT false,
    scheduled boolean DEFAULT false
) LANGUAGE plpgsql AS $$
DECLARE
    -- A member of the extension, or where all of it is.
    home pg_catalog.regnamespace := (
        SELECT coalesce(own.objid, extnamespace) FROM pg_catalog.pg_extension
        LEFT JOIN pg_catalog.pg_depend AS own
          ON own.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
         AND own.refobjid OPERATOR(pg_catalog.=) pg_extension.oid
         AND own.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
        WHERE extname OPERATOR(pg_catalog.=) 'odoo_etl'::pg_catalog.name
    );
    step pg_catalog.text := pg_catalog.format('SELECT %s.job_step()', home);
    more pg_catalog.bool := true;
BEGIN
    -- In a transaction block this is PostgreSQL's own error, before anything is asked of Odoo.
    COMMIT;
    -- In others a page would fail where somebody else writes the state while Odoo is asked.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    EXECUTE pg_catalog.format('SELECT %s.job_begin($1, $2, $3, $4, $5)', home)
        USING entity, server, full_refresh, reconcile, scheduled;
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    WHILE more LOOP
        EXECUTE step INTO more;
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    END LOOP;
    EXECUTE pg_catalog.format('SELECT %s.job_end()', home);
END
$$;
COMMENT ON PROCEDURE odoo_sync_job(text, text, boolean, boolean, boolean) IS
    'loads entities, or reconciles them, and commits page by page';

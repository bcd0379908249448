-- Loads entities and commits page by page. What a scheduler runs: a cancel or a crash loses the
-- current page at most, and the next job goes on where this one stopped. With scheduled => true,
-- as odoo_schedule() has it, entities that failed wait a while, and a refused login stops the jobs.
-- A procedure that commits has no search_path of its own, so every name has its schema; that of the
-- extension may have been renamed.
CREATE PROCEDURE odoo_sync_job(
    entity text DEFAULT 'all',
    server text DEFAULT NULL,
    full_refresh boolean DEFAULT false,
    reconcile boolean DEFAULT false,
    scheduled boolean DEFAULT false
) LANGUAGE plpgsql AS $$
DECLARE
    home pg_catalog.regnamespace := (
        SELECT extnamespace FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'odoo_etl'::pg_catalog.name
    );
    step pg_catalog.text := pg_catalog.format('SELECT %s.odoo_sync_job_step()', home);
    more pg_catalog.bool := true;
BEGIN
    -- In a transaction block this is PostgreSQL's own error, before anything is asked of Odoo.
    COMMIT;
    EXECUTE pg_catalog.format('SELECT %s.odoo_sync_job_begin($1, $2, $3, $4, $5)', home)
        USING entity, server, full_refresh, reconcile, scheduled;
    COMMIT;
    WHILE more LOOP
        EXECUTE step INTO more;
        COMMIT;
    END LOOP;
    EXECUTE pg_catalog.format('SELECT %s.odoo_sync_job_end()', home);
END
$$;
COMMENT ON PROCEDURE odoo_sync_job(text, text, boolean, boolean, boolean) IS
    'loads entities, or reconciles them, and commits page by page';

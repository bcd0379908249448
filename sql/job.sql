-- Loads entities and commits page by page. What a scheduler runs: a cancel or a crash loses the
-- current page at most, and the next job goes on where this one stopped. With scheduled => true,
-- as odoo_schedule() has it, entities that failed wait a while, and a refused login stops the jobs.
CREATE PROCEDURE odoo_sync_job(
    entity text DEFAULT 'all',
    server text DEFAULT NULL,
    full_refresh boolean DEFAULT false,
    reconcile boolean DEFAULT false,
    scheduled boolean DEFAULT false
) LANGUAGE plpgsql AS $$
BEGIN
    -- In a transaction block this is PostgreSQL's own error, before anything is asked of Odoo.
    COMMIT;
    PERFORM @extschema@.odoo_sync_job_begin(entity, server, full_refresh, reconcile, scheduled);
    COMMIT;
    WHILE @extschema@.odoo_sync_job_step() LOOP
        COMMIT;
    END LOOP;
    COMMIT;
    PERFORM @extschema@.odoo_sync_job_end();
END
$$;
COMMENT ON PROCEDURE odoo_sync_job(text, text, boolean, boolean, boolean) IS
    'loads entities, or reconciles them, and commits page by page';

COMMENT ON FUNCTION odoo_check(text) IS
    'examines a server: whether it is reached, who logs in, and what of what the warehouse needs the user may read';
COMMENT ON FUNCTION odoo_version(text) IS 'release of a server''s Odoo, as it names itself';
COMMENT ON FUNCTION odoo_sync(text, text, boolean) IS
    'loads one entity, and the records that it refers to, in one transaction';
COMMENT ON FUNCTION odoo_sync_all(text, boolean) IS
    'loads every entity in one transaction; one that fails is undone alone, and says so in its rows';
COMMENT ON FUNCTION odoo_verify(text, text) IS
    'tells how one entity differs from Odoo, by a scan of every record''s id and write_date';
COMMENT ON FUNCTION odoo_reconcile(text, text) IS
    'brings one entity in step with Odoo by such a scan: fetches what is missing or stale, deletes what is gone';
COMMENT ON FUNCTION odoo_forget(text) IS
    'forgets what was synced from a server, so that it may lead to another Odoo database or have another name';
COMMENT ON FUNCTION odoo_schedule(text, text, text, boolean) IS
    'has pg_cron load an entity, or all, or compare it with Odoo; returns the number of the job';
COMMENT ON FUNCTION odoo_schedule(text, text, interval, text) IS
    'has pg_cron follow an entity, or all: each job stays until the next one, and looks for changes so often';
COMMENT ON FUNCTION odoo_unschedule(text, text, boolean) IS 'ends a schedule of the current user';
COMMENT ON FUNCTION odoo_wake(text, text) IS
    'has a job that follows an entity look for changes at once; returns whether there is one';
COMMENT ON FUNCTION odoo_resume(text) IS
    'lets scheduled jobs run again that a refused login stopped, or that wait after failures';
COMMENT ON FUNCTION odoo_etl.fdw_validator(text[], oid) IS 'what PostgreSQL calls for the options of odoo_fdw';
COMMENT ON FOREIGN DATA WRAPPER odoo_fdw IS 'Odoo servers, for the functions of odoo_etl and for foreign tables';
COMMENT ON FUNCTION odoo_domain_in(cstring) IS 'I/O';
COMMENT ON FUNCTION odoo_domain_out(odoo_domain) IS 'I/O';

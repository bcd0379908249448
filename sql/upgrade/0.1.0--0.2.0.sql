-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION odoo_etl UPDATE TO '0.2.0'" to load this file. \quit

\ir ../home.sql

-- What the first release had beside its functions moves there, under shorter names. It keeps its oids: privileges,
-- triggers of the warehouse's tables, users' views and what dumps take stay as they are.
DO $$
DECLARE
    extension oid := (SELECT oid FROM pg_extension WHERE extname = 'odoo_etl');
    own oid;
    name text;
BEGIN
    FOR own, name IN
        SELECT c.oid, relname FROM pg_class AS c JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
        WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = extension AND d.deptype = 'e' AND relkind IN ('r', 'S')
    LOOP
        EXECUTE format('ALTER TABLE %s SET SCHEMA odoo_etl', own::regclass);
        EXECUTE format('ALTER TABLE %s RENAME TO %I', own::regclass, replace(name, 'odoo_sync_', ''));
    END LOOP;
    FOR own, name IN
        SELECT oid, relname FROM pg_class
        WHERE relnamespace = 'odoo_etl'::regnamespace AND relkind = 'i' AND starts_with(relname, 'odoo_sync_')
    LOOP
        EXECUTE format('ALTER INDEX %s RENAME TO %I', own::regclass, replace(name, 'odoo_sync_', ''));
    END LOOP;
    FOR own, name IN
        SELECT f.oid, regexp_replace(proname, '^odoo_(sync_)?', '')
        FROM pg_proc AS f JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = f.oid
        WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = extension AND d.deptype = 'e'
          AND proname IN ('odoo_fdw_validator', 'odoo_row_edited', 'odoo_server_visible',
              'odoo_sync_job_begin', 'odoo_sync_job_step', 'odoo_sync_job_end')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET SCHEMA odoo_etl', own::regprocedure);
        EXECUTE format('ALTER FUNCTION %s RENAME TO %I', own::regprocedure, name);
    END LOOP;
END
$$;

-- When an interrupted scan began, by Odoo's clock; how long a refused login holds jobs back; what pg_cron has of a
-- schedule, and which jobs follow.
ALTER TABLE odoo_etl.watermarks ADD COLUMN resume_began timestamp with time zone;
ALTER TABLE odoo_etl.stops ADD COLUMN until timestamp with time zone;
ALTER TABLE odoo_etl.schedules ADD COLUMN cron text;
ALTER TABLE odoo_etl.schedules ADD COLUMN follow interval;
-- The log may be long, and few of it go on, or are looked at.
CREATE INDEX ON odoo_etl.runs (server, run);
CREATE INDEX runs_running_idx ON odoo_etl.runs (run) WHERE status = 'running';

\ir ../state_0_2_0.sql
-- It has other columns now.
DROP FUNCTION odoo_sync_chart(text, integer);
\ir ../views.sql
GRANT SELECT ON odoo_status TO PUBLIC;

CREATE FUNCTION "odoo_version"(
	"server" TEXT DEFAULT NULL
) RETURNS TEXT
SET search_path TO pg_catalog, pg_temp
LANGUAGE c
AS 'MODULE_PATHNAME', 'odoo_version_wrapper';

\ir ../domain.sql

-- It has a column more.
DROP FUNCTION odoo_check(text);
CREATE FUNCTION "odoo_check"(
	"server" TEXT DEFAULT NULL
) RETURNS TABLE (
	"item" TEXT,
	"status" TEXT,
	"detail" TEXT,
	"hint" TEXT,
	"page" TEXT
)
SET search_path TO pg_catalog, pg_temp
LANGUAGE c
AS 'MODULE_PATHNAME', 'odoo_check_wrapper';

-- The new odoo_read takes the place of the old one.
DROP FUNCTION odoo_read(text, text, text[], bigint, bigint, text, text);
\ir ../client.sql

\ir ../foreign.sql
ALTER FOREIGN DATA WRAPPER odoo_fdw HANDLER odoo_etl.fdw_handler;

\ir ../live.sql
\ir ../rate.sql
\ir ../stock.sql
\ir ../mirror.sql
\ir ../reports.sql
\ir ../dashboard.sql
\ir ../job.sql
\ir ../partition.sql
\ir ../follow.sql

CREATE FUNCTION "odoo_schedule"(
	"entity" TEXT,
	"cron" TEXT,
	"follow" interval,
	"server" TEXT DEFAULT NULL
) RETURNS bigint
SET search_path TO pg_catalog, pg_temp
LANGUAGE c
AS 'MODULE_PATHNAME', 'odoo_schedule_following_wrapper';

CREATE FUNCTION "odoo_wake"(
	"entity" TEXT,
	"server" TEXT DEFAULT NULL
) RETURNS bool
SET search_path TO pg_catalog, pg_temp
LANGUAGE c
AS 'MODULE_PATHNAME', 'odoo_wake_wrapper';

\ir ../plans.sql
\ir ../comments.sql

-- Of every release: an upgrade runs this file too, and PostgreSQL lets an extension replace nothing but its own.

-- What users see of the extension's tables: the servers that they may use; members of
-- pg_read_all_stats see all.
CREATE OR REPLACE FUNCTION odoo_etl.server_visible(server text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_has_role('pg_read_all_stats', 'MEMBER')
        OR EXISTS (SELECT FROM pg_foreign_server WHERE srvname = $1 AND has_server_privilege(oid, 'USAGE'))
$$;
COMMENT ON FUNCTION odoo_etl.server_visible(text) IS 'whether the views show a server to the current user';

-- Whether a job is at it: it holds a lock as long as it lives. Those of a primary are not seen on
-- its standby.
CREATE OR REPLACE FUNCTION odoo_etl.run_goes_on(run bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_is_in_recovery() OR EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (classid::bigint << 32) | objid::bigint = hashtextextended(format('odoo_etl run %s', $1), 0))
$$;
COMMENT ON FUNCTION odoo_etl.run_goes_on(bigint) IS 'whether the job that a row of the log with the status running is of is still at it';

CREATE OR REPLACE VIEW odoo_sync_log WITH (security_barrier) AS
SELECT runs.run, runs.server, runs.entity, runs.target, runs.kind,
       CASE WHEN goes_on IS false THEN 'interrupted' ELSE runs.status END AS status,
       runs.role, runs.pid, runs.started,
       -- Of an interrupted run, when it committed last.
       CASE WHEN goes_on THEN NULL ELSE runs.finished END AS finished,
       runs.fetched, runs.inserted, runs.updated, runs.deleted, runs.missing, runs.quarantined, runs.pages,
       runs.requests, runs.retries, runs.bytes, runs.seconds, runs.seconds_waiting, runs.seconds_loading,
       runs.seconds_decoding,
       CASE WHEN goes_on THEN NULL ELSE runs.error END AS error,
       runs.sqlstate
FROM odoo_etl.runs AS runs
CROSS JOIN LATERAL (SELECT CASE WHEN runs.status = 'running' THEN odoo_etl.run_goes_on(runs.run) END AS goes_on) AS now
WHERE odoo_etl.server_visible(runs.server);
COMMENT ON VIEW odoo_sync_log IS 'what each run did with each table, kept for odoo_etl.log_retention';

CREATE OR REPLACE VIEW odoo_quarantine WITH (security_barrier) AS
SELECT * FROM odoo_etl.quarantine WHERE odoo_etl.server_visible(server);
COMMENT ON VIEW odoo_quarantine IS 'values that Odoo could not give; they are NULL, and gone from here when it can';

CREATE OR REPLACE VIEW odoo_columns WITH (security_barrier) AS
SELECT server, target, nullif(channel, '') AS channel, column_name, column_type AS type,
       odoo_model AS model, odoo_field AS field, kind
FROM odoo_etl.columns
WHERE odoo_etl.server_visible(server)
ORDER BY server, target, channel, position;
COMMENT ON VIEW odoo_columns IS 'lineage: the Odoo model and field behind each column, as resolved on the last run per server';

-- The locks of runs in progress are named by a hash.
CREATE OR REPLACE VIEW odoo_sync_status WITH (security_barrier) AS
WITH watermarks AS (
    SELECT server, target, min(watermark) AS watermark FROM odoo_etl.watermarks GROUP BY 1, 2
), quarantine AS (
    SELECT server, target, count(*) AS quarantined FROM odoo_etl.quarantine GROUP BY 1, 2
), last_log AS (
    SELECT DISTINCT ON (server, target) server, target, missing FROM odoo_etl.runs
    WHERE status NOT IN ('skipped', 'running', 'interrupted') ORDER BY server, target, run DESC
), jobs AS (
    SELECT DISTINCT ON (runs.server, runs.target) log.* FROM odoo_etl.runs AS runs
    JOIN odoo_sync_log AS log USING (run, target)
    WHERE runs.status = 'running' ORDER BY runs.server, runs.target, run DESC
), runners AS (
    SELECT (classid::bigint << 32) | objid::bigint AS key, pid FROM pg_catalog.pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
)
SELECT server,
       coalesce(state.entity, jobs.entity) AS entity,
       target,
       CASE
           WHEN runners.pid IS NOT NULL OR jobs.status = 'running' THEN 'running'
           WHEN held.is_stopped THEN 'stopped'
           WHEN greatest(state.next_start, held.until) > now() THEN 'backing off'
           WHEN coalesce(jobs.status, state.status) IN ('failed', 'partial', 'denied', 'absent', 'interrupted')
               THEN coalesce(jobs.status, state.status)
           ELSE 'idle'
       END AS state,
       coalesce(runners.pid, CASE jobs.status WHEN 'running' THEN jobs.pid END) AS pid,
       watermarks.watermark,
       -- What was committed in Odoo before the last good run began is here.
       extract(epoch FROM now() - state.last_success)::bigint AS lag_seconds,
       (SELECT greatest(reltuples, 0)::bigint FROM pg_catalog.pg_class
        WHERE oid = to_regclass(format('%I.%I', servers.schema, target))) AS rows_estimate,
       state.last_success,
       coalesce(jobs.finished, state.last_finished) AS last_finished,
       CASE jobs.status WHEN 'interrupted' THEN make_interval(secs => jobs.seconds) ELSE state.last_duration END::interval(3)
           AS last_duration,
       coalesce(state.failures, 0) AS failures,
       greatest(state.next_start, held.until) AS next_start,
       coalesce(jobs.error, state.last_error) AS last_error,
       CASE WHEN jobs.error IS NULL THEN state.last_sqlstate END AS last_sqlstate,
       coalesce(quarantine.quarantined, 0) AS quarantined,
       coalesce(last_log.missing, 0) AS missing,
       -- Its foreign keys and indexes are made when all rows are there.
       (server, target) IN (SELECT first.server, first.target FROM odoo_etl.first_loads AS first) AS first_load,
       (server, target) IN (SELECT kept.server, kept.target FROM odoo_etl.histories AS kept) AS history
FROM odoo_etl.state AS state
FULL JOIN jobs USING (server, target)
LEFT JOIN odoo_etl.servers AS servers USING (server)
LEFT JOIN watermarks USING (server, target)
LEFT JOIN quarantine USING (server, target)
LEFT JOIN last_log USING (server, target)
LEFT JOIN LATERAL (
    SELECT pid FROM runners
    WHERE key = hashtextextended(format('odoo_etl %s %s', server, coalesce(state.entity, jobs.entity)), 0) LIMIT 1
) AS runners ON true
LEFT JOIN LATERAL (
    SELECT bool_or(until IS NULL) AS is_stopped, max(until) AS until FROM odoo_etl.stops AS stops WHERE stops.server = state.server
) AS held ON true
WHERE odoo_etl.server_visible(server)
ORDER BY server, entity, target;
COMMENT ON VIEW odoo_sync_status IS 'how each table is, per server';

-- A run tells where it is as COPY does (pg_stat_progress_copy), which other sessions see at once.
CREATE OR REPLACE VIEW odoo_sync_progress AS
SELECT progress.pid,
       activity.usename AS role,
       server.srvname AS server,
       progress.relid::regclass AS target,
       CASE progress.param13 WHEN 1 THEN 'reading' WHEN 2 THEN 'looking for deletes' END AS phase,
       progress.param14 AS pages,
       progress.param3 AS rows,
       nullif(progress.param15, 0) AS rows_total,
       round(progress.param3 / nullif(passed.seconds, 0))::bigint AS rows_per_second,
       to_timestamp(progress.param16 / 1000.0) AS started,
       CASE WHEN progress.param3 > 0 AND progress.param15 > progress.param3 THEN
           now() + make_interval(secs => (passed.seconds * (progress.param15 - progress.param3) / progress.param3)::double precision)
       END AS estimated_end
FROM pg_catalog.pg_stat_get_progress_info('COPY') AS progress
JOIN pg_catalog.pg_foreign_server AS server ON server.oid = progress.param12::oid
LEFT JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = progress.pid
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM clock_timestamp()) - progress.param16 / 1000.0 AS seconds
) AS passed
-- The number by which odoo_etl knows its own.
WHERE progress.param11 = 7366746 AND progress.datid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database());
COMMENT ON VIEW odoo_sync_progress IS 'the runs in progress';

CREATE OR REPLACE VIEW odoo_schedules WITH (security_barrier) AS
SELECT server, entity, reconcile, schedule, role, jobid, scheduled_at
FROM odoo_etl.schedules
WHERE odoo_etl.server_visible(server)
ORDER BY server, entity, reconcile;
COMMENT ON VIEW odoo_schedules IS 'the jobs that pg_cron runs';

-- The log as a picture: what of the last runs took the time. # is waiting for Odoo, = loading.
CREATE OR REPLACE FUNCTION odoo_sync_chart(server text DEFAULT NULL, runs integer DEFAULT 1)
RETURNS TABLE (target text, run bigint, fetched bigint, seconds numeric, chart text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp BEGIN ATOMIC
    WITH recent AS (
        SELECT log.*, dense_rank() OVER (PARTITION BY log.server ORDER BY log.run DESC) AS age
        FROM odoo_sync_log AS log
        WHERE ($1 IS NULL OR log.server = $1) AND log.status <> 'skipped'
    ), longest AS (SELECT max(seconds) AS seconds FROM recent WHERE age <= $2)
    SELECT recent.target, recent.run, recent.fetched, round(recent.seconds::numeric, 3),
           repeat('#', round(50 * recent.seconds_waiting / nullif(longest.seconds, 0))::integer)
           || repeat('=', round(50 * recent.seconds_loading / nullif(longest.seconds, 0))::integer)
    FROM recent, longest WHERE age <= $2
    ORDER BY recent.run DESC, recent.seconds DESC;
END;
COMMENT ON FUNCTION odoo_sync_chart(text, integer) IS
    'the last runs by table, the longest first: # is time waiting for Odoo, = time loading';

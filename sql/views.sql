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
-- As odoo_etl.server_visible() has it, but asked once: there may be millions of rows.
WHERE (SELECT pg_has_role('pg_read_all_stats', 'MEMBER'))
   OR runs.server IN (SELECT srvname FROM pg_catalog.pg_foreign_server WHERE has_server_privilege(oid, 'USAGE'));
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
), jobs AS (
    SELECT DISTINCT ON (server, target) server, target, entity, seconds, pid,
           CASE WHEN goes_on THEN 'running' ELSE 'interrupted' END AS status,
           CASE WHEN NOT goes_on THEN finished END AS finished,
           CASE WHEN NOT goes_on THEN error END AS error
    FROM odoo_etl.runs CROSS JOIN LATERAL odoo_etl.run_goes_on(run) AS goes_on
    WHERE status = 'running' ORDER BY server, target, run DESC
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
           WHEN followers.pid IS NOT NULL THEN 'following'
           ELSE 'idle'
       END AS state,
       coalesce(runners.pid, CASE jobs.status WHEN 'running' THEN jobs.pid END, followers.pid) AS pid,
       watermarks.watermark,
       -- What was committed in Odoo before the last good run, or look, began is here.
       extract(epoch FROM now() - state.last_success)::bigint AS lag_seconds,
       (WITH RECURSIVE parts AS (
            SELECT oid FROM pg_catalog.pg_class
            WHERE relnamespace = to_regnamespace(quote_ident(servers.schema)) AND relname = target
            UNION ALL SELECT inhrelid FROM pg_catalog.pg_inherits JOIN parts ON inhparent = parts.oid)
        SELECT sum(CASE WHEN relkind <> 'p' THEN greatest(reltuples, 0) ELSE 0 END)::bigint
        FROM parts JOIN pg_catalog.pg_class USING (oid)) AS rows_estimate,
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
       (server, target) IN (SELECT kept.server, kept.target FROM odoo_etl.histories AS kept) AS history,
       -- Of what it is declared to have.
       coalesce(relations.lacks, '{}') AS lacks
FROM odoo_etl.state AS state
FULL JOIN jobs USING (server, target)
LEFT JOIN odoo_etl.servers AS servers USING (server)
LEFT JOIN watermarks USING (server, target)
LEFT JOIN quarantine USING (server, target)
LEFT JOIN LATERAL (
    SELECT runs.missing FROM odoo_etl.runs AS runs
    WHERE runs.server = coalesce(state.server, jobs.server) AND runs.target = coalesce(state.target, jobs.target)
      AND runs.status NOT IN ('skipped', 'running', 'interrupted')
    ORDER BY runs.run DESC LIMIT 1
) AS last_log ON true
LEFT JOIN odoo_etl.relations AS relations USING (server, target)
LEFT JOIN LATERAL (
    SELECT pid FROM runners
    WHERE key = hashtextextended(format('odoo_etl %s %s', server, coalesce(state.entity, jobs.entity)), 0) LIMIT 1
) AS runners ON true
LEFT JOIN LATERAL (
    SELECT pid FROM runners WHERE key IN (
        hashtextextended(format('odoo_etl follow %s %s', server, coalesce(state.entity, jobs.entity)), 0),
        hashtextextended(format('odoo_etl follow %s all', server), 0)) LIMIT 1
) AS followers ON true
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
SELECT server, entity, reconcile, schedule, role, jobid, scheduled_at, coalesce(cron, schedule) AS cron, follow
FROM odoo_etl.schedules
WHERE odoo_etl.server_visible(server)
ORDER BY server, entity, reconcile;
COMMENT ON VIEW odoo_schedules IS 'the jobs that pg_cron runs';

-- The tables at a glance: what fits a terminal.
CREATE OR REPLACE VIEW odoo_status WITH (security_barrier) AS
SELECT server, target, state,
       CASE WHEN lag_seconds < 120 THEN lag_seconds || ' s'
            WHEN lag_seconds < 7200 THEN lag_seconds / 60 || ' min'
            WHEN lag_seconds < 172800 THEN lag_seconds / 3600 || ' h'
            ELSE lag_seconds / 86400 || ' d' END AS lag,
       rows_estimate AS rows, missing, quarantined, failures,
       left(translate(last_error, E'\n\r\t', '   '), 24) AS error
FROM odoo_sync_status;
COMMENT ON VIEW odoo_status IS 'how each table is, at a glance; odoo_sync_status says more';

-- The log as a picture: what took the time. # is waiting for Odoo, = loading.
CREATE FUNCTION odoo_sync_chart(server text DEFAULT NULL, runs integer DEFAULT NULL)
RETURNS TABLE (started timestamp with time zone, run bigint, server text, target text, fetched bigint, seconds numeric, chart text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp BEGIN ATOMIC
    -- The log may be long: of each server its last runs are looked up.
    WITH servers AS MATERIALIZED (
        SELECT DISTINCT log.server FROM odoo_sync_log AS log WHERE $1 IS NULL OR log.server = $1
    ), recent AS (
        SELECT log.*
        FROM servers CROSS JOIN LATERAL (
            SELECT DISTINCT log.run FROM odoo_sync_log AS log
            WHERE log.server = servers.server AND log.status <> 'skipped'
            ORDER BY log.run DESC LIMIT greatest(coalesce($2, 1), 0)
        ) AS last CROSS JOIN LATERAL (
            SELECT * FROM odoo_sync_log AS own
            WHERE own.server = servers.server AND own.run = last.run AND own.status <> 'skipped' OFFSET 0
        ) AS log
    ), lines AS (
        SELECT log.started, log.run, log.server, log.target, log.fetched, log.seconds, log.seconds_waiting, log.seconds_loading,
               nullif(nullif(log.status, 'ok'), 'absent') AS trouble
        FROM recent AS log WHERE $2 IS NULL
        UNION ALL
        SELECT min(log.started), log.run, log.server, CASE count(*) WHEN 1 THEN min(log.target) ELSE count(*) || ' tables' END,
               sum(log.fetched)::bigint, sum(log.seconds), sum(log.seconds_waiting), sum(log.seconds_loading),
               (array_agg(log.status ORDER BY array_position('{failed,partial,denied,interrupted,running}'::text[], log.status))
                    FILTER (WHERE log.status NOT IN ('ok', 'absent')))[1]
        FROM recent AS log WHERE $2 IS NOT NULL GROUP BY log.server, log.run
    ), longest AS (SELECT max(lines.seconds) AS seconds FROM lines)
    SELECT date_trunc('second', lines.started), lines.run, lines.server, lines.target, lines.fetched,
           round(lines.seconds::numeric, 3),
           concat(repeat('#', round(20 * lines.seconds_waiting / nullif(longest.seconds, 0))::integer),
                  repeat('=', round(20 * lines.seconds_loading / nullif(longest.seconds, 0))::integer), ' ' || lines.trouble)
    FROM lines, longest
    ORDER BY CASE WHEN $2 IS NULL THEN -lines.run ELSE lines.run END, lines.seconds DESC;
END;
COMMENT ON FUNCTION odoo_sync_chart(text, integer) IS
    'the last run by table, the longest first, or so many of the last runs, the latest last: # is time waiting for Odoo, = time loading';

COMMENT ON COLUMN odoo_sync_log.run IS 'the number of the run; of one job all tables have the same';
COMMENT ON COLUMN odoo_sync_log.server IS 'the Odoo server';
COMMENT ON COLUMN odoo_sync_log.entity IS 'what odoo_sync() takes: the tables that are loaded together';
COMMENT ON COLUMN odoo_sync_log.target IS 'the table';
COMMENT ON COLUMN odoo_sync_log.kind IS 'what was called: sync, job, reconcile or follow';
COMMENT ON COLUMN odoo_sync_log.status IS 'how it ended: ok, failed, partial, denied, absent, interrupted, skipped, or running';
COMMENT ON COLUMN odoo_sync_log.role IS 'the role that ran it';
COMMENT ON COLUMN odoo_sync_log.pid IS 'the process of the session that ran it';
COMMENT ON COLUMN odoo_sync_log.started IS 'when it began';
COMMENT ON COLUMN odoo_sync_log.finished IS 'when it ended; of an interrupted run, when it committed last';
COMMENT ON COLUMN odoo_sync_log.fetched IS 'records that Odoo gave';
COMMENT ON COLUMN odoo_sync_log.inserted IS 'rows that are new';
COMMENT ON COLUMN odoo_sync_log.updated IS 'rows that changed';
COMMENT ON COLUMN odoo_sync_log.deleted IS 'rows that are gone from Odoo';
COMMENT ON COLUMN odoo_sync_log.missing IS 'references to records that Odoo does not show';
COMMENT ON COLUMN odoo_sync_log.quarantined IS 'values that Odoo could not give';
COMMENT ON COLUMN odoo_sync_log.pages IS 'answers with records';
COMMENT ON COLUMN odoo_sync_log.requests IS 'requests to Odoo';
COMMENT ON COLUMN odoo_sync_log.retries IS 'requests that were sent again';
COMMENT ON COLUMN odoo_sync_log.bytes IS 'bytes that Odoo sent';
COMMENT ON COLUMN odoo_sync_log.seconds IS 'how long it took';
COMMENT ON COLUMN odoo_sync_log.seconds_waiting IS 'of these, waiting for Odoo';
COMMENT ON COLUMN odoo_sync_log.seconds_loading IS 'of these, writing rows';
COMMENT ON COLUMN odoo_sync_log.seconds_decoding IS 'of these, reading Odoo''s answers';
COMMENT ON COLUMN odoo_sync_log.error IS 'what it failed with';
COMMENT ON COLUMN odoo_sync_log.sqlstate IS 'the error code of that';

COMMENT ON COLUMN odoo_sync_status.server IS 'the Odoo server';
COMMENT ON COLUMN odoo_sync_status.entity IS 'what odoo_sync() takes: the tables that are loaded together';
COMMENT ON COLUMN odoo_sync_status.target IS 'the table';
COMMENT ON COLUMN odoo_sync_status.state IS 'idle, following, running, backing off, stopped, or how the last run ended if not well';
COMMENT ON COLUMN odoo_sync_status.pid IS 'the process that runs it, or follows';
COMMENT ON COLUMN odoo_sync_status.watermark IS 'changes in Odoo up to then are here, by Odoo''s clock';
COMMENT ON COLUMN odoo_sync_status.lag_seconds IS 'how long ago the last run began that ended well, or the last look of a job that follows';
COMMENT ON COLUMN odoo_sync_status.rows_estimate IS 'rows, as the planner knows them';
COMMENT ON COLUMN odoo_sync_status.last_success IS 'when the last run began that ended well, or the last look of a job that follows';
COMMENT ON COLUMN odoo_sync_status.last_finished IS 'when the last run ended';
COMMENT ON COLUMN odoo_sync_status.last_duration IS 'how long that took';
COMMENT ON COLUMN odoo_sync_status.failures IS 'runs that failed since one ended well';
COMMENT ON COLUMN odoo_sync_status.next_start IS 'until when scheduled jobs wait after failures';
COMMENT ON COLUMN odoo_sync_status.last_error IS 'what the last run failed with';
COMMENT ON COLUMN odoo_sync_status.last_sqlstate IS 'the error code of that';
COMMENT ON COLUMN odoo_sync_status.quarantined IS 'values that Odoo could not give, now';
COMMENT ON COLUMN odoo_sync_status.missing IS 'references of the last run to records that Odoo does not show';
COMMENT ON COLUMN odoo_sync_status.first_load IS 'whether the first load is not complete yet';
COMMENT ON COLUMN odoo_sync_status.history IS 'whether past versions of its rows are kept';
COMMENT ON COLUMN odoo_sync_status.lacks IS 'foreign keys and triggers that the table is declared to have and has not';

COMMENT ON COLUMN odoo_status.server IS 'the Odoo server';
COMMENT ON COLUMN odoo_status.target IS 'the table';
COMMENT ON COLUMN odoo_status.state IS 'idle, following, running, backing off, stopped, or how the last run ended if not well';
COMMENT ON COLUMN odoo_status.lag IS 'how long ago the last run began that ended well, or the last look of a job that follows';
COMMENT ON COLUMN odoo_status.rows IS 'rows, as the planner knows them';
COMMENT ON COLUMN odoo_status.missing IS 'references of the last run to records that Odoo does not show';
COMMENT ON COLUMN odoo_status.quarantined IS 'values that Odoo could not give, now';
COMMENT ON COLUMN odoo_status.failures IS 'runs that failed since one ended well';
COMMENT ON COLUMN odoo_status.error IS 'how the last error begins';

COMMENT ON COLUMN odoo_sync_progress.pid IS 'the process';
COMMENT ON COLUMN odoo_sync_progress.role IS 'the role that runs it';
COMMENT ON COLUMN odoo_sync_progress.server IS 'the Odoo server';
COMMENT ON COLUMN odoo_sync_progress.target IS 'the table';
COMMENT ON COLUMN odoo_sync_progress.phase IS 'reading, or looking for deletes';
COMMENT ON COLUMN odoo_sync_progress.pages IS 'answers with records, so far';
COMMENT ON COLUMN odoo_sync_progress.rows IS 'records, so far';
COMMENT ON COLUMN odoo_sync_progress.rows_total IS 'records that there are to read';
COMMENT ON COLUMN odoo_sync_progress.rows_per_second IS 'records a second, so far';
COMMENT ON COLUMN odoo_sync_progress.started IS 'when it began';
COMMENT ON COLUMN odoo_sync_progress.estimated_end IS 'when it ends at that speed';

COMMENT ON COLUMN odoo_quarantine.server IS 'the Odoo server';
COMMENT ON COLUMN odoo_quarantine.target IS 'the table';
COMMENT ON COLUMN odoo_quarantine.channel IS 'the channel of the row';
COMMENT ON COLUMN odoo_quarantine.model IS 'the record''s model in Odoo';
COMMENT ON COLUMN odoo_quarantine.record_id IS 'the record''s number in Odoo';
COMMENT ON COLUMN odoo_quarantine.field IS 'the field that cannot be read';
COMMENT ON COLUMN odoo_quarantine.error IS 'what Odoo said';
COMMENT ON COLUMN odoo_quarantine.first_seen IS 'the first run that met it';
COMMENT ON COLUMN odoo_quarantine.last_seen IS 'the last run that met it';

COMMENT ON COLUMN odoo_columns.server IS 'the Odoo server';
COMMENT ON COLUMN odoo_columns.target IS 'the table';
COMMENT ON COLUMN odoo_columns.channel IS 'of tables that several models fill, which rows';
COMMENT ON COLUMN odoo_columns.column_name IS 'the column';
COMMENT ON COLUMN odoo_columns.type IS 'its type';
COMMENT ON COLUMN odoo_columns.model IS 'the model in Odoo';
COMMENT ON COLUMN odoo_columns.field IS 'the field in Odoo, or the expression that makes the column; NULL if this Odoo has none';
COMMENT ON COLUMN odoo_columns.kind IS 'how its values are made';

COMMENT ON COLUMN odoo_schedules.server IS 'the Odoo server';
COMMENT ON COLUMN odoo_schedules.entity IS 'what odoo_sync() takes, or all';
COMMENT ON COLUMN odoo_schedules.reconcile IS 'whether the job compares with Odoo';
COMMENT ON COLUMN odoo_schedules.schedule IS 'when it runs, as the user wrote it';
COMMENT ON COLUMN odoo_schedules.role IS 'the role that it runs as';
COMMENT ON COLUMN odoo_schedules.jobid IS 'the job in cron.job';
COMMENT ON COLUMN odoo_schedules.scheduled_at IS 'when odoo_schedule() was called';
COMMENT ON COLUMN odoo_schedules.cron IS 'the same as pg_cron has it: where the minute was left open, in which few other jobs start';
COMMENT ON COLUMN odoo_schedules.follow IS 'how often the job looks for changes, if it stays until the next one';

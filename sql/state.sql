-- Which Odoo database each server led to when it was last synced, and the schema that it fills.
CREATE TABLE odoo_sync_servers (
    server text PRIMARY KEY,
    schema text NOT NULL UNIQUE,
    url text NOT NULL,
    database text NOT NULL,
    database_uuid text,
    -- Who may forget it.
    role name NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT now()
);
COMMENT ON TABLE odoo_sync_servers IS 'the Odoo database that fills each schema; another one is refused until odoo_forget()';

-- How the last run of each table ended. Only the extension's functions write it.
CREATE TABLE odoo_sync_state (
    server text NOT NULL,
    target text NOT NULL,
    entity text NOT NULL,
    status text NOT NULL,
    last_started timestamp with time zone NOT NULL,
    last_finished timestamp with time zone NOT NULL,
    -- When the last run began that ended well.
    last_success timestamp with time zone,
    last_duration interval NOT NULL,
    rows_fetched bigint NOT NULL,
    -- Runs that failed since then, and until when scheduled jobs wait.
    failures integer NOT NULL,
    next_start timestamp with time zone,
    last_error text,
    last_sqlstate text,
    PRIMARY KEY (server, target)
);
COMMENT ON TABLE odoo_sync_state IS 'how the last run of each table ended, per server';

-- One row per run and table. A job writes it with each page, with the status 'running' and the error
-- that is true when it is found so after the job's end.
CREATE SEQUENCE odoo_sync_run;
CREATE TABLE odoo_sync_runs (
    run bigint NOT NULL,
    server text NOT NULL,
    entity text NOT NULL,
    target text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    role name NOT NULL,
    pid integer NOT NULL,
    started timestamp with time zone NOT NULL,
    finished timestamp with time zone NOT NULL,
    fetched bigint NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    deleted bigint NOT NULL,
    missing bigint NOT NULL,
    quarantined bigint NOT NULL,
    pages bigint NOT NULL,
    requests bigint NOT NULL,
    retries bigint NOT NULL,
    bytes bigint NOT NULL,
    seconds double precision NOT NULL,
    seconds_waiting double precision NOT NULL,
    seconds_loading double precision NOT NULL,
    -- On threads of their own, beside the waiting and the loading.
    seconds_decoding double precision NOT NULL,
    error text,
    sqlstate text,
    PRIMARY KEY (run, target)
);
CREATE INDEX ON odoo_sync_runs (finished);
CREATE INDEX ON odoo_sync_runs (server, target, run);
COMMENT ON TABLE odoo_sync_runs IS 'what each run did with each table, kept for odoo_etl.log_retention';

-- Jobs that pg_cron runs.
CREATE TABLE odoo_sync_schedules (
    server text NOT NULL,
    entity text NOT NULL,
    reconcile boolean NOT NULL,
    role name NOT NULL,
    schedule text NOT NULL,
    jobid bigint NOT NULL,
    scheduled_at timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, entity, reconcile, role)
);

-- Servers whose scheduled jobs a refused login holds back, per role: up to a time, after which they
-- try once more, or until odoo_resume() or a good login.
CREATE TABLE odoo_sync_stops (
    server text NOT NULL,
    role name NOT NULL,
    reason text NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT now(),
    until timestamp with time zone,
    PRIMARY KEY (server, role)
);

-- Up to when each feed of a table has been read, by Odoo's clock.
CREATE TABLE odoo_sync_watermarks (
    server text NOT NULL,
    target text NOT NULL,
    channel text NOT NULL,
    watermark timestamp with time zone,
    -- Where a job stopped in the middle of a scan, and what it knew then.
    resume_after bigint,
    resume_since text,
    resume_latest text,
    resume_seconds double precision,
    -- When the scan first began, by Odoo's clock: what changed since then is read again at its end.
    resume_began timestamp with time zone,
    PRIMARY KEY (server, target, channel)
);
COMMENT ON TABLE odoo_sync_watermarks IS 'latest change that was loaded, per server, table and channel';

-- Values that Odoo could not give. A field of '' stands for the whole record.
CREATE TABLE odoo_sync_quarantine (
    server text NOT NULL,
    target text NOT NULL,
    channel text NOT NULL,
    model text NOT NULL,
    record_id bigint NOT NULL,
    field text NOT NULL,
    error text NOT NULL,
    first_seen timestamp with time zone NOT NULL DEFAULT now(),
    last_seen timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, target, channel, record_id, field)
);
COMMENT ON TABLE odoo_sync_quarantine IS 'values that Odoo could not give; they are NULL, and gone from here when it can';

-- Where each column came from on the last run.
CREATE TABLE odoo_sync_columns (
    server text NOT NULL,
    target text NOT NULL,
    channel text NOT NULL,
    column_name text NOT NULL,
    column_type text NOT NULL,
    odoo_model text,
    odoo_field text,
    kind text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (server, target, channel, column_name)
);

-- Models that the Odoo user may not read, though columns of a table show values of theirs, and
-- relations of a table's model by which Odoo does not search for changed records.
CREATE TABLE odoo_sync_denied (
    server text NOT NULL,
    target text NOT NULL,
    channel text NOT NULL,
    model text NOT NULL,
    relation text NOT NULL DEFAULT '',
    since timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, target, channel, model, relation)
);
COMMENT ON TABLE odoo_sync_denied IS 'models whose values are NULL in a table because the Odoo user may not read them, and relations whose changes are not seen because Odoo does not search by them; when it does, the table is read again';

-- Models that users mirror, and columns that they added to any table.
CREATE TABLE odoo_sync_mirrors (
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
CREATE TABLE odoo_sync_added_columns (
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

-- The relations that each server fills, and that server, by oid: what tells a table that was moved from one that was
-- dropped, and a server from another one of its name. Not dumped: elsewhere the oids are others.
CREATE TABLE odoo_sync_relations (
    server text NOT NULL,
    target text NOT NULL,
    relation oid NOT NULL,
    server_oid oid NOT NULL,
    PRIMARY KEY (server, target)
);

-- Tables that have been without the trigger odoo_row_edited: somebody may have edited their rows unseen, until all of
-- them are read again.
CREATE TABLE odoo_sync_unwatched (
    server text NOT NULL,
    target text NOT NULL,
    channel text NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, target, channel)
);
COMMENT ON TABLE odoo_sync_unwatched IS 'tables whose rows may have been edited unseen; for odoo_verify() they are stale until they are read again';

-- What spares Odoo a question: the fields of its models, and digests of tables that are read whole.
CREATE TABLE odoo_sync_memory (
    server text NOT NULL,
    what text NOT NULL,
    value jsonb NOT NULL,
    kept_at timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, what)
);
COMMENT ON TABLE odoo_sync_memory IS 'what spares Odoo a question; it may be emptied at any time';

-- The trigger of the warehouse's tables. Its arguments are their columns that come from Odoo: a
-- row in which somebody else changes one has no write_date of Odoo any more, so that
-- odoo_verify() sees it and odoo_reconcile() repairs it.
CREATE FUNCTION odoo_row_edited() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old_row jsonb := to_jsonb(OLD);
    new_row jsonb := to_jsonb(NEW);
BEGIN
    IF EXISTS (SELECT FROM unnest(TG_ARGV) AS name WHERE old_row -> name IS DISTINCT FROM new_row -> name) THEN
        NEW.odoo_write_date := NULL;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION odoo_row_edited() IS 'marks rows that were edited by hand, for odoo_verify() and odoo_reconcile()';

SELECT pg_catalog.pg_extension_config_dump('odoo_sync_servers', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_state', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_watermarks', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_quarantine', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_run', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_runs', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_schedules', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_stops', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_columns', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_denied', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_unwatched', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_mirrors', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_added_columns', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_added_columns_position_seq', '');

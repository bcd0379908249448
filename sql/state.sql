-- Which Odoo database each server led to when it was last synced, and the schema that it fills.
CREATE TABLE odoo_etl.servers (
    server text PRIMARY KEY,
    schema text NOT NULL UNIQUE,
    url text NOT NULL,
    database text NOT NULL,
    database_uuid text,
    -- Who may forget it.
    role name NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT now()
);
COMMENT ON TABLE odoo_etl.servers IS 'the Odoo database that fills each schema; another one is refused until odoo_forget()';

-- How the last run of each table ended. Only the extension's functions write it.
CREATE TABLE odoo_etl.state (
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
COMMENT ON TABLE odoo_etl.state IS 'how the last run of each table ended, per server';

-- One row per run and table. A job writes it with each page, with the status 'running' and the error
-- that is true when it is found so after the job's end.
CREATE SEQUENCE odoo_etl.run;
CREATE TABLE odoo_etl.runs (
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
CREATE INDEX ON odoo_etl.runs (finished);
CREATE INDEX ON odoo_etl.runs (server, target, run);
CREATE INDEX ON odoo_etl.runs (server, run);
CREATE INDEX runs_running_idx ON odoo_etl.runs (run) WHERE status = 'running';
COMMENT ON TABLE odoo_etl.runs IS 'what each run did with each table, kept for odoo_etl.log_retention';

-- Jobs that pg_cron runs.
CREATE TABLE odoo_etl.schedules (
    server text NOT NULL,
    entity text NOT NULL,
    reconcile boolean NOT NULL,
    role name NOT NULL,
    schedule text NOT NULL,
    jobid bigint NOT NULL,
    scheduled_at timestamp with time zone NOT NULL DEFAULT now(),
    -- The same as pg_cron has it; the first release knew no difference.
    cron text,
    -- How often it looks, if it stays until the next one.
    follow interval,
    PRIMARY KEY (server, entity, reconcile, role)
);

-- Servers whose scheduled jobs a refused login holds back, per role: up to a time, after which they
-- try once more, or until odoo_resume() or a good login.
CREATE TABLE odoo_etl.stops (
    server text NOT NULL,
    role name NOT NULL,
    reason text NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT now(),
    until timestamp with time zone,
    PRIMARY KEY (server, role)
);

-- Up to when each feed of a table has been read, by Odoo's clock.
CREATE TABLE odoo_etl.watermarks (
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
COMMENT ON TABLE odoo_etl.watermarks IS 'latest change that was loaded, per server, table and channel';

-- Values that Odoo could not give. A field of '' stands for the whole record.
CREATE TABLE odoo_etl.quarantine (
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
COMMENT ON TABLE odoo_etl.quarantine IS 'values that Odoo could not give; they are NULL, and gone from here when it can';

-- Where each column came from on the last run.
CREATE TABLE odoo_etl.columns (
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

-- The trigger of the warehouse's tables. Its arguments are their columns that come from Odoo: a
-- row in which somebody else changes one has no write_date of Odoo any more, so that
-- odoo_verify() sees it and odoo_reconcile() repairs it.
CREATE FUNCTION odoo_etl.row_edited() RETURNS trigger
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
COMMENT ON FUNCTION odoo_etl.row_edited() IS 'marks rows that were edited by hand, for odoo_verify() and odoo_reconcile()';

SELECT pg_catalog.pg_extension_config_dump('odoo_etl.servers', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.state', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.watermarks', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.quarantine', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.run', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.runs', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.schedules', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.stops', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.columns', '');

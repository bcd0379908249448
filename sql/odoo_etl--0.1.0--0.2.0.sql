-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION odoo_etl UPDATE TO '0.2.0'" to load this file. \quit

CREATE FUNCTION "odoo_version"(
	"server" TEXT DEFAULT NULL
) RETURNS TEXT
SET search_path TO pg_catalog, pg_temp
LANGUAGE c
AS 'MODULE_PATHNAME', 'odoo_version_wrapper';

-- What spares Odoo a question: the fields of its models, and digests of tables that are read whole.
CREATE TABLE odoo_sync_memory (
    server text NOT NULL,
    what text NOT NULL,
    value jsonb NOT NULL,
    kept_at timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, what)
);
COMMENT ON TABLE odoo_sync_memory IS 'what spares Odoo a question; it may be emptied at any time';

-- A page's statement is short, but costs enough for PostgreSQL to compile it: twice the time of running it.
ALTER FUNCTION odoo_sync(text, text, boolean) SET jit = off;
ALTER FUNCTION odoo_sync_all(text, boolean) SET jit = off;
ALTER FUNCTION odoo_reconcile(text, text) SET jit = off;
ALTER FUNCTION odoo_verify(text, text) SET jit = off;
ALTER FUNCTION odoo_sync_job_step() SET jit = off;

-- When an interrupted scan began, by Odoo's clock; how long a refused login holds jobs back.
ALTER TABLE odoo_sync_watermarks ADD COLUMN resume_began timestamp with time zone;
ALTER TABLE odoo_sync_stops ADD COLUMN until timestamp with time zone;

-- Whether a job is at it: it holds a lock as long as it lives. Those of a primary are not seen on
-- its standby.
CREATE FUNCTION odoo_run_goes_on(run bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_is_in_recovery() OR EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (classid::bigint << 32) | objid::bigint = hashtextextended(format('odoo_etl run %s', $1), 0))
$$;
COMMENT ON FUNCTION odoo_run_goes_on(bigint) IS 'whether the job that a row of the log with the status running is of is still at it';

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
FROM odoo_sync_runs AS runs
CROSS JOIN LATERAL (SELECT CASE WHEN runs.status = 'running' THEN odoo_run_goes_on(runs.run) END AS goes_on) AS now
WHERE odoo_server_visible(runs.server);

-- The locks of runs in progress are named by a hash.
CREATE OR REPLACE VIEW odoo_sync_status WITH (security_barrier) AS
WITH watermarks AS (
    SELECT server, target, min(watermark) AS watermark FROM odoo_sync_watermarks GROUP BY 1, 2
), quarantine AS (
    SELECT server, target, count(*) AS quarantined FROM odoo_sync_quarantine GROUP BY 1, 2
), last_log AS (
    SELECT DISTINCT ON (server, target) server, target, missing FROM odoo_sync_runs
    WHERE status NOT IN ('skipped', 'running', 'interrupted') ORDER BY server, target, run DESC
), jobs AS (
    SELECT DISTINCT ON (runs.server, runs.target) log.* FROM odoo_sync_runs AS runs
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
       coalesce(last_log.missing, 0) AS missing
FROM odoo_sync_state AS state
FULL JOIN jobs USING (server, target)
LEFT JOIN odoo_sync_servers AS servers USING (server)
LEFT JOIN watermarks USING (server, target)
LEFT JOIN quarantine USING (server, target)
LEFT JOIN last_log USING (server, target)
LEFT JOIN LATERAL (
    SELECT pid FROM runners
    WHERE key = hashtextextended(format('odoo_etl %s %s', server, coalesce(state.entity, jobs.entity)), 0) LIMIT 1
) AS runners ON true
LEFT JOIN LATERAL (
    SELECT bool_or(until IS NULL) AS is_stopped, max(until) AS until FROM odoo_sync_stops AS stops WHERE stops.server = state.server
) AS held ON true
WHERE odoo_server_visible(server)
ORDER BY server, entity, target;

-- From here on as in domain.sql, client.sql and live.sql; the new odoo_read takes the place of the old one.
DROP FUNCTION odoo_read(text, text, text[], bigint, bigint, text, text);

CREATE TYPE odoo_domain;

CREATE FUNCTION odoo_domain_in(written cstring) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_in_wrapper';
CREATE FUNCTION odoo_domain_out(domain odoo_domain) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_out_wrapper';

CREATE TYPE odoo_domain (INPUT = odoo_domain_in, OUTPUT = odoo_domain_out, LIKE = text);
COMMENT ON TYPE odoo_domain IS
    'a search domain of Odoo; written in JSON, [["state", "=", "paid"]], or as Odoo does, [(''state'', ''='', ''paid'')]';

-- Implicit, so that a domain may be given as text or built as jsonb; drivers send texts as varchar.
CREATE CAST (text AS odoo_domain) WITH INOUT AS IMPLICIT;
CREATE CAST (varchar AS odoo_domain) WITH INOUT AS IMPLICIT;
CREATE CAST (jsonb AS odoo_domain) WITH INOUT AS IMPLICIT;
CREATE CAST (odoo_domain AS jsonb) WITH INOUT;

CREATE FUNCTION odoo_domain(field text, operator text, value text) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_wrapper';
CREATE FUNCTION odoo_domain(field text, operator text, value jsonb) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_jsonb_wrapper';

CREATE FUNCTION odoo_domain(field text, operator text, value timestamptz) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_timestamptz_wrapper';
CREATE FUNCTION odoo_domain(field text, operator text, value date) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_date_wrapper';
CREATE FUNCTION odoo_domain(field text, operator text, value timestamp) RETURNS odoo_domain
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    RETURN odoo_domain($1, $2, $3::timestamptz);
-- Numbers and arrays are written alike in every session.
CREATE FUNCTION odoo_domain(field text, operator text, value anyelement) RETURNS odoo_domain
    LANGUAGE c STABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    SET extra_float_digits TO 1 SET datestyle TO iso SET intervalstyle TO postgres SET timezone TO 'UTC' SET bytea_output TO hex
    AS 'MODULE_PATHNAME', 'odoo_domain_any_wrapper';

COMMENT ON FUNCTION odoo_domain(text, text, text) IS 'one condition on a field of Odoo; NULL asks for an empty field';
COMMENT ON FUNCTION odoo_domain(text, text, jsonb) IS 'one condition on a field of Odoo, with a value in JSON';
COMMENT ON FUNCTION odoo_domain(text, text, timestamptz) IS 'one condition on a time in Odoo, which has whole seconds in UTC';
COMMENT ON FUNCTION odoo_domain(text, text, timestamp) IS 'one condition on a time in Odoo, from one in the session''s time zone';
COMMENT ON FUNCTION odoo_domain(text, text, date) IS 'one condition on a date in Odoo';
COMMENT ON FUNCTION odoo_domain(text, text, anyelement) IS 'one condition on a field of Odoo, with a number, a boolean or an array';

CREATE FUNCTION odoo_domain_and(one odoo_domain, other odoo_domain) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_and_wrapper';
CREATE FUNCTION odoo_domain_or(one odoo_domain, other odoo_domain) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_or_wrapper';
CREATE FUNCTION odoo_domain_not(domain odoo_domain) RETURNS odoo_domain
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_domain_not_wrapper';
COMMENT ON FUNCTION odoo_domain_and(odoo_domain, odoo_domain) IS 'implementation of & operator';
COMMENT ON FUNCTION odoo_domain_or(odoo_domain, odoo_domain) IS 'implementation of | operator';
COMMENT ON FUNCTION odoo_domain_not(odoo_domain) IS 'implementation of ! operator';

CREATE OPERATOR & (LEFTARG = odoo_domain, RIGHTARG = odoo_domain, FUNCTION = odoo_domain_and);
CREATE OPERATOR | (LEFTARG = odoo_domain, RIGHTARG = odoo_domain, FUNCTION = odoo_domain_or);
CREATE OPERATOR ! (RIGHTARG = odoo_domain, FUNCTION = odoo_domain_not);
COMMENT ON OPERATOR & (odoo_domain, odoo_domain) IS 'records that meet both domains';
COMMENT ON OPERATOR | (odoo_domain, odoo_domain) IS 'records that meet a domain or the other; & and | bind alike, from the left';
COMMENT ON OPERATOR ! (NONE, odoo_domain) IS 'records that do not meet the domain';

CREATE FUNCTION odoo_search(
    model text, domain odoo_domain DEFAULT '[]', order_by text DEFAULT 'id', max_rows bigint DEFAULT NULL,
    skip_rows bigint DEFAULT NULL, server text DEFAULT NULL, context jsonb DEFAULT NULL
) RETURNS SETOF bigint
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_search_wrapper';
COMMENT ON FUNCTION odoo_search(text, odoo_domain, text, bigint, bigint, text, jsonb) IS
    'ids of the records of an Odoo model that meet a domain, archived ones included';

CREATE FUNCTION odoo_count(
    model text, domain odoo_domain DEFAULT '[]', server text DEFAULT NULL, context jsonb DEFAULT NULL
) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_count_wrapper';
COMMENT ON FUNCTION odoo_count(text, odoo_domain, text, jsonb) IS
    'number of records of an Odoo model that meet a domain, archived ones included';

CREATE FUNCTION odoo_read(
    model text, domain odoo_domain DEFAULT '[]', fields text[] DEFAULT NULL, max_rows bigint DEFAULT NULL,
    skip_rows bigint DEFAULT NULL, order_by text DEFAULT 'id', server text DEFAULT NULL, context jsonb DEFAULT NULL
) RETURNS TABLE (id bigint, data jsonb)
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_read_wrapper';
COMMENT ON FUNCTION odoo_read(text, odoo_domain, text[], bigint, bigint, text, text, jsonb) IS
    'records of an Odoo model that meet a domain, archived ones included, each as Odoo returns it';

CREATE FUNCTION odoo_fields(model text, server text DEFAULT NULL)
RETURNS TABLE (
    name text, type text, label text, relation text, required boolean, stored boolean, readonly boolean,
    company_dependent boolean, selection jsonb, help text
)
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_fields_wrapper';
COMMENT ON FUNCTION odoo_fields(text, text) IS 'fields of an Odoo model that the user may read';

CREATE FUNCTION odoo_models(server text DEFAULT NULL)
RETURNS TABLE (model text, name text)
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_models_wrapper';
COMMENT ON FUNCTION odoo_models(text) IS 'models of Odoo that the user may read';

CREATE FUNCTION odoo_create(model text, field_values jsonb, server text DEFAULT NULL) RETURNS SETOF bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_create_wrapper';
COMMENT ON FUNCTION odoo_create(text, jsonb, text) IS
    'makes records in Odoo, from an object or an array of them, and returns their ids; a rollback does not undo it';

CREATE FUNCTION odoo_write(model text, ids bigint[], field_values jsonb, server text DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_write_wrapper';
COMMENT ON FUNCTION odoo_write(text, bigint[], jsonb, text) IS
    'gives records in Odoo new values; a rollback does not undo it';

CREATE FUNCTION odoo_unlink(model text, ids bigint[], server text DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_unlink_wrapper';
COMMENT ON FUNCTION odoo_unlink(text, bigint[], text) IS
    'deletes records in Odoo; a rollback does not undo it';

CREATE FUNCTION odoo_call(
    model text, method text, args jsonb DEFAULT '[]', kwargs jsonb DEFAULT '{}', server text DEFAULT NULL
) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_call_wrapper';
COMMENT ON FUNCTION odoo_call(text, text, jsonb, jsonb, text) IS
    'calls a public method of an Odoo model, on the records that "ids" in kwargs names; a rollback does not undo it. '
    'Over XML-RPC a result that holds None is NULL';
CREATE FUNCTION "odoo_import_comments"(
	"schema_name" TEXT,
	"table_name" TEXT
) RETURNS SETOF TEXT
SET search_path TO pg_catalog, pg_temp
STRICT
LANGUAGE c
AS 'MODULE_PATHNAME', 'odoo_import_comments_wrapper';

-- IMPORT FOREIGN SCHEMA takes CREATE FOREIGN TABLE from a wrapper and nothing else; what it made
-- gets its comments when it has ended.
CREATE FUNCTION odoo_comment_imported() RETURNS event_trigger
SET search_path TO pg_catalog, pg_temp
LANGUAGE plpgsql AS $$
DECLARE
    -- The extension's schema may have been renamed.
    home regnamespace := (SELECT extnamespace FROM pg_extension WHERE extname = 'odoo_etl');
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
            EXECUTE format('SELECT %s.odoo_import_comments($1, $2)', home) USING imported.schema_name, imported.table_name
        LOOP
            EXECUTE statement;
        END LOOP;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION odoo_comment_imported() IS 'comments on the tables that IMPORT FOREIGN SCHEMA made';
COMMENT ON FUNCTION odoo_import_comments(text, text) IS 'the comments on a table that was just imported; a part of odoo_comment_imported()';

CREATE EVENT TRIGGER odoo_comment_imported ON ddl_command_end
WHEN TAG IN ('IMPORT FOREIGN SCHEMA') EXECUTE FUNCTION odoo_comment_imported();
COMMENT ON EVENT TRIGGER odoo_comment_imported IS 'labels of Odoo as comments on imported foreign tables';

CREATE FUNCTION odoo_fdw_handler() RETURNS fdw_handler
STRICT LANGUAGE c SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'odoo_fdw_handler_wrapper';
COMMENT ON FUNCTION odoo_fdw_handler() IS 'what PostgreSQL calls for foreign tables of odoo_fdw';
ALTER FOREIGN DATA WRAPPER odoo_fdw HANDLER odoo_fdw_handler;
COMMENT ON FOREIGN DATA WRAPPER odoo_fdw IS 'Odoo servers, for the functions of odoo_etl and for foreign tables';

-- The columns of the warehouse's tables, but for deleted_at and synced_at. A test compares them.
CREATE TYPE odoo_pos_order AS (
    channel text, id bigint, reference text, ordered_at timestamp with time zone, business_date date, branch_id bigint,
    session_id bigint, customer_id bigint, employee_id bigint, user_id bigint, team_id bigint, state text,
    is_refund boolean, amount_total numeric, amount_tax numeric, amount_untaxed numeric, amount_paid numeric,
    amount_return numeric, currency text, company_id bigint, odoo_write_date timestamp with time zone
);
CREATE TYPE odoo_product AS (
    id bigint, template_id bigint, name text, sku text, barcode text, category_id bigint, brand_id bigint,
    product_type text, is_storable boolean, list_price numeric, standard_price numeric, margin numeric,
    margin_percent numeric, uom text, weight numeric, volume numeric, sale_ok boolean, purchase_ok boolean,
    available_in_pos boolean, pos_category_ids bigint[], tracking text, active boolean,
    odoo_write_date timestamp with time zone
);
CREATE TYPE odoo_partner AS (
    id bigint, name text, is_company boolean, parent_id bigint, is_customer boolean, is_vendor boolean, email text,
    phone text, mobile text, street text, city text, zip text, state text, country_code text, vat text, ref text,
    lang text, tags text[], salesperson_id bigint, team_id bigint, created_at timestamp with time zone,
    active boolean, odoo_write_date timestamp with time zone
);
CREATE TYPE odoo_employee AS (
    id bigint, name text, department_id bigint, job_id bigint, work_location_id bigint, manager_id bigint,
    user_id bigint, company_id bigint, work_email text, work_phone text, gender text, birthday date, age bigint,
    hire_date date, tenure_years numeric, departure_date date, active boolean,
    odoo_write_date timestamp with time zone
);
CREATE TYPE odoo_quant AS (
    id bigint, product_id bigint, location_id bigint, warehouse_id bigint, lot text, owner_id bigint,
    quantity numeric, reserved numeric, available numeric, unit_cost numeric, value numeric,
    in_date timestamp with time zone, currency text, company_id bigint, odoo_write_date timestamp with time zone
);
CREATE TYPE odoo_promotion AS (
    id bigint, name text, program_type text, trigger text, applies_on text, date_from date, date_to date,
    max_usage bigint, currency text, company_id bigint, rewards text, active boolean,
    odoo_write_date timestamp with time zone
);
COMMENT ON TYPE odoo_pos_order IS 'a row of all_sales as Odoo has it now, without synced_at';
COMMENT ON TYPE odoo_product IS 'a row of dim_products as Odoo has it now, without deleted_at and synced_at';
COMMENT ON TYPE odoo_partner IS 'a row of dim_customers as Odoo has it now, without deleted_at and synced_at';
COMMENT ON TYPE odoo_employee IS 'a row of dim_employees as Odoo has it now, without deleted_at and synced_at';
COMMENT ON TYPE odoo_quant IS 'a row of fact_stock as Odoo has it now, without synced_at';
COMMENT ON TYPE odoo_promotion IS 'a row of dim_promotions as Odoo has it now, without deleted_at and synced_at';

CREATE FUNCTION odoo_live(
    target text, since timestamptz DEFAULT NULL, filters odoo_domain DEFAULT '[]', max_rows bigint DEFAULT NULL,
    server text DEFAULT NULL
) RETURNS SETOF text
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp SET jit TO off
    AS 'MODULE_PATHNAME', 'odoo_live_wrapper';
COMMENT ON FUNCTION odoo_live(text, timestamptz, odoo_domain, bigint, text) IS
    'rows of a table of the warehouse as Odoo has them now, in JSON; filters is a domain over the table''s columns';

CREATE FUNCTION odoo_pos_orders(
    since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, branch_id bigint DEFAULT NULL,
    state text DEFAULT NULL, max_rows bigint DEFAULT NULL, server text DEFAULT NULL
) RETURNS SETOF odoo_pos_order
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('all_sales', NULL,
            CASE WHEN $1 IS NULL THEN '[]' ELSE odoo_domain('ordered_at', '>=', $1) END
            & CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('ordered_at', '<', $2) END
            & CASE WHEN $3 IS NULL THEN '[]' ELSE odoo_domain('branch_id', '=', $3) END
            & CASE WHEN $4 IS NULL THEN '[]' ELSE odoo_domain('state', '=', $4) END,
            $5, $6) AS line, json_populate_record(NULL::odoo_pos_order, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_pos_orders(timestamptz, timestamptz, bigint, text, bigint, text) IS
    'orders of the points of sale as Odoo has them now, in the columns of all_sales; since and until are of ordered_at';

CREATE FUNCTION odoo_products(
    since timestamptz DEFAULT NULL, search text DEFAULT NULL, category_id bigint DEFAULT NULL, sku text DEFAULT NULL,
    barcode text DEFAULT NULL, max_rows bigint DEFAULT NULL, server text DEFAULT NULL
) RETURNS SETOF odoo_product
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('dim_products', $1,
            CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('name', 'ilike', $2) | odoo_domain('sku', 'ilike', $2)
                | odoo_domain('barcode', 'ilike', $2) END
            & CASE WHEN $3 IS NULL THEN '[]' ELSE odoo_domain('category_id', '=', $3) END
            & CASE WHEN $4 IS NULL THEN '[]' ELSE odoo_domain('sku', '=', $4) END
            & CASE WHEN $5 IS NULL THEN '[]' ELSE odoo_domain('barcode', '=', $5) END,
            $6, $7) AS line, json_populate_record(NULL::odoo_product, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_products(timestamptz, text, bigint, text, text, bigint, text) IS
    'products as Odoo has them now, in the columns of dim_products; since is when they changed';

CREATE FUNCTION odoo_partners(
    since timestamptz DEFAULT NULL, search text DEFAULT NULL, is_customer boolean DEFAULT NULL,
    is_vendor boolean DEFAULT NULL, max_rows bigint DEFAULT NULL, server text DEFAULT NULL
) RETURNS SETOF odoo_partner
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('dim_customers', $1,
            CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('name', 'ilike', $2) | odoo_domain('email', 'ilike', $2)
                | odoo_domain('phone', 'ilike', $2) | odoo_domain('ref', 'ilike', $2)
                | odoo_domain('vat', 'ilike', $2) END
            & CASE WHEN $3 IS NULL THEN '[]' ELSE odoo_domain('is_customer', '=', $3) END
            & CASE WHEN $4 IS NULL THEN '[]' ELSE odoo_domain('is_vendor', '=', $4) END,
            $5, $6) AS line, json_populate_record(NULL::odoo_partner, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_partners(timestamptz, text, boolean, boolean, bigint, text) IS
    'partners as Odoo has them now, in the columns of dim_customers; since is when they changed';

CREATE FUNCTION odoo_employees(
    since timestamptz DEFAULT NULL, department_id bigint DEFAULT NULL, max_rows bigint DEFAULT NULL,
    server text DEFAULT NULL
) RETURNS SETOF odoo_employee
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('dim_employees', $1,
            CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('department_id', '=', $2) END,
            $3, $4) AS line, json_populate_record(NULL::odoo_employee, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_employees(timestamptz, bigint, bigint, text) IS
    'employees as Odoo has them now, in the columns of dim_employees; since is when they changed';

CREATE FUNCTION odoo_stock(
    since timestamptz DEFAULT NULL, product_id bigint DEFAULT NULL, location_id bigint DEFAULT NULL,
    warehouse_id bigint DEFAULT NULL, max_rows bigint DEFAULT NULL, server text DEFAULT NULL
) RETURNS SETOF odoo_quant
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('fact_stock', $1,
            CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('product_id', '=', $2) END
            & CASE WHEN $3 IS NULL THEN '[]' ELSE odoo_domain('location_id', '=', $3) END
            & CASE WHEN $4 IS NULL THEN '[]' ELSE odoo_domain('warehouse_id', '=', $4) END,
            $5, $6) AS line, json_populate_record(NULL::odoo_quant, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_stock(timestamptz, bigint, bigint, bigint, bigint, text) IS
    'stock as Odoo has it now, in the columns of fact_stock; since is when it changed';

CREATE FUNCTION odoo_promotions(
    since timestamptz DEFAULT NULL, active boolean DEFAULT NULL, max_rows bigint DEFAULT NULL,
    server text DEFAULT NULL
) RETURNS SETOF odoo_promotion
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('dim_promotions', $1,
            CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('active', '=', $2) END,
            $3, $4) AS line, json_populate_record(NULL::odoo_promotion, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_promotions(timestamptz, boolean, bigint, text) IS
    'promotions as Odoo has them now, in the columns of dim_promotions; since is when they changed';

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

SELECT pg_catalog.pg_extension_config_dump('odoo_sync_denied', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_mirrors', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_added_columns', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_sync_added_columns_position_seq', '');

CREATE VIEW odoo_mirrors WITH (security_barrier) AS
SELECT server, target, model, fields, domain, keep_deleted, role, since
FROM odoo_sync_mirrors
WHERE odoo_server_visible(server)
ORDER BY server, target;
COMMENT ON VIEW odoo_mirrors IS 'the models that users mirror';

GRANT SELECT ON odoo_mirrors TO PUBLIC;

CREATE FUNCTION odoo_mirror(
    model text, target text DEFAULT NULL, fields text[] DEFAULT NULL, domain odoo_domain DEFAULT '[]',
    keep_deleted boolean DEFAULT false, server text DEFAULT NULL
) RETURNS TABLE (column_name text, column_type text, label text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_mirror_wrapper';
COMMENT ON FUNCTION odoo_mirror(text, text, text[], odoo_domain, boolean, text) IS
    'makes a table of any Odoo model, which runs keep in step from then on as an entity of its own; without fields it has all stored ones, also those that are to come';

CREATE FUNCTION odoo_mirror_drop(target text, server text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_mirror_drop_wrapper';
COMMENT ON FUNCTION odoo_mirror_drop(text, text) IS 'drops the table of a mirror, and forgets it';

CREATE FUNCTION odoo_add_column(
    target text, field text, column_name text DEFAULT NULL, server text DEFAULT NULL
) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_add_column_wrapper';
COMMENT ON FUNCTION odoo_add_column(text, text, text, text) IS
    'adds a column of an Odoo field to a table of the warehouse; the next run fills it; returns its type';

CREATE FUNCTION odoo_drop_column(target text, column_name text, server text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_drop_column_wrapper';
COMMENT ON FUNCTION odoo_drop_column(text, text, text) IS 'drops a column that odoo_add_column added';

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

SELECT pg_catalog.pg_extension_config_dump('odoo_sync_unwatched', '');

-- Loads entities and commits page by page. What a scheduler runs: a cancel or a crash loses the
-- current page at most, and the next job goes on where this one stopped. With scheduled => true,
-- as odoo_schedule() has it, entities that failed wait a while, and a refused login stops the jobs.
-- A procedure that commits has no search_path of its own, so every name has its schema; that of the
-- extension may have been renamed.
CREATE OR REPLACE PROCEDURE odoo_sync_job(
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
COMMENT ON FUNCTION odoo_unschedule(text, text, boolean) IS 'ends a schedule of the current user';
COMMENT ON FUNCTION odoo_resume(text) IS
    'lets scheduled jobs run again that a refused login stopped, or that wait after failures';
COMMENT ON FUNCTION odoo_sync_job_begin(text, text, boolean, boolean, boolean) IS 'a part of odoo_sync_job()';
COMMENT ON FUNCTION odoo_sync_job_step() IS 'a part of odoo_sync_job()';
COMMENT ON FUNCTION odoo_sync_job_end() IS 'a part of odoo_sync_job()';
COMMENT ON FUNCTION odoo_fdw_validator(text[], oid) IS 'what PostgreSQL calls for the options of odoo_fdw';
COMMENT ON FUNCTION odoo_domain_in(cstring) IS 'I/O';
COMMENT ON FUNCTION odoo_domain_out(odoo_domain) IS 'I/O';

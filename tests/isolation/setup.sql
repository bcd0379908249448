-- What the specs share. The test sets test.fake to the address of the fake Odoo.

-- The sessions run with these; a wait is an error soon, and not a hang.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = shop, public', current_database());
    EXECUTE format('ALTER DATABASE %I SET client_min_messages = warning', current_database());
    EXECUTE format('ALTER DATABASE %I SET lock_timeout = %L', current_database(), '5s');
    EXECUTE format('ALTER DATABASE %I SET statement_timeout = %L', current_database(), '60s');
END
$$;

-- A server that fills the schema of its name, from a fake of that behaviour.
CREATE PROCEDURE lead(server text, behaviour text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE SERVER %1$I FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url %2$L, database ''demo'', schema %1$L, retries ''0'')',
        server, current_setting('test.fake') || '/' || behaviour
    );
    EXECUTE format(
        'CREATE USER MAPPING FOR CURRENT_USER SERVER %I OPTIONS (login ''admin'', password ''admin'')', server
    );
END
$$;

-- Nothing but a server, and its tables: with rows, or without.
CREATE PROCEDURE shop(behaviour text, is_loaded boolean) LANGUAGE plpgsql AS $$
BEGIN
    DROP SCHEMA IF EXISTS shop, fresh CASCADE;
    DROP EXTENSION IF EXISTS odoo_etl CASCADE;
    CREATE EXTENSION odoo_etl SCHEMA public;
    CALL lead('shop', behaviour);
    PERFORM odoo_sync_all();
    IF NOT is_loaded THEN
        -- With their keys: to make those at the end of a first load locks tables.
        EXECUTE (SELECT 'TRUNCATE ' || string_agg(format('%I.%I', schemaname, tablename), ', ')
            FROM pg_tables WHERE schemaname = 'shop');
        PERFORM odoo_forget('shop');
    END IF;
END
$$;

-- What becomes of a statement: 'done', or its error, in which processes have their sessions' names.
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
    process record;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL;
    FOR process IN SELECT pid, split_part(application_name, '/', 3) AS name FROM pg_stat_activity LOOP
        told := regexp_replace(told, format('\mPID %s\M', process.pid), 'the PID of ' || process.name);
    END LOOP;
    RETURN concat_ws(' ', SQLSTATE, SQLERRM || '.', told);
END
$$;

-- The tables in which the shop differs from one that is loaded at once, in which rows.
CREATE FUNCTION differences() RETURNS TABLE (target text, contents jsonb) LANGUAGE plpgsql AS $$
DECLARE
    rows_of constant text := 'SELECT to_jsonb(t) - ''synced_at'' FROM %I.%I AS t';
    open constant text := 'SELECT to_jsonb(t) FROM (SELECT target, channel, row_id, column_name, missing_id '
        'FROM %I.%I WHERE resolved_at IS NULL) AS t';
    behaviour text := (
        SELECT substring(option_value FROM '//[^/]+/(.*)') FROM pg_foreign_server, pg_options_to_table(srvoptions)
        WHERE srvname = 'shop' AND option_name = 'url'
    );
    -- Numbered, and dated by when they were read.
    days constant text := 'SELECT to_jsonb(t) - ''{id,taken_at}''::text[] FROM %I.%I AS t';
    query text;
BEGIN
    CALL lead('fresh', behaviour);
    PERFORM odoo_sync_all('fresh');
    FOR target IN SELECT tablename FROM pg_tables WHERE schemaname = 'fresh' AND tablename <> 'odoo_deleted' ORDER BY tablename LOOP
        query := CASE target WHEN 'missing_data' THEN open WHEN 'fact_stock_daily' THEN days ELSE rows_of END;
        RETURN QUERY EXECUTE format(
            'SELECT %3$L, * FROM ((%1$s EXCEPT %2$s) UNION ALL (%2$s EXCEPT %1$s)) AS different',
            format(query, 'shop', target), format(query, 'fresh', target), target
        );
    END LOOP;
END
$$;

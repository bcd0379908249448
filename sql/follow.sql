CREATE FUNCTION odoo_etl.follow_begin(entity text, every interval, until interval, server text) RETURNS void
    LANGUAGE c VOLATILE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_follow_begin_wrapper';
CREATE FUNCTION odoo_etl.follow_step() RETURNS double precision
    LANGUAGE c VOLATILE STRICT SET search_path TO pg_catalog, pg_temp SET jit TO off
    AS 'MODULE_PATHNAME', 'odoo_follow_step_wrapper';
CREATE FUNCTION odoo_etl.follow_end() RETURNS void
    LANGUAGE c VOLATILE STRICT SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_follow_end_wrapper';
COMMENT ON FUNCTION odoo_etl.follow_begin(text, interval, interval, text) IS 'a part of odoo_follow()';
COMMENT ON FUNCTION odoo_etl.follow_step() IS 'a part of odoo_follow()';
COMMENT ON FUNCTION odoo_etl.follow_end() IS 'a part of odoo_follow()';

-- A job that stays: it looks for changes every few seconds, or when odoo_wake() says so, loads them, and ends after a
-- while, so that a scheduler begins it anew. What is said of odoo_sync_job holds here too.
CREATE PROCEDURE odoo_follow(
    entity text,
    every interval DEFAULT '5 seconds',
    until interval DEFAULT '55 seconds',
    server text DEFAULT NULL
) LANGUAGE plpgsql AS $$
DECLARE
    -- A member of the extension, or where all of it is.
    home pg_catalog.regnamespace := (
        SELECT coalesce(own.objid, extnamespace) FROM pg_catalog.pg_extension
        LEFT JOIN pg_catalog.pg_depend AS own
          ON own.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
         AND own.refobjid OPERATOR(pg_catalog.=) pg_extension.oid
         AND own.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
        WHERE extname OPERATOR(pg_catalog.=) 'odoo_etl'::pg_catalog.name
    );
    step pg_catalog.text := pg_catalog.format('SELECT %s.follow_step()', home);
    rest pg_catalog.float8;
BEGIN
    -- In a transaction block this is PostgreSQL's own error, before anything is asked of Odoo.
    COMMIT;
    -- In others a page would fail where somebody else writes the state while Odoo is asked.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    EXECUTE pg_catalog.format('SELECT %s.follow_begin($1, $2, $3, $4)', home) USING entity, every, until, server;
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    LOOP
        EXECUTE step INTO rest;
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        EXIT WHEN rest IS NULL;
        -- No snapshot lasts longer than one of these.
        PERFORM pg_catalog.pg_sleep(rest);
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    END LOOP;
    EXECUTE pg_catalog.format('SELECT %s.follow_end()', home);
END
$$;
COMMENT ON PROCEDURE odoo_follow(text, interval, interval, text) IS
    'loads changes of an entity, or all, within seconds, for so long';

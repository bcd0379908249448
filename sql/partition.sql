CREATE OR REPLACE FUNCTION odoo_etl.partition_step(target text, rows bigint, server text) RETURNS boolean
    LANGUAGE c VOLATILE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_partition_step_wrapper';
COMMENT ON FUNCTION odoo_etl.partition_step(text, bigint, text) IS 'a part of odoo_partition()';

-- Puts a table in partitions by ranges of its ids, and commits step by step: what takes long, others go on
-- beside. Whoever calls it again goes on. As odoo_sync_job, it has no search_path of its own.
CREATE OR REPLACE PROCEDURE odoo_partition(target text, rows bigint DEFAULT 5000000, server text DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
    home pg_catalog.regnamespace := (
        SELECT coalesce(own.objid, extnamespace) FROM pg_catalog.pg_extension
        LEFT JOIN pg_catalog.pg_depend AS own
          ON own.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
         AND own.refobjid OPERATOR(pg_catalog.=) pg_extension.oid
         AND own.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
        WHERE extname OPERATOR(pg_catalog.=) 'odoo_etl'::pg_catalog.name
    );
    step pg_catalog.text := pg_catalog.format('SELECT %s.partition_step($1, $2, $3)', home);
    more pg_catalog.bool := true;
BEGIN
    -- In a transaction block this is PostgreSQL's own error.
    COMMIT;
    WHILE more LOOP
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        EXECUTE step INTO more USING target, rows, server;
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE odoo_partition(text, bigint, text) IS
    'puts a fact, a mirror or a history in partitions of so many ids each, now or when the table is made';

CREATE FUNCTION odoo_retain(entity text, keep interval, server text DEFAULT NULL, drop_tables boolean DEFAULT false)
RETURNS TABLE (target text, partition text, from_id bigint, to_id bigint)
    LANGUAGE c VOLATILE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_retain_wrapper';
COMMENT ON FUNCTION odoo_retain(text, interval, text, boolean) IS
    'detaches the partitions of an entity''s tables whose rows are all older, and leaves their records out from then on';

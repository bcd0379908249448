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

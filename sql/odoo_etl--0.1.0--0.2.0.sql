-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION odoo_etl UPDATE TO '0.2.0'" to load this file. \quit

CREATE FUNCTION "odoo_version"(
	"server" TEXT DEFAULT NULL
) RETURNS TEXT
SET search_path TO pg_catalog, pg_temp
LANGUAGE c
AS 'MODULE_PATHNAME', 'odoo_version_wrapper';

-- What CREATE EXTENSION brings.
CREATE EXTENSION odoo_etl;
SELECT pg_describe_object(classid, objid, 0) AS object
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'odoo_etl')
ORDER BY 1;

-- Only superusers may make it.
CREATE ROLE ordinary;
GRANT CREATE ON DATABASE regression TO ordinary;
DROP EXTENSION odoo_etl;
SET ROLE ordinary;
CREATE EXTENSION odoo_etl;
RESET ROLE;
CREATE EXTENSION odoo_etl;

-- An unprivileged role cannot write, or read, what the extension remembers.
SET ROLE ordinary;
INSERT INTO odoo_sync_state VALUES ('x', 'y', 'ok', now(), now(), now(), 0, NULL);
TABLE odoo_sync_state;
RESET ROLE;
REVOKE CREATE ON DATABASE regression FROM ordinary;
DROP ROLE ordinary;

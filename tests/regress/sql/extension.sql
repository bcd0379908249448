-- What CREATE EXTENSION brings; from PostgreSQL 17 on also the types of its rows, and of arrays of its types.
CREATE EXTENSION odoo_etl;
SELECT pg_describe_object(classid, objid, 0) AS object
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'odoo_etl')
  AND NOT (classid = 'pg_type'::regclass AND objid IN (
      SELECT oid FROM pg_type WHERE typcategory = 'A' OR typrelid IN (SELECT oid FROM pg_class WHERE relkind <> 'c')))
ORDER BY replace(pg_describe_object(classid, objid, 0), '"', '');

-- Every function has a comment, and its arguments have names.
SELECT oid::regprocedure AS function FROM pg_proc
WHERE (proname LIKE E'odoo\\_%' OR pronamespace = 'odoo_etl'::regnamespace)
  AND (obj_description(oid, 'pg_proc') IS NULL OR pronargs > 0 AND proargnames IS NULL);

-- What users call is where CREATE EXTENSION puts it. What is the extension's own has a schema of its own, which goes
-- with it.
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname LIKE E'odoo\\_%';
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'odoo_etl'::regnamespace ORDER BY relname;
DROP EXTENSION odoo_etl;
\dn odoo_etl
CREATE EXTENSION odoo_etl;

-- Only superusers may make it.
CREATE ROLE ordinary;
GRANT CREATE ON DATABASE regression TO ordinary;
DROP EXTENSION odoo_etl;
SET ROLE ordinary;
CREATE EXTENSION odoo_etl;
RESET ROLE;
CREATE EXTENSION odoo_etl;

-- An unprivileged role cannot write what the extension remembers, and sees of it what concerns
-- servers that it may use.
SET ROLE ordinary;
INSERT INTO odoo_etl.stops VALUES ('x', 'y', 'z');
DELETE FROM odoo_sync_log;
UPDATE odoo_quarantine SET error = '';
TABLE odoo_etl.state;
TABLE odoo_sync_log;
TABLE odoo_quarantine;
RESET ROLE;
REVOKE CREATE ON DATABASE regression FROM ordinary;
DROP ROLE ordinary;

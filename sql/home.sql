-- The schema of the extension's own tables, and of functions that nobody else calls. It is made here, or it is the one
-- that CREATE EXTENSION names: the first of the path.
DO $$
BEGIN
    IF current_schema() <> 'odoo_etl' THEN
        IF to_regnamespace('odoo_etl') IS NOT NULL THEN
            RAISE duplicate_schema USING
                MESSAGE = 'schema "odoo_etl" already exists',
                DETAIL = 'The extension makes it, for its own tables.',
                HINT = 'ALTER SCHEMA odoo_etl RENAME TO …; or, to have all of the extension in it: CREATE EXTENSION odoo_etl SCHEMA odoo_etl;';
        END IF;
        CREATE SCHEMA odoo_etl;
        COMMENT ON SCHEMA odoo_etl IS 'tables and functions of the extension odoo_etl that it alone uses';
        -- Of roles that run a job or make a table with a trigger.
        GRANT USAGE ON SCHEMA odoo_etl TO PUBLIC;
    ELSIF EXISTS (
        SELECT FROM pg_namespace AS home CROSS JOIN LATERAL (
            SELECT home.nspowner UNION SELECT grantee FROM aclexplode(home.nspacl) WHERE privilege_type = 'CREATE'
        ) AS maker (role)
        LEFT JOIN pg_roles ON pg_roles.oid = maker.role
        WHERE home.nspname = 'odoo_etl' AND rolsuper IS NOT TRUE
    ) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = 'schema "odoo_etl" is open to others than superusers',
            DETAIL = 'Who owns it, or may create objects in it, could put others in the place of the extension''s own.',
            HINT = 'Give it to a superuser, and nobody else CREATE: ALTER SCHEMA odoo_etl OWNER TO …; REVOKE CREATE ON SCHEMA odoo_etl FROM …;';
    END IF;
END
$$;

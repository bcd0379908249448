-- What the extension remembers of each table's runs. Only its functions write it.
CREATE TABLE odoo_sync_state (
    server text NOT NULL,
    target text NOT NULL,
    status text NOT NULL,
    last_started timestamp with time zone NOT NULL,
    last_finished timestamp with time zone NOT NULL,
    last_success timestamp with time zone,
    rows_fetched bigint NOT NULL,
    last_error text,
    PRIMARY KEY (server, target)
);
COMMENT ON TABLE odoo_sync_state IS 'how the last run of each table ended, per server';

SELECT pg_catalog.pg_extension_config_dump('odoo_sync_state', '');

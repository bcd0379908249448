//! References to records that Odoo did not give.

use super::{Feed, ddl};
use crate::quote::literal;

/// What a load could not resolve; its rows name tables, columns and Odoo's ids.
pub const MISSING_DATA: &str = "missing_data";

/// The condition under which a row of it is about rows of a feed of a table.
pub fn condition(table: &str, feed: &Feed, alias: &str) -> String {
    let (table, channel) = (literal(table), literal(feed.channel_or_none()));
    format!("{alias}.target = {table} AND {alias}.channel = {channel}")
}

/// The statements that make it.
pub fn create_table(schema: &str) -> String {
    let table = ddl::qualified(schema, MISSING_DATA);
    format!(
        "CREATE TABLE {table} (
            target text NOT NULL,
            channel text NOT NULL DEFAULT '',
            row_id bigint NOT NULL,
            column_name text NOT NULL,
            odoo_model text NOT NULL,
            missing_id bigint NOT NULL,
            first_seen timestamp with time zone NOT NULL DEFAULT now(),
            last_seen timestamp with time zone NOT NULL DEFAULT now(),
            attempts bigint NOT NULL DEFAULT 1,
            last_error text,
            resolved_at timestamp with time zone,
            PRIMARY KEY (target, channel, row_id, column_name)
        );
        CREATE INDEX ON {table} (target, channel, column_name) WHERE resolved_at IS NULL;
        COMMENT ON TABLE {table} IS 'References to records that Odoo did not give: the column is NULL in the row until the record arrives';
        COMMENT ON COLUMN {table}.target IS 'table that holds the row';
        COMMENT ON COLUMN {table}.channel IS 'channel of the row, in tables that have one';
        COMMENT ON COLUMN {table}.row_id IS 'id of the row';
        COMMENT ON COLUMN {table}.column_name IS 'the reference that is NULL for it';
        COMMENT ON COLUMN {table}.odoo_model IS 'model of the missing record';
        COMMENT ON COLUMN {table}.missing_id IS 'Odoo''s id of the missing record';
        COMMENT ON COLUMN {table}.first_seen IS 'when a run first met it';
        COMMENT ON COLUMN {table}.last_seen IS 'when a run asked for it last';
        COMMENT ON COLUMN {table}.attempts IS 'how often it was asked for in vain';
        COMMENT ON COLUMN {table}.last_error IS 'why Odoo did not give it, where it said so';
        COMMENT ON COLUMN {table}.resolved_at IS 'when the reference was restored, or no longer there';"
    )
}

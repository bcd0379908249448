//! Rows of facts that are gone because Odoo no longer has the record.

use super::{Feed, ddl};
use crate::quote::literal;

/// What tells others which rows to let go of, too.
pub const ODOO_DELETED: &str = "odoo_deleted";

/// The condition under which a row of it is about rows of a feed of a table.
pub fn condition(table: &str, feed: &Feed, alias: &str) -> String {
    let (table, channel) = (literal(table), literal(feed.channel_or_none()));
    format!("{alias}.target = {table} AND {alias}.channel = {channel}")
}

/// The statements that make it.
pub fn create_table(schema: &str) -> String {
    let table = ddl::qualified(schema, ODOO_DELETED);
    format!(
        "CREATE TABLE {table} (
            target text NOT NULL,
            channel text NOT NULL DEFAULT '',
            id bigint NOT NULL,
            deleted_at timestamp with time zone NOT NULL,
            PRIMARY KEY (target, channel, id)
        );
        CREATE INDEX ON {table} (deleted_at);
        COMMENT ON TABLE {table} IS 'Rows of facts that were deleted here because Odoo no longer has them, and are not back; kept for odoo_etl.deleted_retention';
        COMMENT ON COLUMN {table}.target IS 'table that held the row';
        COMMENT ON COLUMN {table}.channel IS 'channel of the row, in tables that have one';
        COMMENT ON COLUMN {table}.id IS 'id of the row';
        COMMENT ON COLUMN {table}.deleted_at IS 'when it was deleted here, by the clock of synced_at';"
    )
}

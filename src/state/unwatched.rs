//! Tables whose rows may have been edited unseen: all of them are read again.

use std::time::SystemTime;

use super::store::{Extension, FeedKey};
use crate::failure::Failure;
use crate::quote::ident;

const TABLE: &str = "odoo_sync_unwatched";

impl Extension {
    /// Remembers that a table's rows may have been edited unseen.
    pub fn doubt(&self, server: &str, table: &str, channels: Vec<String>) -> Result<(), Failure> {
        if !self.has(TABLE)? {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO {}.{TABLE} (server, target, channel) SELECT $1, $2, unnest($3::text[]) \
             ON CONFLICT (server, target, channel) DO UPDATE SET since = now()",
            ident(&self.schema)
        );
        self.write(&sql, &[server.into(), table.into(), channels.into()])
    }

    /// Whether rows of a feed may have been edited unseen.
    pub fn is_in_doubt(&self, of: FeedKey<'_>) -> Result<bool, Failure> {
        if !self.has(TABLE)? {
            return Ok(false);
        }
        let sql = format!(
            "SELECT 1 FROM {}.{TABLE} WHERE server = $1 AND target = $2 AND channel = $3",
            ident(&self.schema)
        );
        let args = [of.server.into(), of.table.into(), of.channel.into()];
        Ok(!self.read(&sql, &args, |row| row.get::<i32>(1))?.is_empty())
    }

    /// After all rows of a feed were read, from `started` on: they are in no doubt.
    pub fn vouch(&self, of: FeedKey<'_>, started: SystemTime) -> Result<(), Failure> {
        if !self.is_in_doubt(of)? {
            return Ok(());
        }
        let sql = format!(
            "DELETE FROM {}.{TABLE} WHERE server = $1 AND target = $2 AND channel = $3 AND since < to_timestamp($4)",
            ident(&self.schema)
        );
        let started = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let args =
            [of.server.into(), of.table.into(), of.channel.into(), started.as_secs_f64().into()];
        self.write(&sql, &args)
    }
}

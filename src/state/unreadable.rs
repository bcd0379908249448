//! What Odoo keeps from a table's rows, so that the table is read again when Odoo gives it.

use super::store::{Extension, FeedKey};
use crate::failure::Failure;
use crate::quote::ident;

const TABLE: &str = "odoo_sync_denied";

/// The values of a model; or with a relation of a table's model, the changes that it tells.
pub struct Kept {
    pub model: String,
    /// Empty for the values.
    pub relation: String,
}

impl Extension {
    /// Remembers what was kept from a feed's rows.
    pub fn note_denied(&self, of: FeedKey<'_>, kept: Vec<Kept>) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {}.{TABLE} (server, target, channel, model, relation) \
             SELECT $1, $2, $3, * FROM unnest($4::text[], $5::text[]) ON CONFLICT DO NOTHING",
            ident(&self.schema)
        );
        let (models, relations): (Vec<_>, Vec<_>) =
            kept.into_iter().map(|kept| (kept.model, kept.relation)).unzip();
        let args =
            [of.server.into(), of.table.into(), of.channel.into(), models.into(), relations.into()];
        self.write(&sql, &args)
    }

    pub fn denied(&self, of: FeedKey<'_>) -> Result<Vec<Kept>, Failure> {
        let sql = format!(
            "SELECT model, relation FROM {}.{TABLE} WHERE server = $1 AND target = $2 AND channel = $3",
            ident(&self.schema)
        );
        let args = [of.server.into(), of.table.into(), of.channel.into()];
        self.read(&sql, &args, |row| {
            Ok(Kept {
                model: row.get(1)?.unwrap_or_default(),
                relation: row.get(2)?.unwrap_or_default(),
            })
        })
    }

    pub fn forget_denied(&self, of: FeedKey<'_>) -> Result<(), Failure> {
        let sql = format!(
            "DELETE FROM {}.{TABLE} WHERE server = $1 AND target = $2 AND channel = $3",
            ident(&self.schema)
        );
        self.write(&sql, &[of.server.into(), of.table.into(), of.channel.into()])
    }
}

//! What Odoo keeps from a table's rows, so that the table is read again when Odoo gives it: table
//! denied.

use super::store::{FeedKey, OF_FEED, Store, text};
use crate::failure::Failure;

const DENIED: &str = "denied";

/// The values of a model; or with a relation of a table's model, the changes that it tells.
pub struct Kept {
    pub model: String,
    /// Empty for the values.
    pub relation: String,
}

impl Store {
    /// Remembers what was kept from a feed's rows.
    ///
    /// Durable with the caller's transaction, which has written the rows without it.
    pub fn note_unreadable(&self, of: FeedKey<'_>, kept: Vec<Kept>) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {} (server, target, channel, model, relation) \
             SELECT $1, $2, $3, * FROM unnest($4::text[], $5::text[]) ON CONFLICT DO NOTHING",
            self.table(DENIED)
        );
        let (models, relations): (Vec<_>, Vec<_>) =
            kept.into_iter().map(|kept| (kept.model, kept.relation)).unzip();
        self.write(&sql, &of.args([models.into(), relations.into()]))
    }

    pub fn unreadable(&self, of: FeedKey<'_>) -> Result<Vec<Kept>, Failure> {
        let sql = format!("SELECT model, relation FROM {} WHERE {OF_FEED}", self.table(DENIED));
        self.read(&sql, &of.args([]), |row| {
            Ok(Kept { model: text(&row, 1)?, relation: text(&row, 2)? })
        })
    }

    /// Forgets what was kept from rows that are read anew.
    ///
    /// Durable with the caller's transaction, which has written the last of them.
    pub fn forget_unreadable(&self, of: FeedKey<'_>) -> Result<(), Failure> {
        let sql = format!("DELETE FROM {} WHERE {OF_FEED}", self.table(DENIED));
        self.write(&sql, &of.args([]))
    }
}

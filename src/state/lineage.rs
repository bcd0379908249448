//! Where each column of a table comes from: table columns.

use super::store::{FeedKey, OF_FEED, Store, text};
use crate::failure::Failure;

const COLUMNS: &str = "columns";

/// Name, type, model, field and kind of a column.
pub type Lineage = [Option<String>; 5];

impl Store {
    /// Whether it is known where a table's columns come from.
    pub fn knows_columns(&self, of: FeedKey<'_>) -> Result<bool, Failure> {
        let sql = format!("SELECT EXISTS (SELECT FROM {} WHERE {OF_FEED})", self.table(COLUMNS));
        self.is_true(&sql, &of.args([]))
    }

    /// The columns of a table that Odoo gave of no row when they were last read, or perhaps not of
    /// all: those without a field, and what others show where their models are denied.
    pub fn unknown_columns(&self, server: &str, target: &str) -> Result<Vec<String>, Failure> {
        let sql = format!(
            "SELECT column_name FROM {} AS own WHERE server = $1 AND target = $2 \
             AND kind IN ('field', 'reference') AND (odoo_field IS NULL OR odoo_field LIKE '%.%' \
               AND EXISTS (SELECT FROM {} AS denied WHERE denied.server = own.server \
                 AND denied.target = own.target AND denied.relation = ''))",
            self.table(COLUMNS),
            self.table("denied"),
        );
        self.read(&sql, &[server.into(), target.into()], |row| text(&row, 1))
    }

    /// Remembers where each column of a table comes from in this Odoo, where that has changed and
    /// the table may be written. Returns whether a column has got a field that it had not when
    /// rows were loaded before.
    ///
    /// Durable with the caller's transaction, which has to forget the table's watermark if so: the
    /// field's values are missing in rows that nothing else has read again.
    pub fn remember_columns(
        &self,
        of: FeedKey<'_>,
        rows: &[Lineage],
        may_write: impl FnOnce() -> Result<bool, Failure>,
    ) -> Result<bool, Failure> {
        let column = |index: usize| -> Vec<Option<String>> {
            rows.iter().map(|row| row[index].clone()).collect()
        };
        let args = of.args([0, 1, 2, 3, 4].map(|index| column(index).into()));
        let columns = self.table(COLUMNS);
        let fresh = format!(
            "SELECT $1, $2, $3, * FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY \
               AS fresh (column_name, column_type, odoo_model, odoo_field, kind, position) \
             EXCEPT SELECT server, target, channel, column_name, column_type, odoo_model, odoo_field, kind, position \
               FROM {columns}"
        );
        if !self.is_true(&format!("SELECT EXISTS ({fresh})"), &args)? || !may_write()? {
            return Ok(false);
        }
        let sql = format!(
            "WITH known AS (SELECT column_name, odoo_field FROM {columns} WHERE {OF_FEED}), \
             written AS (INSERT INTO {columns} \
                 (server, target, channel, column_name, column_type, odoo_model, odoo_field, kind, position) \
               {fresh} \
               ON CONFLICT (server, target, channel, column_name) DO UPDATE SET \
                 column_type = EXCLUDED.column_type, odoo_model = EXCLUDED.odoo_model, \
                 odoo_field = EXCLUDED.odoo_field, kind = EXCLUDED.kind, position = EXCLUDED.position \
               RETURNING column_name, odoo_field) \
             SELECT EXISTS (SELECT FROM known) \
               AND EXISTS (SELECT FROM written LEFT JOIN known USING (column_name) \
                 WHERE written.odoo_field IS DISTINCT FROM known.odoo_field AND written.odoo_field IS NOT NULL)"
        );
        Ok(self.change(&sql, &args, |row| row.get(1))?.contains(&Some(true)))
    }
}

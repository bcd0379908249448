//! Values that Odoo could not give, which every run asks for again.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use super::store::{Extension, FeedKey};
use crate::failure::Failure;
use crate::quote::ident;

/// A value that could not be read.
pub struct Unread {
    pub record: i64,
    /// Empty for a record of which nothing can be read.
    pub field: String,
    /// Odoo's words.
    pub error: String,
}

impl Extension {
    /// Remembers the values of a page that could not be read, and forgets those that could.
    pub fn quarantine(
        &self,
        of: FeedKey<'_>,
        model: &str,
        ids: &[i64],
        bad: &[Unread],
    ) -> Result<(), Failure> {
        let schema = ident(&self.schema);
        if !bad.is_empty() {
            let sql = format!(
                "INSERT INTO {schema}.odoo_sync_quarantine AS known (server, target, channel, model, record_id, field, error) \
                 SELECT $1, $2, $3, $4, * FROM unnest($5::bigint[], $6::text[], $7::text[]) \
                 ON CONFLICT (server, target, channel, record_id, field) DO UPDATE SET error = EXCLUDED.error, last_seen = now()"
            );
            let column = |of: fn(&Unread) -> String| bad.iter().map(of).collect::<Vec<_>>();
            let ids: Vec<i64> = bad.iter().map(|unread| unread.record).collect();
            let fields = column(|unread| unread.field.clone());
            let errors = column(|unread| unread.error.clone());
            self.write(
                &sql,
                &[
                    of.server.into(),
                    of.table.into(),
                    of.channel.into(),
                    model.into(),
                    ids.into(),
                    fields.into(),
                    errors.into(),
                ],
            )?;
        }
        let sql = format!(
            "DELETE FROM {schema}.odoo_sync_quarantine WHERE server = $1 AND target = $2 AND channel = $3 \
             AND record_id = ANY ($4) AND last_seen < now()"
        );
        self.write(
            &sql,
            &[of.server.into(), of.table.into(), of.channel.into(), ids.to_vec().into()],
        )
    }

    /// How many values are in quarantine, by table.
    pub fn count_quarantined(&self, server: &str) -> Result<HashMap<String, i64>, Failure> {
        let sql = format!(
            "SELECT target, count(*) FROM {}.odoo_sync_quarantine WHERE server = $1 GROUP BY target",
            ident(&self.schema)
        );
        let counts = self.read(&sql, &[server.into()], |row| {
            Ok((row.get(1)?.unwrap_or_default(), row.get(2)?.unwrap_or(0)))
        })?;
        Ok(counts.into_iter().collect())
    }

    /// The records of a feed with values in quarantine since before a time, by field; `""` stands
    /// for whole records.
    pub fn quarantined(
        &self,
        of: FeedKey<'_>,
        before: SystemTime,
    ) -> Result<BTreeMap<String, Vec<i64>>, Failure> {
        let sql = format!(
            "SELECT field, array_agg(record_id ORDER BY record_id) FROM {}.odoo_sync_quarantine \
             WHERE server = $1 AND target = $2 AND channel = $3 AND last_seen < to_timestamp($4) \
             GROUP BY field",
            ident(&self.schema)
        );
        let before = before.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let args =
            [of.server.into(), of.table.into(), of.channel.into(), before.as_secs_f64().into()];
        let fields = self.read(&sql, &args, |row| {
            Ok((row.get(1)?.unwrap_or_default(), row.get(2)?.unwrap_or_default()))
        })?;
        Ok(fields.into_iter().collect())
    }
}

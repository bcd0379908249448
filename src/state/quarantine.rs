//! Values that Odoo could not give, which every run asks for again: table quarantine.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use super::progress::epoch;
use super::store::{FeedKey, OF_FEED, Store};
use crate::failure::Failure;

const QUARANTINE: &str = "quarantine";

/// A value that could not be read.
pub struct Unread {
    pub record: i64,
    /// Empty for a record of which nothing can be read.
    pub field: String,
    /// Odoo's words.
    pub error: String,
}

impl Store {
    /// Remembers the values of a page that could not be read, and forgets those that could.
    ///
    /// Durable with the caller's transaction, which has written the page's rows: a value that is
    /// NULL for that reason is in quarantine, and no other.
    pub fn quarantine(
        &self,
        of: FeedKey<'_>,
        model: &str,
        ids: &[i64],
        bad: &[Unread],
    ) -> Result<(), Failure> {
        let quarantine = self.table(QUARANTINE);
        if !bad.is_empty() {
            let sql = format!(
                "INSERT INTO {quarantine} AS known (server, target, channel, model, record_id, field, error) \
                 SELECT $1, $2, $3, $4, * FROM unnest($5::bigint[], $6::text[], $7::text[]) \
                 ON CONFLICT (server, target, channel, record_id, field) DO UPDATE SET error = EXCLUDED.error, last_seen = now()"
            );
            let column = |of: fn(&Unread) -> String| bad.iter().map(of).collect::<Vec<_>>();
            let ids: Vec<i64> = bad.iter().map(|unread| unread.record).collect();
            let fields = column(|unread| unread.field.clone());
            let errors = column(|unread| unread.error.clone());
            let args = of.args([model.into(), ids.into(), fields.into(), errors.into()]);
            self.write(&sql, &args)?;
        }
        let sql = format!(
            "DELETE FROM {quarantine} WHERE {OF_FEED} AND record_id = ANY ($4) AND last_seen < now()"
        );
        self.write(&sql, &of.args([ids.to_vec().into()]))
    }

    /// How many values are in quarantine, by table.
    pub fn count_quarantined(&self, server: &str) -> Result<HashMap<String, i64>, Failure> {
        let sql = format!(
            "SELECT target, count(*) FROM {} WHERE server = $1 GROUP BY target",
            self.table(QUARANTINE)
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
            "SELECT field, array_agg(record_id ORDER BY record_id) FROM {} \
             WHERE {OF_FEED} AND last_seen < to_timestamp($4) GROUP BY field",
            self.table(QUARANTINE)
        );
        let fields = self.read(&sql, &of.args([epoch(before).into()]), |row| {
            Ok((row.get(1)?.unwrap_or_default(), row.get(2)?.unwrap_or_default()))
        })?;
        Ok(fields.into_iter().collect())
    }
}

//! What partitions a table has, and which ids lack one. Read off the catalogue, whoever made them.

use pgrx::prelude::*;

use crate::failure::Failure;
use crate::query;

/// Ids from the first, below the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ids {
    pub from: i64,
    pub to: i64,
}

impl Ids {
    pub fn contain(&self, id: i64) -> bool {
        self.from <= id && id < self.to
    }

    /// The `rows` ids among which one is, as partitions are cut.
    pub fn around(id: i64, rows: i64) -> Ids {
        let from = id.div_euclid(rows).saturating_mul(rows);
        Ids { from, to: from.saturating_add(rows) }
    }
}

/// The partitions of a table that is partitioned by ranges of its ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// In the order of ids; without bounds at an end, those of the type.
    ranges: Vec<Ids>,
    /// The partition of all others.
    default: Option<String>,
    /// pg_partman makes them.
    is_managed: bool,
}

impl Bounds {
    /// Those of a table; `None` if it has no partitions, or others than by ranges of its ids.
    pub fn of(table: &str) -> Result<Option<Bounds>, Failure> {
        let sql = "SELECT (regexp_match(bound, 'FROM [(]''?(-?[0-9]+|MINVALUE)''?[)]'))[1], \
              (regexp_match(bound, ' TO [(]''?(-?[0-9]+|MAXVALUE)''?[)]'))[1], \
              CASE bound WHEN 'DEFAULT' THEN leaf::regclass::text END \
            FROM pg_catalog.pg_partitioned_table p \
            JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] AND a.attname = 'id' \
            LEFT JOIN (SELECT i.inhparent, c.oid AS leaf, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound \
              FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid \
              WHERE NOT i.inhdetachpending) AS leaves ON leaves.inhparent = p.partrelid \
            WHERE p.partrelid = to_regclass($1) AND p.partstrat = 'r' AND p.partnatts = 1";
        let mut bounds = Bounds { ranges: Vec::new(), default: None, is_managed: false };
        let is_there = Spi::connect(|client| {
            let found = client.select(sql, None, &[table.into()])?;
            let is_there = !found.is_empty();
            for row in found {
                let (from, to) = (row.get::<String>(1)?, row.get::<String>(2)?);
                if let (Some(from), Some(to)) = (from, to) {
                    let from = from.parse().unwrap_or(i64::MIN);
                    bounds.ranges.push(Ids { from, to: to.parse().unwrap_or(i64::MAX) });
                }
                bounds.default = bounds.default.take().or(row.get(3)?);
            }
            Ok::<_, Failure>(is_there)
        })?;
        if !is_there {
            return Ok(None);
        }
        bounds.ranges.sort_unstable();
        bounds.is_managed = is_managed(table)?;
        Ok(Some(bounds))
    }

    /// How many ids the last partition with two ends takes: the next one takes as many.
    pub fn rows(&self) -> Option<i64> {
        let is_cut = |ids: &&Ids| ids.from != i64::MIN && ids.to != i64::MAX;
        self.ranges.iter().rev().find(is_cut).map(|ids| ids.to.saturating_sub(ids.from))
    }

    /// The last partition.
    pub fn last(&self) -> Option<Ids> {
        self.ranges.last().copied()
    }

    pub fn default(&self) -> Option<&str> {
        self.default.as_deref()
    }

    pub fn is_managed(&self) -> bool {
        self.is_managed
    }

    /// Whether a partition takes an id.
    pub fn take(&self, id: i64) -> bool {
        let behind = self.ranges.partition_point(|ids| ids.from <= id);
        behind > 0 && self.ranges[behind - 1].contain(id)
    }

    /// The partitions that ids lack, of so many rows each, where the ones that are there leave room.
    pub fn lacking(&self, ids: &[i64], rows: i64) -> Vec<Ids> {
        if self.default.is_some() {
            return Vec::new();
        }
        let mut lacking: Vec<Ids> = Vec::new();
        for id in ids.iter().copied().filter(|id| !self.take(*id)) {
            if !lacking.iter().any(|ids| ids.contain(id)) {
                lacking.push(self.free(id, rows));
            }
        }
        lacking.sort_unstable();
        lacking
    }

    /// The ids around one that no partition takes.
    fn free(&self, id: i64, rows: i64) -> Ids {
        let around = Ids::around(id, rows);
        let behind = self.ranges.partition_point(|ids| ids.from <= id);
        let before = behind.checked_sub(1).map_or(i64::MIN, |last| self.ranges[last].to);
        let next = self.ranges.get(behind).map_or(i64::MAX, |next| next.from);
        Ids { from: around.from.max(before), to: around.to.min(next) }
    }

    /// The partition to make ahead: the next one, once the last one is in use.
    pub fn ahead(&self, ids: &[i64], rows: i64) -> Option<Ids> {
        let last = self.ranges.last().filter(|_| self.default.is_none() && !self.is_managed)?;
        let is_in_use = ids.iter().any(|id| last.contain(*id));
        (is_in_use && last.to < i64::MAX - rows).then(|| self.free(last.to, rows))
    }
}

/// Whether pg_partman makes a table's partitions.
fn is_managed(table: &str) -> Result<bool, Failure> {
    let home = "SELECT format('%I.part_config', n.nspname) FROM pg_catalog.pg_extension e \
                JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_partman'";
    let Some(config) = query::ask::<String>(home, &[])? else {
        return Ok(false);
    };
    // Not everybody may read it, and then it tells nothing.
    if !query::is_true("SELECT has_table_privilege($1, 'SELECT')", &[config.as_str().into()])? {
        return Ok(false);
    }
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {config} WHERE to_regclass(parent_table) = to_regclass($1))"
    );
    query::is_true(&sql, &[table.into()])
}

/// The leaves of a table in partitions, as SQL: schema and name. None of a plain one.
pub fn leaves(table: &str) -> Result<Vec<(String, String)>, Failure> {
    let sql = "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_partition_tree(to_regclass($1)) AS part \
               JOIN pg_catalog.pg_class c ON c.oid = part.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               WHERE part.isleaf AND part.level > 0 AND c.relkind = 'r' ORDER BY part.relid";
    Spi::connect(|client| {
        let found = client.select(sql, None, &[table.into()])?;
        found
            .map(|row| Ok((row.get(1)?.unwrap_or_default(), row.get(2)?.unwrap_or_default())))
            .collect()
    })
}

/// The partitions of a table that is partitioned by ranges of its ids, as SQL text, and their ids.
pub fn attached(table: &str) -> Result<Vec<(String, Ids)>, Failure> {
    let sql = "SELECT format('%I.%I', n.nspname, c.relname), \
          (regexp_match(bound, 'FROM [(]''?(-?[0-9]+)''?[)]'))[1]::bigint, (regexp_match(bound, ' TO [(]''?(-?[0-9]+)''?[)]'))[1]::bigint \
        FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid \
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound \
        WHERE i.inhparent = to_regclass($1) AND NOT i.inhdetachpending ORDER BY 2";
    Spi::connect(|client| {
        let mut found = Vec::new();
        for row in client.select(sql, None, &[table.into()])? {
            if let (Some(name), Some(from), Some(to)) = (row.get(1)?, row.get(2)?, row.get(3)?) {
                found.push((name, Ids { from, to }));
            }
        }
        Ok(found)
    })
}

/// The constraint of a plain table that is about to become the first partition: rows that it shall
/// hold are looked at before anybody has to wait.
pub const CONSTRAINT: &str = "odoo_partition";

/// The ids to which [`CONSTRAINT`] holds a table, and whether its rows were looked at.
pub fn constraint(table: &str) -> Result<Option<(Ids, bool)>, Failure> {
    let sql = "SELECT (regexp_match(text, 'id >= ''?(-?[0-9]+)'))[1]::bigint, (regexp_match(text, 'id < ''?(-?[0-9]+)'))[1]::bigint, \
          convalidated \
        FROM pg_catalog.pg_constraint, replace(pg_get_constraintdef(oid), '\"', '') AS text \
        WHERE conrelid = to_regclass($1) AND conname = $2 AND contype = 'c'";
    Spi::connect(|client| {
        let found = client.select(sql, Some(1), &[table.into(), CONSTRAINT.into()])?;
        if found.is_empty() {
            return Ok(None);
        }
        let row = found.first();
        let (from, to) = (row.get(1)?.unwrap_or(i64::MIN), row.get(2)?.unwrap_or(i64::MAX));
        Ok(Some((Ids { from, to }, row.get(3)? == Some(true))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(ranges: &[(i64, i64)]) -> Bounds {
        let ranges = ranges.iter().map(|(from, to)| Ids { from: *from, to: *to }).collect();
        Bounds { ranges, default: None, is_managed: false }
    }

    fn ids(ranges: &[(i64, i64)]) -> Vec<Ids> {
        bounds(ranges).ranges
    }

    #[test]
    fn what_ids_lack() {
        let there = bounds(&[(0, 100), (200, 250)]);
        assert_eq!(there.lacking(&[5, 99, 200], 100), []);
        // Between two that are there, behind them, far behind, and below.
        assert_eq!(
            there.lacking(&[150, 260, 999, 950, -1], 100),
            ids(&[(-100, 0), (100, 200), (250, 300), (900, 1000)])
        );
        let with_default = Bounds { default: Some("rest".into()), ..there };
        assert_eq!(with_default.lacking(&[150], 100), []);
    }

    #[test]
    fn the_next_one_is_made_once_the_last_one_is_in_use() {
        let there = bounds(&[(0, 100), (100, 200)]);
        assert_eq!(there.ahead(&[99], 100), None);
        assert_eq!(there.ahead(&[100], 100), Some(Ids { from: 200, to: 300 }));
        assert_eq!(Bounds { is_managed: true, ..there }.ahead(&[100], 100), None);
        assert_eq!(bounds(&[(0, i64::MAX)]).ahead(&[100], 100), None);
    }

    #[test]
    fn rows_are_those_of_the_last_one_with_two_ends() {
        assert_eq!(bounds(&[(0, 100), (100, 150), (150, i64::MAX)]).rows(), Some(50));
        assert_eq!(bounds(&[(i64::MIN, 0)]).rows(), None);
        assert_eq!(Ids::around(-1, 10), Ids { from: -10, to: 0 });
        assert_eq!(Ids::around(i64::MAX, 10).to, i64::MAX);
    }
}

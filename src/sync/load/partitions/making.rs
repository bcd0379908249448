//! Partitions for ids that lack one.

use std::cell::RefCell;

use pgrx::prelude::*;

use crate::failure::Failure;
use crate::pg::{self, Relation};
use crate::query;
use crate::quote::ident;
use crate::sync::load::owner::{self, Table};
use crate::sync::load::partitions::bounds::{Bounds, CONSTRAINT, Ids, constraint};
use crate::sync::load::patience::{Lock, holders, patiently};
use crate::sync::load::privileges;
use crate::warehouse::ddl::qualified;

/// What is known of a table.
enum Known {
    /// It has no partitions that could be made here; where it is about to have some, the ids to
    /// which it is held.
    Plain(Option<Ids>),
    Parts(Bounds),
}

/// A table of the warehouse, whose partitions may be made.
pub struct Partitions {
    schema: String,
    table: String,
    /// `None` until it was asked for.
    known: RefCell<Option<Known>>,
}

impl Partitions {
    pub fn new(schema: &str, table: &str) -> Partitions {
        let (schema, table) = (schema.to_owned(), table.to_owned());
        Partitions { schema, table, known: RefCell::new(None) }
    }

    fn name(&self) -> String {
        qualified(&self.schema, &self.table)
    }

    /// Makes the partitions that ids lack; `ahead` the next one too, whose lack nobody feels yet.
    ///
    /// # Errors
    /// If others keep a partition from being made that is needed now.
    pub fn cover(&self, ids: &[i64], ahead: bool) -> Result<(), Failure> {
        let known = match self.known.borrow_mut().take() {
            Some(known) => known,
            None => self.find()?,
        };
        let known = match known {
            Known::Parts(bounds) => Known::Parts(self.complete(bounds, ids, ahead)?),
            Known::Plain(Some(held)) if !ids.iter().all(|id| held.contain(*id)) => {
                self.release()?;
                Known::Plain(None)
            }
            plain => plain,
        };
        self.known.replace(Some(known));
        Ok(())
    }

    fn find(&self) -> Result<Known, Failure> {
        Ok(match Bounds::of(&self.name())? {
            Some(bounds) => Known::Parts(bounds),
            None => Known::Plain(constraint(&self.name())?.map(|(held, _)| held)),
        })
    }

    /// Rows have outgrown what was to be the first partition before it was one.
    fn release(&self) -> Result<(), Failure> {
        let sql = format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {CONSTRAINT}", self.name());
        let table = Table::new(&self.schema, &self.table);
        patiently(|| table.run(owner::LOAD, || Ok(Spi::run(&sql)?)))
    }

    fn complete(&self, known: Bounds, ids: &[i64], ahead: bool) -> Result<Bounds, Failure> {
        let Some(rows) = known.rows() else {
            return Ok(known);
        };
        let lacks = |bounds: &Bounds| (bounds.lacking(ids, rows), bounds.ahead(ids, rows));
        let (lacking, next) = lacks(&known);
        if lacking.is_empty() && (!ahead || next.is_none()) {
            return Ok(known);
        }
        let made = self.make_all(&lacking).map_err(|failure| self.lacks(failure, &lacking))?;
        let mut bounds = if made { self.look()? } else { known };
        if let (true, Some(next)) = (ahead, bounds.ahead(ids, rows)) {
            match self.make_all(&[next]) {
                Ok(_) => bounds = self.look()?,
                Err(failure) => self.lacks(failure, &[next]).warn(),
            }
        }
        Ok(bounds)
    }

    fn look(&self) -> Result<Bounds, Failure> {
        let gone = || {
            Failure::new(
                PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
                format!("table {} is gone", self.table),
            )
        };
        Bounds::of(&self.name())?.ok_or_else(gone)
    }

    /// The first partition of a table that has none.
    pub fn begin(&self, rows: i64) -> Result<(), Failure> {
        self.make_all(&[Ids::around(0, rows)]).map(drop)
    }

    /// One more partition, behind the last one.
    ///
    /// # Errors
    /// If others keep it from being made.
    pub fn add(&self, rows: i64) -> Result<(), Failure> {
        let next = match self.look()?.last() {
            Some(last) => Ids { from: last.to, to: last.to.saturating_add(rows) },
            None => Ids::around(0, rows),
        };
        self.make_all(&[next]).map(drop).map_err(|failure| self.lacks(failure, &[next]))
    }

    /// Makes partitions as the table's owner, with the table's privileges. Another session may have
    /// made them meanwhile.
    fn make_all(&self, all: &[Ids]) -> Result<bool, Failure> {
        if all.is_empty() {
            return Ok(false);
        }
        let table = Table::new(&self.schema, &self.table);
        patiently(|| {
            let lock = "SELECT pg_advisory_xact_lock(hashtextextended('odoo_etl partitions of ' || $1, 0))";
            Spi::run_with_args(lock, &[self.name().into()])?;
            let there = self.look()?;
            let is_lacking = |ids: &&Ids| !there.take(ids.from);
            all.iter()
                .filter(is_lacking)
                .try_for_each(|ids| table.run(owner::LOAD, || self.make(*ids)))
        })?;
        Ok(true)
    }

    /// A table like the others, then one of them: readers of the others go on.
    fn make(&self, ids: Ids) -> Result<(), Failure> {
        let (table, name) = (self.name(), free_name(&self.schema, &self.table, ids));
        let partition = qualified(&self.schema, &name);
        let sql = "SELECT concat(' WITH (' || (SELECT string_agg(option, ', ') FROM unnest(( \
                SELECT c.reloptions FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid \
                WHERE i.inhparent = parent.oid AND c.relkind = 'r' ORDER BY c.oid DESC LIMIT 1)) AS option) || ')', \
              ' TABLESPACE ' || quote_ident(space.spcname)) \
            FROM pg_catalog.pg_class parent LEFT JOIN pg_catalog.pg_tablespace space ON space.oid = parent.reltablespace \
            WHERE parent.oid = to_regclass($1)";
        let storage = query::ask::<String>(sql, &[table.as_str().into()])?.unwrap_or_default();
        Spi::run(&format!(
            "CREATE TABLE {partition} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY){storage}"
        ))?;
        privileges::copy(&self.schema, &self.table, &name)?;
        Ok(Spi::run(&format!(
            "ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({}) TO ({})",
            ids.from, ids.to
        ))?)
    }

    /// Says what is lacking, and who is in the way.
    fn lacks(&self, failure: Failure, lacking: &[Ids]) -> Failure {
        if failure.sqlstate == PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE {
            let owner =
                Relation::find(&self.schema, &self.table).map(|table| pg::role_name(table.owner));
            let hint = format!(
                "GRANT CREATE ON SCHEMA {} TO {};",
                ident(&self.schema),
                ident(&owner.unwrap_or_default())
            );
            return self.named(&failure, lacking).detail(failure.message).hint(hint);
        }
        let holders = || holders(self.locked()?, Lock::ShareRowExclusive);
        let detail = holders().ok().flatten();
        self.named(&failure, lacking)
            .detail(detail.unwrap_or_else(|| failure.message.clone()))
            .hint("The next run makes it.")
    }

    /// The tables whose writers are waited for: itself, and those that it refers to.
    fn locked(&self) -> Result<Vec<String>, Failure> {
        let sql = "SELECT array_agg(DISTINCT confrelid::regclass::text) FROM pg_catalog.pg_constraint \
                   WHERE conrelid = to_regclass($1) AND contype = 'f'";
        let mut tables = query::ask::<Vec<String>>(sql, &[self.name().into()])?.unwrap_or_default();
        tables.push(self.name());
        Ok(tables)
    }

    fn named(&self, failure: &Failure, lacking: &[Ids]) -> Failure {
        let ranges: Vec<_> =
            lacking.iter().map(|ids| format!("{} to {}", ids.from, ids.to - 1)).collect();
        Failure::new(
            failure.sqlstate,
            format!("table {} lacks a partition for the ids {}", self.table, ranges.join(", ")),
        )
    }
}

/// A name for a partition, as pg_partman would give it, that nothing has yet: `fact_sales_lines_p5000000`.
pub fn free_name(schema: &str, table: &str, ids: Ids) -> String {
    let sign = if ids.from < 0 { "_n" } else { "_p" };
    free(schema, table, &format!("{sign}{}", ids.from.unsigned_abs()), "", &[])
}

/// What a partition's name has behind that of its table.
fn mark(partition: &str) -> &str {
    let start = partition.rfind("_p").max(partition.rfind("_n"));
    &partition[start.unwrap_or(partition.len())..]
}

/// The name of a table's index where it is one of the table's partition, `fact_sales_lines_p0_pkey`; none
/// that others have or are about to have.
pub fn index_name(
    schema: &str,
    table: &str,
    partition: &str,
    index: &str,
    taken: &[String],
) -> String {
    match index.strip_prefix(table) {
        Some(rest) => free(schema, table, mark(partition), rest, taken),
        None => free(schema, index, mark(partition), "", taken),
    }
}

/// A name of which nothing is: of a stem, a mark and an end, and a number where it takes one.
fn free(schema: &str, stem: &str, mark: &str, end: &str, taken: &[String]) -> String {
    let numbers = std::iter::once(String::new()).chain((1..).map(|n| format!("_{n}")));
    let mut names = numbers.map(|number| fitting(stem, &format!("{mark}{number}{end}")));
    let is_free = |name: &String| !taken.contains(name) && Relation::find(schema, name).is_none();
    names.find(is_free).unwrap_or_default()
}

/// The longest name that PostgreSQL keeps whole.
const NAME: usize = 63;

/// A stem and an end, with as much of the stem as fits.
fn fitting(stem: &str, end: &str) -> String {
    let mut room = NAME.saturating_sub(end.len()).min(stem.len());
    while !stem.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}{end}", &stem[..room])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit() {
        assert_eq!(fitting("facts", "_p5"), "facts_p5");
        assert_eq!(mark("fact_payments_p10_1"), "_p10_1");
        assert_eq!(mark("fact_payments_n10"), "_n10");
        let long = fitting(&"ä".repeat(40), "_p1000000");
        assert!(long.len() <= NAME && long.ends_with("_p1000000"));
    }
}

//! A table's first load: it has its primary key alone, and gets the foreign keys and the other
//! indexes that are declared when its last page is in. What it lacks is read off the catalogue, so
//! that whoever comes next goes on, wherever the one before was interrupted.

use std::collections::{HashMap, HashSet, VecDeque};

use pgrx::PgSqlErrorCode as State;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use crate::failure::Failure;
use crate::pg;
use crate::query;
use crate::quote::ident;
use crate::sync::load::deletes;
use crate::sync::load::owner::{self, Table};
use crate::sync::load::partitions::bounds::{CONSTRAINT, leaves};
use crate::sync::load::patience::{Lock, holders, patiently};
use crate::sync::load::refused;
use crate::warehouse::ddl::{self, EDITED_TRIGGER, On, qualified};
use crate::warehouse::{Column, Dataset};

/// What became of the making of a [`Piece`].
pub enum Made {
    Yes,
    /// Others keep it from being made.
    Later,
    /// The table's engine refuses it.
    Never,
}

/// Something that a table still lacks.
pub struct Piece {
    dataset: &'static Dataset,
    column: &'static Column,
    part: Part,
    sql: String,
}

/// In the order in which they are made: rows are validated when others are kept from going astray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Index,
    /// A foreign key that new rows are held to.
    Key,
    /// The same for the rows that are there.
    Validation,
}

/// Whether a table is declared to have more than its primary key.
pub fn is_keyed(dataset: &Dataset) -> bool {
    dataset.value_columns().any(|column| ddl::is_indexed(dataset, column))
}

/// What a table lacks of what is declared, in the order in which it is made. Partitions come first,
/// one by one: the table then takes what they have as its own, and is not read once more.
pub fn lacking(schema: &str, dataset: &'static Dataset) -> Result<VecDeque<Piece>, Failure> {
    let leaves = leaves(&qualified(schema, dataset.table))?;
    let mut pieces = Vec::new();
    for (schema_of_leaf, name) in &leaves {
        let on = On { schema: schema_of_leaf, name };
        pieces.extend(lacking_on(schema, dataset, on, true)?);
    }
    let on = On { schema, name: dataset.table };
    pieces.extend(lacking_on(schema, dataset, on, leaves.is_empty())?);
    Ok(pieces.into())
}

/// The same on one of the two. New rows are held to a foreign key first, then those are that are
/// there, where the rows are its own.
fn lacking_on(
    schema: &str,
    dataset: &'static Dataset,
    on: On<'_>,
    has_rows: bool,
) -> Result<Vec<Piece>, Failure> {
    let there = There::look(&on.sql())?;
    let mut pieces = Vec::new();
    for column in dataset.value_columns() {
        let mut add = |part, sql| pieces.push(Piece { dataset, column, part, sql });
        if let Some(sql) = ddl::index(dataset, column, on)
            && !there.indexes.contains(&ddl::indexed(dataset, column))
        {
            add(Part::Index, sql);
        }
        if let Some(sql) = ddl::foreign_key(dataset, column, schema, on) {
            let key = there.keys.get(&ddl::foreign_key_name(dataset, column));
            if key.is_none() {
                add(Part::Key, if has_rows { format!("{sql} NOT VALID") } else { sql });
            }
            if has_rows && key != Some(&true) {
                add(Part::Validation, ddl::validate_foreign_key(dataset, column, on));
            }
        }
    }
    pieces.sort_by_key(|piece| piece.part as u8);
    Ok(pieces)
}

/// Whether a table has indexes, constraints or triggers of its users.
pub fn is_extended(schema: &str, dataset: &Dataset) -> Result<bool, Failure> {
    let there = There::look(&qualified(schema, dataset.table))?;
    let indexed = dataset.value_columns().filter(|column| ddl::is_indexed(dataset, column));
    let (mut indexes, mut keys) = (HashSet::new(), HashSet::new());
    for column in indexed {
        indexes.insert(ddl::indexed(dataset, column));
        keys.insert(ddl::foreign_key_name(dataset, column));
    }
    Ok(there.has_trigger
        || there.indexes.iter().any(|index| !indexes.contains(index))
        || there.keys.keys().any(|key| !keys.contains(key)))
}

/// Whether a table is as a run made it, and has nothing but its primary key yet.
pub fn is_bare(schema: &str, dataset: &Dataset) -> Result<bool, Failure> {
    let comment = "SELECT obj_description(to_regclass($1), 'pg_class') = $2";
    let ours = ddl::table_comment(dataset);
    if !query::is_true(comment, &[qualified(schema, dataset.table).into(), ours.into()])? {
        return Ok(false);
    }
    let there = There::look(&qualified(schema, dataset.table))?;
    Ok(there.indexes.is_empty() && there.keys.is_empty())
}

/// Whether a table has rows.
pub fn has_rows(schema: &str, dataset: &Dataset) -> Result<bool, Failure> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {} LIMIT 1)", qualified(schema, dataset.table));
    Table::new(schema, dataset.table).run(owner::READ, || query::is_true(&sql, &[]))
}

/// Tells the planner of the rows, as autovacuum does later; unless that is at it already.
pub fn analyze(schema: &str, table: &str) -> Result<(), Failure> {
    let sql = format!("ANALYZE (SKIP_LOCKED) {}", qualified(schema, table));
    Table::new(schema, table).run(owner::LOAD, || Ok(Spi::run(&sql)?))
}

/// What a table has beside its primary key.
struct There {
    /// As [`ddl::indexed`] writes them; those of another form are something else.
    indexes: HashSet<String>,
    /// Foreign keys and other constraints, and whether they are valid.
    keys: HashMap<String, bool>,
    has_trigger: bool,
}

impl There {
    fn look(table: &str) -> Result<There, Failure> {
        let indexes = "SELECT (SELECT string_agg(a.attname, ', ' ORDER BY k.place) \
              FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) \
              JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum) \
              || ' of ' || replace(coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), 'all'), '\"', ''), \
              i.indisvalid \
            FROM pg_catalog.pg_index i WHERE i.indrelid = to_regclass($1) AND NOT i.indisprimary";
        // A key to a table in partitions has one for each beside it; a table that is about to be one
        // is held to its ids for a while.
        let keys = "SELECT conname::text, convalidated FROM pg_catalog.pg_constraint own \
            WHERE conrelid = to_regclass($1) AND contype NOT IN ('p', 'n') AND conname <> $2 \
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint whole \
                WHERE whole.oid = own.conparentid AND whole.conrelid = own.conrelid)";
        let trigger = "SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger \
            WHERE tgrelid = to_regclass($1) AND NOT tgisinternal AND tgname <> $2)";
        let indexes =
            pairs(indexes, &[table.into()])?.into_iter().filter(|(_, is_valid)| *is_valid);
        Ok(There {
            indexes: indexes.map(|(index, _)| index).collect(),
            keys: pairs(keys, &[table.into(), CONSTRAINT.into()])?.into_iter().collect(),
            has_trigger: query::is_true(trigger, &[table.into(), EDITED_TRIGGER.into()])?,
        })
    }
}

fn pairs(sql: &str, args: &[DatumWithOid<'_>]) -> Result<Vec<(String, bool)>, Failure> {
    Spi::connect(|client| {
        let found = client.select(sql, None, args)?;
        found.map(|row| Ok((row.get(1)?.unwrap_or_default(), row.get(2)? == Some(true)))).collect()
    })
}

impl Piece {
    /// Makes it as the table's owner, whose table lacks it. Why it is not made is told.
    pub fn make(&self, schema: &str) -> Result<Made, Failure> {
        match patiently(|| self.make_now(schema)) {
            Ok(()) => Ok(Made::Yes),
            Err(failure) if is_in_the_way(&failure) => {
                self.postponed(schema, failure)?.warn();
                Ok(Made::Later)
            }
            Err(failure) if failure.is_unsupported() => {
                refused::told(schema, self.dataset, &self.name(), "", failure).warn();
                Ok(Made::Never)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Whether it is about the same column.
    pub fn is_beside(&self, other: &Piece) -> bool {
        self.column.name == other.column.name
    }

    fn make_now(&self, schema: &str) -> Result<(), Failure> {
        let table = Table::new(schema, self.dataset.table);
        let make = || table.run(owner::LOAD, || Ok(Spi::run(&self.sql)?));
        if self.part != Part::Validation {
            return make();
        }
        match pg::subtransaction(make) {
            Err(failure) if failure.sqlstate == State::ERRCODE_FOREIGN_KEY_VIOLATION => {
                deletes::release_absent(schema, self.dataset, self.column, "deleted by hand")?;
                make()
            }
            done => done,
        }
    }

    fn name(&self) -> String {
        match self.part {
            Part::Index => format!("an index on {}", ddl::key_columns(self.column).join(", ")),
            _ => {
                format!("foreign key {}", ident(&ddl::foreign_key_name(self.dataset, self.column)))
            }
        }
    }

    /// Says what is not made yet, and why.
    fn postponed(&self, schema: &str, failure: Failure) -> Result<Failure, Failure> {
        let table = qualified(schema, self.dataset.table);
        let tables = [Some(self.dataset.table), self.column.refers_to()];
        let tables: Vec<_> =
            tables.into_iter().flatten().map(|table| qualified(schema, table)).collect();
        let lacking =
            Failure::new(failure.sqlstate, format!("table {table} still lacks {}", self.name()));
        // The owner needs CREATE on the schema for an index, and REFERENCES on a parent for a key.
        if failure.sqlstate == State::ERRCODE_INSUFFICIENT_PRIVILEGE {
            let hint = "All rows are loaded; grant it to the table's owner, and the next run makes what is lacking.";
            return Ok(lacking.detail(failure.message).hint(hint));
        }
        let detail = holders(tables, Lock::ShareRowExclusive)?.unwrap_or(failure.message);
        Ok(lacking.detail(detail).hint("All rows are loaded; the next run makes what is lacking."))
    }
}

/// Whether a failure is for others who use a table, and passes with them, or for a right of the
/// owner's that somebody else gives.
fn is_in_the_way(failure: &Failure) -> bool {
    matches!(
        failure.sqlstate,
        State::ERRCODE_LOCK_NOT_AVAILABLE
            | State::ERRCODE_T_R_DEADLOCK_DETECTED
            | State::ERRCODE_OBJECT_IN_USE
            | State::ERRCODE_INSUFFICIENT_PRIVILEGE
    )
}

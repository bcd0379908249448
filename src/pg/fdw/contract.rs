//! What the callbacks ask of a wrapper, in the order in which PostgreSQL does: a [`Table`] is
//! planned, its [`Scan`] or [`Modification`] executed.
//!
//! A plan travels as text, as PostgreSQL copies and keeps plans: a scan or a modification begins
//! with what may have been planned long before, by another backend.

use std::ops::AddAssign;

use pgrx::pg_sys::Oid;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::asked::{Action, Asked, Grouping, Groups, Import, SortKey};
use super::predicate::{Constant, Predicate};
use super::table::RawTable;
use crate::failure::Failure;

/// A foreign table in a query, while it is planned.
pub trait Table: Sized + 'static {
    type Scan: Scan;
    type Modification: Modification;

    /// The statements that make the tables of IMPORT FOREIGN SCHEMA.
    fn import(wanted: &Import) -> Result<Vec<String>, Failure>;

    /// The column that tells a row from all others, without which none is changed or deleted.
    fn row_id(table: &RawTable) -> Option<i16>;

    fn open(table: RawTable, user: Oid) -> Result<Self, Failure>;

    /// The columns that a predicate may be about.
    fn compared(&self) -> Vec<i16>;

    /// Whether a scan with the predicate brings no row that does not meet it.
    fn is_exact(&self, predicate: &Predicate) -> bool;

    /// Whether a scan with the predicate leaves out rows, as far as it is known while planning.
    fn is_narrowed(&self, predicate: &Predicate) -> bool;

    /// How many rows meet the predicate, as far as it is known; `None` if nobody tells.
    fn count(&self, predicate: &Predicate) -> Option<f64>;

    /// Whether the wrapper can put the rows in about so many groups, of those that a scan with an
    /// exact predicate brings, and make of them what PostgreSQL would.
    fn groups(&self, grouping: &Grouping, about: f64) -> Groups;

    /// The wrapper's words for an order; `None` if it would sort otherwise than PostgreSQL.
    fn order(&self, keys: &[SortKey]) -> Option<String>;

    fn plan(&self, asked: Asked) -> Result<<Self::Scan as Scan>::Plan, Failure>;

    /// The plan of a statement that gives values to some columns, and whose RETURNING needs some.
    fn plan_modification(
        &self,
        action: Action,
        written: &[i16],
        returned: &[i16],
    ) -> Result<<Self::Modification as Modification>::Plan, Failure>;
}

/// A scan between its begin and its end. Dropped, as by an error, it ends at once.
pub trait Scan: Sized + 'static {
    type Plan: Serialize + DeserializeOwned + 'static;
    type Cells: Cells;
    type Summary: Summary;

    /// Begins a scan where the predicate's expressions have these values.
    fn begin(
        plan: &Self::Plan,
        server: Oid,
        user: Oid,
        values: &[Constant],
    ) -> Result<Self, Failure>;

    /// The groups of the rows that a scan would bring, and what it took to learn them; `None` if
    /// PostgreSQL might find others.
    fn summarise(
        plan: &Self::Plan,
        server: Oid,
        user: Oid,
        values: &[Constant],
    ) -> Result<(Option<Self::Summary>, Effort), Failure>;

    /// A scan of so many rows picked at random, and how many there are.
    fn sample(
        plan: &Self::Plan,
        server: Oid,
        user: Oid,
        wanted: usize,
    ) -> Result<(Self, usize), Failure>;

    /// The next row, as its place in [`Scan::cells`]; `None` at the end.
    fn next(&mut self) -> Result<Option<usize>, Failure>;

    /// The cells of the page with that row, by the columns that were asked for, in their order.
    fn cells(&self) -> &[Self::Cells];

    /// What the scan took so far.
    fn effort(&self) -> Effort;

    /// What EXPLAIN shows of a scan: labels and texts.
    fn explain(plan: &Self::Plan, values: &[Constant]) -> Vec<(&'static str, String)>;
}

/// A statement that changes rows, between its begin and its end.
pub trait Modification: Sized + 'static {
    type Plan: Serialize + DeserializeOwned + 'static;
    type Cells: Cells;

    /// Rows that are best inserted at once.
    const BATCH: usize;

    fn begin(plan: Self::Plan, server: Oid, user: Oid) -> Result<Self, Failure>;

    /// Inserts rows, each with the values of the written columns, and tells their ids.
    fn insert(&mut self, rows: Vec<Vec<Constant>>) -> Result<Vec<i64>, Failure>;

    /// Whether a row was not met before: one that joins several others is changed once.
    fn meet(&mut self, id: i64) -> bool;

    /// Updates a row, perhaps only at the next [`Modification::flush`].
    fn update(&mut self, id: i64, row: Vec<Constant>) -> Result<(), Failure>;

    /// Deletes a row, perhaps only at the next [`Modification::flush`].
    fn delete(&mut self, id: i64) -> Result<(), Failure>;

    /// Does what waits.
    fn flush(&mut self) -> Result<(), Failure>;

    /// The returned columns of a row as it is now, one cell each.
    fn returned(&self, id: i64) -> Result<Vec<Self::Cells>, Failure>;

    /// Does what waits, and ends.
    fn end(self) -> Result<(), Failure>;
}

/// Groups of rows, each once.
pub trait Summary: 'static {
    type Cells: Cells;

    fn rows(&self) -> usize;

    /// By the columns that rows are grouped by, then by the aggregates.
    fn cells(&self) -> &[Self::Cells];
}

/// Some values of one column.
pub trait Cells {
    /// The value of a row; `None` for NULL.
    fn value(&self, row: usize) -> Option<Value<'_>>;
}

/// A value, borrowed from its page.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    Boolean(bool),
    Integer(i64),
    /// What the column's type reads from a text.
    Text(&'a str),
    Integers(&'a [i64]),
    /// A number by another one, as PostgreSQL divides `numeric`.
    Quotient(&'a str, i64),
}

/// What a scan took, for EXPLAIN.
#[derive(Debug, Clone, Copy, Default)]
pub struct Effort {
    pub requests: u64,
    pub bytes: u64,
    pub rows: u64,
}

impl AddAssign for Effort {
    fn add_assign(&mut self, more: Effort) {
        self.requests += more.requests;
        self.bytes += more.bytes;
        self.rows += more.rows;
    }
}

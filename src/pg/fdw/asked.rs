//! What PostgreSQL wants of a foreign table, as plain data. Columns are attribute numbers.

use pgrx::pg_sys::Oid;
use serde::{Deserialize, Serialize};

use super::predicate::Predicate;

/// A scan that is to be planned.
pub struct Asked {
    pub predicate: Predicate,
    /// The columns to bring.
    pub attributes: Vec<i16>,
    pub path: PathPlan,
    /// About so many rows are expected.
    pub rows: f64,
    /// All rows are likely to be taken, so that reading ahead is no waste.
    pub is_eager: bool,
}

/// What a path adds to a scan.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PathPlan {
    /// In the wrapper's words.
    pub order: Option<String>,
    pub limit: Option<Limit>,
    /// What is wanted are groups of the rows.
    pub grouping: Option<Grouping>,
}

/// Rows in groups: one that have the same values in some columns; without such columns all rows
/// are one, be there any or none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Grouping {
    pub by: Vec<i16>,
    pub aggregates: Vec<Aggregate>,
}

/// What is made of the rows of a group, or of their values in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregate {
    pub function: Function,
    pub attribute: Option<i16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Function {
    Count,
    Sum,
    Average,
    Least,
    Greatest,
}

impl Function {
    /// The aggregate function of that name.
    pub fn from_name(name: &str) -> Option<Function> {
        Some(match name {
            "count" => Function::Count,
            "sum" => Function::Sum,
            "avg" => Function::Average,
            "min" => Function::Least,
            "max" => Function::Greatest,
            _ => return None,
        })
    }
}

/// Whether a wrapper knows the groups of its rows by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Groups {
    Never,
    /// It tells when it is asked; PostgreSQL has a plan to fall back on.
    Perhaps,
    Always,
}

/// Rows to skip and rows to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub offset: i64,
    pub count: Option<i64>,
}

/// By what a query wants its rows sorted.
#[derive(Debug, Clone, Copy)]
pub struct SortKey {
    pub attribute: i16,
    pub is_descending: bool,
    pub nulls_first: bool,
}

/// What a statement does with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    Insert,
    Update,
    Delete,
}

/// IMPORT FOREIGN SCHEMA.
pub struct Import {
    pub server: Oid,
    pub remote_schema: String,
    pub local_schema: String,
    pub list: ImportList,
    pub options: Vec<(String, String)>,
}

/// Which tables are wanted.
pub enum ImportList {
    All,
    LimitTo(Vec<String>),
    Except(Vec<String>),
}

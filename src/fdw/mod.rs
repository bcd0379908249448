//! Foreign tables: models of Odoo as tables that are read when they are asked.
//!
//! The callbacks in [`crate::pg`] turn PostgreSQL's trees into the plain data of
//! [`predicate`]; all else is here, in safe code.
//!
//! - [`table`]: a foreign table's options and columns
//! - [`columns`]: which column type a field has, and what may be asked of it
//! - [`predicate`] and [`domain`]: a condition of SQL, and the domain that it becomes
//! - [`relation`]: what the planner is told
//! - [`plan`]: what execution needs, as text in the plan tree
//! - [`scan`]: the records on their way
//! - [`modify`]: INSERT, UPDATE and DELETE
//! - [`rights`]: what the Odoo user may not read
//! - [`health`]: whether a table still matches its model
//! - [`import`]: IMPORT FOREIGN SCHEMA
//! - [`sessions`]: sessions and knowledge of models that scans of a transaction share

mod columns;
mod domain;
mod health;
mod import;
mod modify;
mod plan;
pub mod predicate;
mod relation;
mod rights;
mod scan;
mod sessions;
mod table;
#[cfg(test)]
mod tests;
mod time;

pub use columns::Class;
pub use health::health;
pub use import::{ImportList, import, take_comments};
pub use modify::{Action, BATCH, Modification, ModifyPlan};
pub use plan::{Fetched, Limit, PathPlan, Plan};
pub use relation::{Relation, SortKey};
pub use scan::Scan;
pub use table::{RawColumn, RawTable, Table};

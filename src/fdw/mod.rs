//! Foreign tables: models of Odoo as tables that are read when they are asked.
//!
//! - In: what PostgreSQL's planner and executor ask, as the plain data of `pg::fdw`, answered in
//!   `callbacks`.
//! - Out: rows, statements that make tables, what Odoo was asked.
//! - May call: `extract`, `server`, `odoo` and `pg`.

mod callbacks;
mod modify;
mod query;
mod relation;
mod scan;
mod table;

pub use relation::Relation;
pub use table::health::health;
pub use table::import::take_comments;

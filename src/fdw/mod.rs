//! Foreign tables: models of Odoo as tables that are read when they are asked.
//!
//! - In: what PostgreSQL's planner and executor ask, as the plain data of [`query`].
//! - Out: rows, statements that make tables, what Odoo was asked.
//! - May call: `server` and `odoo`; of `pg`, which has the callbacks, what is safe.

mod modify;
pub mod query;
mod relation;
mod scan;
mod table;

pub use modify::{Action, BATCH, Modification, ModifyPlan};
pub use query::plan::{Fetched, Limit, PathPlan, Plan};
pub use relation::{Relation, SortKey};
pub use scan::records::Scan;
pub use table::columns::Class;
pub use table::health::health;
pub use table::import::{ImportList, import, take_comments};
pub use table::options::{RawColumn, RawTable, Table};

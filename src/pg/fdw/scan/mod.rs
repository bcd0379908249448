//! The execution of a scan: in, a plan; out, rows in PostgreSQL's slots, and what EXPLAIN tells. May
//! call the contract and `pg`.

mod execution;
mod explain;
mod foreign_scan;
mod groups;

pub use explain::explain;
pub use foreign_scan::{begin, end, iterate, rescan};

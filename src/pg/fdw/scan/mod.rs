//! The execution of a scan, and what EXPLAIN tells of it.

mod execution;
mod explain;
mod foreign_scan;

pub use explain::explain;
pub use foreign_scan::{begin, end, iterate, rescan};

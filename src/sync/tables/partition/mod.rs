//! Tables in partitions by ranges of ids: in, a table and how many ids each partition takes, or how
//! long rows are kept; out, partitions made or detached. May call `load` and what `tables` may.

pub mod check;
pub mod order;
pub mod retain;
mod shape;
pub mod steps;
mod swap;

//! INSERT, UPDATE and DELETE on foreign tables: in, PostgreSQL's statements and rows; out, what the
//! wrapper is asked for, and rows that it returns. May call the contract and `pg`.

mod foreign_modify;
mod plan_modify;
mod rows;
mod statement;
mod update_targets;

pub use foreign_modify::{
    batch_size, begin, begin_insert, delete, end, insert, insert_batch, update,
};
pub use plan_modify::plan;
pub use update_targets::{add_targets, is_updatable};

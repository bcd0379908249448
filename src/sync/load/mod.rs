//! Rows into tables: in, typed columns; out, what was written, and which parents are missing. Every
//! statement runs as the table's owner. May call `transform`'s rows, `warehouse` and `pg`.

pub mod deletes;
pub mod engine;
pub mod first_load;
pub mod key;
pub mod loader;
pub mod own;
pub mod owner;
pub mod partitions;
pub mod patience;
pub mod privileges;
pub mod references;
pub mod refused;
pub mod restore;
pub mod statements;

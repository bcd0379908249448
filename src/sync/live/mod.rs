//! The rows of a table as they would be loaded now, without the table: in, a table's name and
//! conditions; out, lines of JSON. May call `mapping`, `transform`, `load`'s statements, `extract`.

mod reader;

pub use reader::{Live, Request};

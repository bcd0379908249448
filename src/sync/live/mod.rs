//! The rows of a table as they would be loaded now, without the table.
mod reader;

pub use reader::{Live, Wish};

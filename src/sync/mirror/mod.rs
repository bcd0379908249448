//! Tables and columns that users declare: in, a model and its fields; out, declarations in `state`,
//! and tables. May call `tables`, `mapping` and `state`.

pub mod declare;
pub mod follow;
pub mod history;
pub mod names;
pub mod optional;
pub mod undo;

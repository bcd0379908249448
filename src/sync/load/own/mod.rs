//! Tables that no model fills: in, what a load did; out, the past of rows, the days, and what is gone. Every
//! statement runs as the table's owner. May call `load`'s owner, `warehouse` and `pg`.

pub mod calendar;
pub mod deleted;
pub mod history;
pub mod snapshot;

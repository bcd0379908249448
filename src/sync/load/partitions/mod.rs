//! Tables in partitions by ranges of ids: in, ids of rows; out, the partitions that they lack, made. May
//! call what `load` may.

pub mod bounds;
pub mod making;

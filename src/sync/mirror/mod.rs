//! TODO
pub mod declare;
pub mod follow;
pub mod names;
pub mod undo;

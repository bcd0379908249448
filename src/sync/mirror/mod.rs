//! TODO
pub mod declare;
pub mod follow;

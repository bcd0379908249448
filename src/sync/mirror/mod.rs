//! TODO
pub mod additions;
pub mod declare;

//! TODO
pub mod driver;
pub mod job;
pub mod journal;
pub mod queue;
pub mod reconcile;

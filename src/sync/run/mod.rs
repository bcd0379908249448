//! TODO
pub mod compare;
pub mod driver;
pub mod gather;
pub mod job;
pub mod journal;
pub mod progress;
pub mod quarantine;
pub mod reconcile;
pub mod report;
pub mod silent;
pub mod table_load;
pub mod unreadable;
pub mod vanished;

//! TODO
pub mod compare;
pub mod gather;
pub mod progress;
pub mod quarantine;
pub mod reconcile;
pub mod silent;
pub mod table_load;
pub mod unchanged;
pub mod unreadable;
pub mod vanished;
pub mod window;

//! state
pub mod additions;
pub mod cache;
pub mod quarantine;
pub mod store;
pub mod unreadable;
pub mod unwatched;

//! state
pub mod cache;
pub mod store;

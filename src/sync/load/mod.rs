//! TODO
pub mod deletes;
pub mod loader;
pub mod owner;
pub mod references;
pub mod restore;
pub mod statements;

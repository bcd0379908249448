//! TODO
pub mod catalogue;
pub mod feed;
pub mod filter;
pub mod refused;
pub mod trial;

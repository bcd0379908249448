//! TODO
pub mod catalogue;
pub mod feed;
pub mod filter;
pub mod lineage;
pub mod refused;
pub mod resolve;
pub mod trial;
pub mod values;

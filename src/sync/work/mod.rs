//! TODO
pub mod context;
pub mod fetching;
pub mod parts;
pub mod report;
pub mod reports;
pub mod targets;

//! TODO
pub mod companies;
pub mod related;
pub mod rows;
pub mod zones;

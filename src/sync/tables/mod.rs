//! TODO
pub mod columns;
pub mod inspect;
pub mod origin;
pub mod places;
pub mod ready;
pub mod trigger;

//! The warehouse's tables: in, declarations; out, tables that can be loaded, or why not. May call
//! `load`'s owners, `state`, `server`, `warehouse` and `pg`.

pub mod columns;
pub mod history;
pub mod inspect;
pub mod model;
pub mod moved;
pub mod origin;
pub mod partition;
pub mod ready;
pub mod reports;
pub mod trigger;
pub mod union;
pub mod views;

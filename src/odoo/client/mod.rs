//! A client of Odoo: in, what is asked of a model; out, ids, pages and values. May call `wire`, `page`
//! and `domain`.

pub mod connection;
mod dates;
pub mod groups;
mod identity;
pub mod login;
pub mod model;
pub mod version;
mod write;

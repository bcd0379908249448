//! Declarations held against the fields that this Odoo has: in, a feed of a dataset; out, how it is
//! read. May call `extract`, `state`'s cache, `server`, `warehouse` and `odoo`.

pub mod catalogue;
pub mod feed;
pub mod filter;
pub mod lineage;
pub mod refused;
pub mod resolve;
pub mod trial;
pub mod values;

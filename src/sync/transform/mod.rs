//! Odoo's records to rows: in, pages; out, columns of the table's types, with the values of related
//! records. May call `mapping` and `extract`.

pub mod companies;
pub mod related;
pub mod rows;
pub mod zones;

//! Foreign tables and their models: in, a table's options and columns, a model's fields; out, column
//! types, statements, what is wrong with a table. May call `server` and `odoo`.

pub mod columns;
pub mod health;
pub mod import;
pub mod options;
pub mod rights;

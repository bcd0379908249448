//! Records on their way: in, a plan; out, pages of cells. May call `extract`, `server`
//! and `odoo`.

pub mod known;
pub mod records;
pub mod summary;

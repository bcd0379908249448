//! Records on their way: in, a plan; out, pages of cells. May call `extract`, `server`
//! and `odoo`.

pub mod records;
pub mod sessions;
pub mod summary;

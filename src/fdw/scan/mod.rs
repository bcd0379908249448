//! Records on their way: in, a plan; out, pages of cells. May call `server` and `odoo`.

pub mod records;
pub mod sessions;

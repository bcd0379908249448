//! Records as typed columns: in, what a decoder tells; out, a page. May call the fields, values and
//! sinks of [`crate::odoo`] alone.

pub mod cells;
pub mod columns;
pub mod literals;
pub mod page_sink;

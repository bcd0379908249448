//! Search conditions: in, a text or leaves; out, Odoo's prefix notation. May call the values of
//! [`crate::odoo`] alone.

mod algebra;
pub mod condition;
pub mod parse;
pub mod tree;

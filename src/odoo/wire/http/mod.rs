//! Exchanges over HTTP that can be ended at any moment: in, a message; out, a body that is read as it
//! comes. May call the errors of [`crate::odoo`] alone.

pub mod authorities;
pub mod body;
pub mod cookie;
pub mod exchange;
pub mod hosts;
mod interruptible;
pub mod line;
mod socket;

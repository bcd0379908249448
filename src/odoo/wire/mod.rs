//! How a request reaches Odoo and its answer comes back: in, a call; out, its value, told piece by
//! piece to a sink. May call the errors, values and sinks of [`crate::odoo`] alone.

pub mod authorities;
pub mod auto;
mod body;
pub mod hosts;
pub mod http;
mod interruptible;
pub mod json;
mod json2;
mod jsonrpc;
pub mod protocol;
pub mod request;
mod socket;
pub mod traffic;
pub mod xmlrpc;

//! How a request reaches Odoo and its answer comes back: in, a call; out, its value, told piece by
//! piece to a sink. May call the errors, values and sinks of [`crate::odoo`] alone.

pub mod auto;
pub mod http;
pub mod json;
mod json2;
mod jsonrpc;
mod pages;
pub mod protocol;
pub mod request;
pub mod traffic;
pub mod web;
pub mod xmlrpc;

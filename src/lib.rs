#![deny(unsafe_code)]

pub mod odoo;

pgrx::pg_module_magic!();

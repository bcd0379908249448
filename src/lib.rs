//! odoo_etl keeps a retail star schema in step with an Odoo ERP, from inside PostgreSQL.
//!
//! Arrows point one way: `functions` → `sync` → `warehouse` → `odoo`.
//!
//! - [`odoo`]: the client of Odoo's API; knows nothing of PostgreSQL
//! - [`warehouse`]: what is loaded; declarations and their SQL
//! - [`sync`]: how it is loaded: extract, transform, load
//! - `functions`: the SQL surface
//! - [`fdw`]: foreign tables
//! - [`server`]: CREATE SERVER and USER MAPPING to a session
//! - [`pg`]: the only unsafe code
#![deny(unsafe_code)]

mod extract;
mod failure;
mod fdw;
mod functions;
pub mod odoo;
pub mod pg;
mod query;
mod quote;
pub mod server;
mod settings;
mod state;
pub mod sync;
pub mod warehouse;

pgrx::pg_module_magic!();

/// Called by PostgreSQL when it loads the library.
#[pgrx::pg_guard]
#[allow(unsafe_code, non_snake_case)]
pub extern "C-unwind" fn _PG_init() {
    settings::register();
    server::when_logged_in(sync::login_succeeded);
}

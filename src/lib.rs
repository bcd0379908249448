//! odoo_etl keeps a retail star schema in step with an Odoo ERP, from inside PostgreSQL.
//!
//! The map; arrows point down it:
//!
//! - `functions`: the SQL surface, a file per group of functions
//! - `dashboard`: a page of charts of the reports
//! - `fdw`: foreign tables: what PostgreSQL asks, answered with Odoo's domains
//! - [`sync`]: how the warehouse is kept in step
//! - `extract`: pages of a model from Odoo, read ahead, and what of them faults
//! - [`server`]: CREATE SERVER and USER MAPPING to a session with Odoo; locks on a server's tables
//! - `state`: the extension's own tables, and every statement on them
//! - [`warehouse`]: what is loaded: declarations and their DDL; knows nothing of PostgreSQL's API
//! - [`odoo`]: the client of Odoo; knows nothing of PostgreSQL
//! - [`pg`]: PostgreSQL for the others, the only unsafe code; its callbacks of foreign tables ask what
//!   `fdw` answers
//!
//! Beside them: `failure` is what an error tells a user, `query` asks PostgreSQL by SQL, `quote` writes
//! names and values into it, `settings` are the parameters of the extension.
#![deny(unsafe_code)]

mod dashboard;
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

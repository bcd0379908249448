//! What the extension remembers of each table's runs, in its own table.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::run::TableReport;
use crate::backend;
use crate::failure::Failure;
use crate::quote::ident;

/// Who owns the extension, and the schema that its tables live in.
pub struct Extension {
    owner: pg_sys::Oid,
    schema: String,
}

impl Extension {
    pub fn find() -> Result<Extension, Failure> {
        let sql = "SELECT e.extowner, n.nspname::text FROM pg_catalog.pg_extension e \
                   JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace \
                   WHERE e.extname = 'odoo_etl'";
        let (owner, schema) = Spi::get_two::<pg_sys::Oid, String>(sql)?;
        Ok(Extension {
            owner: owner.unwrap_or(pg_sys::InvalidOid),
            schema: schema.unwrap_or_default(),
        })
    }

    /// Remembers how a table's load ended. Users cannot write this table by hand, so the
    /// statement runs as the extension's owner.
    pub fn remember(&self, server: &str, report: &TableReport) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {}.odoo_sync_state AS state \
               (server, target, status, last_started, last_finished, last_success, rows_fetched, last_error) \
             VALUES ($1, $2, $3, clock_timestamp() - make_interval(secs => $4), clock_timestamp(), \
               CASE WHEN $5 IS NULL THEN clock_timestamp() END, $6, $5) \
             ON CONFLICT (server, target) DO UPDATE SET status = EXCLUDED.status, \
               last_started = EXCLUDED.last_started, last_finished = EXCLUDED.last_finished, \
               last_success = coalesce(EXCLUDED.last_success, state.last_success), \
               rows_fetched = EXCLUDED.rows_fetched, last_error = EXCLUDED.last_error",
            ident(&self.schema)
        );
        let args = [
            server.into(),
            report.target.into(),
            report.status.name().into(),
            report.seconds.into(),
            report.error.clone().into(),
            report.fetched.into(),
        ];
        backend::as_role(self.owner, || Spi::run_with_args(&sql, &args))?;
        Ok(())
    }
}

//! Whether anything can be written here.

use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;
use crate::query;

/// Says at once, before Odoo is asked, that nothing can be written: on a standby, or where the
/// transaction is read-only.
pub fn require_writable() -> Result<(), Failure> {
    let state = State::ERRCODE_READ_ONLY_SQL_TRANSACTION;
    let standby = query::is_true("SELECT pg_catalog.pg_is_in_recovery()", &[])?;
    let read_only = "SELECT pg_catalog.current_setting('transaction_read_only')::boolean";
    match standby || query::is_true(read_only, &[])? {
        false => Ok(()),
        true if standby => Err(Failure::new(state, "odoo_etl cannot write during recovery")
            .hint("Run it on the primary server.")),
        true => Err(Failure::new(state, "odoo_etl cannot write in a read-only transaction")
            .hint("SET transaction_read_only = off; or look at default_transaction_read_only.")),
    }
}

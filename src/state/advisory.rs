//! Advisory locks, which end with their transaction.

use pgrx::prelude::*;

use crate::failure::Failure;

/// Whether nobody else is doing the same of a server at this moment: another session that notes the
/// same may take long to commit it.
pub fn is_first(server: &str, what: &str) -> Result<bool, Failure> {
    try_lock("pg_try_advisory_xact_lock", &format!("odoo_etl {what} of {server}"))
}

/// Takes the lock of a key by one of PostgreSQL's functions that do not wait.
pub fn try_lock(function: &str, key: &str) -> Result<bool, Failure> {
    let sql = format!("SELECT {function}(hashtextextended($1, 0))");
    Ok(Spi::get_one_with_args::<bool>(&sql, &[key.into()])? == Some(true))
}

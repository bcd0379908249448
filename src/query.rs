//! Questions to PostgreSQL that change nothing.
//!
//! pgrx's own shortcuts take a transaction id for every question, which a standby cannot give.

use pgrx::datum::DatumWithOid;
use pgrx::{FromDatum, IntoDatum, PgSqlErrorCode as State, Spi};

use crate::failure::Failure;

/// The first column of a query's first row, if it has one.
pub fn ask<T: FromDatum + IntoDatum>(
    sql: &str,
    args: &[DatumWithOid<'_>],
) -> Result<Option<T>, Failure> {
    Spi::connect(|client| {
        let found = client.select(sql, Some(1), args)?;
        if found.is_empty() { Ok(None) } else { Ok(found.first().get::<T>(1)?) }
    })
}

/// Whether a query's answer is true.
pub fn is_true(sql: &str, args: &[DatumWithOid<'_>]) -> Result<bool, Failure> {
    Ok(ask(sql, args)? == Some(true))
}

pub fn current_user() -> Result<String, Failure> {
    Ok(ask("SELECT current_user::text", &[])?.unwrap_or_default())
}

/// Says at once, before Odoo is asked, that nothing can be written: on a standby, or where the
/// transaction is read-only.
pub fn require_writable() -> Result<(), Failure> {
    let state = State::ERRCODE_READ_ONLY_SQL_TRANSACTION;
    let standby = is_true("SELECT pg_catalog.pg_is_in_recovery()", &[])?;
    let read_only = "SELECT pg_catalog.current_setting('transaction_read_only')::boolean";
    match standby || is_true(read_only, &[])? {
        false => Ok(()),
        true if standby => Err(Failure::new(state, "odoo_etl cannot write during recovery")
            .hint("Run it on the primary server.")),
        true => Err(Failure::new(state, "odoo_etl cannot write in a read-only transaction")
            .hint("SET transaction_read_only = off; or look at default_transaction_read_only.")),
    }
}

//! Questions to PostgreSQL that change nothing.
//!
//! pgrx's own shortcuts take a transaction id for every question, which a standby cannot give.

use pgrx::datum::DatumWithOid;
use pgrx::{FromDatum, IntoDatum, Spi};

use crate::failure::Failure;

/// The first column of a query's first row.
pub fn ask<T: FromDatum + IntoDatum>(
    sql: &str,
    args: &[DatumWithOid<'_>],
) -> Result<Option<T>, Failure> {
    Spi::connect(|client| Ok(client.select(sql, Some(1), args)?.first().get::<T>(1)?))
}

/// Whether a query's answer is true.
pub fn is_true(sql: &str, args: &[DatumWithOid<'_>]) -> Result<bool, Failure> {
    Ok(ask(sql, args)? == Some(true))
}

pub fn current_user() -> Result<String, Failure> {
    Ok(ask("SELECT current_user::text", &[])?.unwrap_or_default())
}

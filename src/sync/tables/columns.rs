//! The columns that a schema's tables have, by PostgreSQL's catalogue.

use std::collections::HashMap;

use pgrx::prelude::*;

use crate::failure::Failure;

/// The columns of a table, with their types as PostgreSQL writes them.
pub type Columns = HashMap<String, String>;

/// Those of a schema's tables.
pub type Existing = HashMap<String, Columns>;

/// The columns that a schema's tables have.
pub fn existing(schema: &str) -> Result<Existing, Failure> {
    // As if quote_all_identifiers were off.
    let sql = "SELECT c.relname::text, a.attname::text, replace(format_type(a.atttypid, a.atttypmod), '\"', '') \
               FROM pg_catalog.pg_attribute a \
               JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped";
    Spi::connect(|client| {
        let mut found = Existing::new();
        for row in client.select(sql, None, &[schema.into()])? {
            let (table, column, kind) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let table = found.entry(table.unwrap_or_default()).or_default();
            table.insert(column.unwrap_or_default(), kind.unwrap_or_default());
        }
        Ok(found)
    })
}

/// Keeps other sessions from making tables of the schema, or columns of theirs, until the transaction
/// ends: two first runs at once would both try.
pub fn lock(schema: &str) -> Result<(), Failure> {
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('odoo_etl tables ' || $1, 0))";
    Ok(Spi::run_with_args(lock, &[schema.into()])?)
}

/// Whether a table has a column of that name.
pub fn has_column(schema: &str, table: &str, column: &str) -> Result<bool, Failure> {
    Ok(existing(schema)?.get(table).is_some_and(|columns| columns.contains_key(column)))
}

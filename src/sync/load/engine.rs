//! Engines that keep tables on several machines.

use crate::failure::Failure;
use crate::query;

/// Whether any table of a schema is one of Citus's.
pub fn distributes(schema: &str) -> Result<bool, Failure> {
    let is_there = "SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL";
    let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_partition AS part \
        JOIN pg_catalog.pg_class c ON c.oid = part.logicalrelid \
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1)";
    Ok(query::is_true(is_there, &[])? && query::is_true(sql, &[schema.into()])?)
}

//! What odoo_check says of tables in partitions.

use crate::failure::Failure;
use crate::query;
use crate::quote::literal;
use crate::sync::load::owner::{self, Table};
use crate::sync::load::partitions::bounds::Bounds;
use crate::warehouse::ddl::qualified;
use crate::warehouse::{Dataset, entity_of};

/// What is wrong with a table's partitions, and what to do about it.
pub struct Trouble {
    pub detail: String,
    pub hint: String,
}

/// Rows for which there was no partition in time.
pub fn trouble(schema: &str, dataset: &Dataset) -> Result<Option<Trouble>, Failure> {
    let table = qualified(schema, dataset.table);
    let Some(bounds) = Bounds::of(&table)? else {
        return Ok(None);
    };
    let Some(default) = bounds.default() else {
        return Ok(None);
    };
    let sql = format!("SELECT EXISTS (SELECT FROM {default})");
    let ask = || query::is_true(&sql, &[]);
    if !Table::new(schema, dataset.table).run(owner::READ, ask)? {
        return Ok(None);
    }
    let hint = match bounds.is_managed() {
        true => format!(
            "pg_partman's maintenance does not run: CALL partman.run_maintenance_proc(); then DELETE FROM {default}; \
             and SELECT * FROM odoo_reconcile({}); which reads its rows again.",
            literal(entity_of(dataset)),
        ),
        false => format!(
            "DELETE FROM {default}; ALTER TABLE {table} DETACH PARTITION {default}; DROP TABLE {default}; CALL odoo_partition({}); \
             SELECT * FROM odoo_reconcile({}); which reads its rows again.",
            literal(dataset.table),
            literal(entity_of(dataset)),
        ),
    };
    let detail = format!("rows are in {default}, the partition of all ids that have no other");
    Ok(Some(Trouble { detail, hint }))
}

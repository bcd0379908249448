//! Which rows of facts are gone, for those who follow the tables: table odoo_deleted. An id is there
//! or in its table, never in both.

use pgrx::prelude::*;

use crate::failure::Failure;
use crate::quote::literal;
use crate::sync::load::owner::{self, Table};
use crate::warehouse::ddl::qualified;
use crate::warehouse::deleted::{self, ODOO_DELETED};
use crate::warehouse::{Dataset, Kind};

/// Remembers rows of a feed that were deleted.
pub fn note(schema: &str, dataset: &Dataset, feed: usize, gone: &[i64]) -> Result<(), Failure> {
    if gone.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO {} (target, channel, id, deleted_at) \
         SELECT {}, {}, gone.id, clock_timestamp() FROM unnest($1::bigint[]) AS gone (id) \
         ON CONFLICT (target, channel, id) DO UPDATE SET deleted_at = EXCLUDED.deleted_at",
        qualified(schema, ODOO_DELETED),
        literal(dataset.table),
        literal(dataset.feeds[feed].channel_or_none()),
    );
    let note = || Ok(Spi::run_with_args(&sql, &[gone.to_vec().into()])?);
    Table::new(schema, ODOO_DELETED).run(owner::LOAD, note)
}

/// The statement that forgets some of them, `$1`, whose rows are back. Where none of the feed's are
/// known, as in a first load, no id is looked for.
pub fn forget(schema: &str, dataset: &Dataset, feed: usize) -> String {
    let table = qualified(schema, ODOO_DELETED);
    let of_feed = |alias| deleted::condition(dataset.table, &dataset.feeds[feed], alias);
    format!(
        "DELETE FROM {table} AS gone WHERE EXISTS (SELECT FROM {table} AS any_ WHERE {}) \
         AND {} AND gone.id = ANY ($1)",
        of_feed("any_"),
        of_feed("gone"),
    )
}

/// Whether rows of a table that go are remembered: those of dimensions stay, and are marked.
pub fn is_kept_of(dataset: &Dataset) -> bool {
    dataset.kind == Kind::Fact
}

/// Deletes what is older than so many minutes, but for what somebody's transaction holds.
pub fn prune(schema: &str, minutes: i32) -> Result<(), Failure> {
    let table = qualified(schema, ODOO_DELETED);
    let sql = format!(
        "DELETE FROM {table} WHERE (target, channel, id) IN (SELECT target, channel, id FROM {table} \
         WHERE deleted_at < now() - make_interval(mins => $1) FOR UPDATE SKIP LOCKED)"
    );
    let prune = || Ok(Spi::run_with_args(&sql, &[minutes.into()])?);
    Table::new(schema, ODOO_DELETED).run(owner::FORGET, prune)
}

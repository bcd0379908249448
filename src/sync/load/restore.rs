//! References whose record arrived after the row that has them.

use std::collections::HashMap;

use pgrx::datum::{DatumWithOid, clock_timestamp};
use pgrx::prelude::*;

use crate::failure::Failure;
use crate::query;
use crate::quote::{ident, literal};
use crate::sync::load::owner::{self, Table};
use crate::sync::load::references::{Reference, declared, references};
use crate::warehouse::ddl::qualified;
use crate::warehouse::missing::{self, MISSING_DATA};
use crate::warehouse::{Dataset, Extent, Source};

/// Restores the references to records that arrived after the rows that refer to them, and
/// what those rows inherit from them; in the tables that may be written.
pub fn restore_all(
    schema: &str,
    may_write: impl Fn(&Dataset) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut is_any = false;
    for target in declared(schema) {
        if has_open(schema, target)? && may_write(target)? {
            for feed in 0..target.feeds.len() {
                for reference in references(target, feed) {
                    is_any |= restore_reference(schema, target, feed, &reference)?;
                }
            }
        }
    }
    if !is_any {
        return Ok(());
    }
    // What was missing for a moment only, between tables that refer to each other.
    let passing = format!(
        "DELETE FROM {} WHERE first_seen = now() AND resolved_at = now()",
        qualified(schema, MISSING_DATA)
    );
    Table::missing(schema).run(owner::FORGET, || Ok(Spi::run(&passing)?))
}

/// Whether references of a table are missing.
fn has_open(schema: &str, target: &Dataset) -> Result<bool, Failure> {
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {} WHERE target = $1 AND resolved_at IS NULL)",
        qualified(schema, MISSING_DATA)
    );
    let ask = || query::is_true(&sql, &[target.table.into()]);
    Table::missing(schema).run(owner::READ, ask)
}

/// Whether records that rows lacked have come by one reference; restores it then.
fn restore_reference(
    schema: &str,
    target: &'static Dataset,
    feed: usize,
    reference: &Reference,
) -> Result<bool, Failure> {
    let source = &target.feeds[feed];
    let column = ident(reference.column);
    let inherited: Vec<_> = inherited(target, reference.column).collect();
    let list = |format: &dyn Fn(&(String, String)) -> String| {
        inherited.iter().map(format).collect::<String>()
    };
    let condition = format!(
        "{} AND known.column_name = {} AND known.resolved_at IS NULL",
        missing::condition(target.table, source, "known"),
        literal(reference.column),
    );
    // Where a model is kept from the user its table is empty, and as many rows lack records of it as
    // there are: that is asked first.
    let sql = format!(
        "WITH found AS MATERIALIZED (SELECT known.row_id, parent.id{theirs} FROM {known} AS known \
           JOIN {parents} AS parent ON parent.id = known.missing_id AND {of_feed} WHERE {condition} \
           AND (SELECT max(parent.id) FROM {parents} AS parent WHERE {of_feed}) IS NOT NULL), \
         restored AS (UPDATE {table} AS row SET {column} = found.id{changes}, synced_at = $1 FROM found \
           WHERE row.id = found.row_id AND {own_feed} AND row.{column} IS NULL) \
         SELECT array_agg(row_id) FROM found",
        theirs = list(&|(_, theirs)| format!(", parent.{theirs}")),
        changes = list(&|(ours, theirs)| format!(", {ours} = found.{theirs}")),
        table = qualified(schema, target.table),
        known = qualified(schema, MISSING_DATA),
        parents = qualified(schema, reference.table),
        of_feed = reference.of_feed("parent"),
        own_feed = source.condition("row"),
    );
    let args = [clock_timestamp().into()];
    let restore = || {
        Ok(Spi::connect_mut(|client| client.update(&sql, None, &args)?.first().get::<Vec<i64>>(1))?)
    };
    let Some(found) = Table::new(schema, target.table).run(owner::LOAD, restore)? else {
        return Ok(false);
    };
    let sql = format!(
        "UPDATE {} AS known SET resolved_at = now() WHERE {condition} AND row_id = ANY ($1)",
        qualified(schema, MISSING_DATA)
    );
    let resolve = || Ok(Spi::run_with_args(&sql, &[found.into()])?);
    Table::missing(schema).run(owner::LOAD, resolve)?;
    pass_on(schema, target, reference.column)?;
    Ok(true)
}

/// Hands a restored reference on to the rows that inherit it.
fn pass_on(schema: &str, from: &'static Dataset, column: &str) -> Result<(), Failure> {
    for heir in declared(schema) {
        for (feed, source) in heir.feeds.iter().enumerate() {
            for through in references(heir, feed).iter().filter(|r| r.table == from.table) {
                let own = heir.columns.iter().find(|own| {
                    matches!(own.source, Source::Inherited { reference, column: theirs, .. }
                        if reference == through.column && theirs == column)
                });
                let (Some(own), Some(parent)) = (own, through.feed()) else { continue };
                let sql = format!(
                    "WITH restored AS MATERIALIZED (SELECT parent.id, parent.{theirs} FROM {known} AS known \
                       JOIN {parents} AS parent ON parent.id = known.row_id AND {of_feed} \
                       WHERE {is_known} AND known.column_name = {name} AND known.resolved_at = now()) \
                     UPDATE {heir} AS row SET {own} = restored.{theirs}, synced_at = $1 FROM restored \
                     WHERE {own_feed} AND row.{through} = restored.id AND row.{own} IS DISTINCT FROM restored.{theirs}",
                    heir = qualified(schema, heir.table),
                    own = ident(own.name),
                    theirs = ident(column),
                    parents = qualified(schema, from.table),
                    known = qualified(schema, MISSING_DATA),
                    is_known = missing::condition(from.table, parent, "known"),
                    name = literal(column),
                    of_feed = parent.condition("parent"),
                    own_feed = source.condition("row"),
                    through = ident(through.column),
                );
                let args = [clock_timestamp().into()];
                let hand_on = || Ok(Spi::run_with_args(&sql, &args)?);
                Table::new(schema, heir.table).run(owner::LOAD, hand_on)?;
            }
        }
    }
    Ok(())
}

/// Hands on what others inherit from rows of a feed, where it differs: these were read again, their
/// heirs may not have been. Without `ids` from all rows. Heirs that every run reads whole look for
/// themselves.
pub fn pass_on_from(
    schema: &str,
    from: &Dataset,
    feed: usize,
    ids: Option<&[i64]>,
    may_write: impl Fn(&Dataset) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let of_these = ids.map_or("", |_| " AND parent.id = ANY ($2::bigint[])");
    let ids = ids.map(|ids| ids.to_vec().into());
    let args: Vec<DatumWithOid<'_>> = [clock_timestamp().into()].into_iter().chain(ids).collect();
    for heir in declared(schema).filter(|heir| heir.extent == Extent::Changed) {
        for (own, source) in heir.feeds.iter().enumerate() {
            for through in references(heir, own).iter().filter(|r| r.points_to(from, feed)) {
                let columns: Vec<_> = inherited(heir, through.column).collect();
                if columns.is_empty() || !may_write(heir)? {
                    continue;
                }
                owner::require_reading(schema, heir.table, from.table)?;
                let list = |format: &dyn Fn(&(String, String)) -> String| {
                    columns.iter().map(format).collect::<Vec<_>>().join(", ")
                };
                let sql = format!(
                    "UPDATE {heir} AS row SET {changes}, synced_at = $1 \
                     FROM (SELECT parent.id{of_parent} FROM {parents} AS parent WHERE {of_feed}{of_these} OFFSET 0) AS parent \
                     WHERE row.{through} = parent.id AND {own_feed} AND ({ours}) IS DISTINCT FROM ({theirs})",
                    of_parent = columns
                        .iter()
                        .map(|(_, theirs)| format!(", parent.{theirs}"))
                        .collect::<String>(),
                    heir = qualified(schema, heir.table),
                    changes = list(&|(ours, theirs)| format!("{ours} = parent.{theirs}")),
                    parents = qualified(schema, from.table),
                    through = ident(through.column),
                    of_feed = through.of_feed("parent"),
                    own_feed = source.condition("row"),
                    ours = list(&|(ours, _)| format!("row.{ours}")),
                    theirs = list(&|(_, theirs)| format!("parent.{theirs}")),
                );
                let pass_on = || Ok(Spi::run_with_args(&sql, &args)?);
                Table::new(schema, heir.table).run(owner::LOAD, pass_on)?;
            }
        }
    }
    Ok(())
}

/// The columns that are inherited through a reference: their names, and those of the parent's.
fn inherited(heir: &Dataset, through: &str) -> impl Iterator<Item = (String, String)> {
    heir.columns.iter().filter_map(move |own| match own.source {
        Source::Inherited { reference, column, .. } if reference == through => {
            Some((ident(own.name), ident(column)))
        }
        _ => None,
    })
}

/// How many references are missing, by table.
pub fn count_missing(schema: &str) -> Result<HashMap<String, i64>, Failure> {
    let sql = format!(
        "SELECT target, count(*) FROM {} WHERE resolved_at IS NULL GROUP BY target",
        qualified(schema, MISSING_DATA)
    );
    let count = || {
        Spi::connect(|client| {
            let mut counts = HashMap::new();
            for row in client.select(&sql, None, &[])? {
                counts.extend(row.get::<String>(1)?.zip(row.get::<i64>(2)?));
            }
            Ok(counts)
        })
    };
    Table::missing(schema).run(owner::READ, count)
}

//! Records that are gone from Odoo: marked in dimensions, deleted from facts.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use pgrx::datum::{DatumWithOid, clock_timestamp};
use pgrx::prelude::*;

use crate::failure::Failure;
use crate::odoo::BEFORE_ALL;
use crate::pg;
use crate::quote::{ident, literal};
use crate::sync::load::own::deleted;
use crate::sync::load::own::history;
use crate::sync::load::owner::{self, Table};
use crate::sync::load::references::{Reference, declared, references};
use crate::warehouse::ddl::qualified;
use crate::warehouse::missing::{self, MISSING_DATA};
use crate::warehouse::{Column, Dataset, Kind, Source};

/// The condition under which a row is a feed's, and not marked as deleted.
pub fn of_feed(dataset: &Dataset, feed: usize, alias: &str) -> String {
    let condition = dataset.feeds[feed].condition(alias);
    match dataset.kind {
        Kind::Dimension => format!("{condition} AND {alias}.deleted_at IS NULL"),
        Kind::Fact => condition,
    }
}

/// Ids behind the first, up to the second.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    pub after: i64,
    pub to: i64,
}

impl Range {
    pub const ALL: Range = Range { after: BEFORE_ALL, to: i64::MAX };
}

/// Whether there is no row of a feed: the key tells, be the rows of another one as many as they may.
pub fn has_no_rows(schema: &str, dataset: &'static Dataset, feed: usize) -> Result<bool, Failure> {
    let table = qualified(schema, dataset.table);
    let condition = dataset.feeds[feed].condition("row");
    let sql = format!("SELECT max(row.id) IS NULL FROM {table} AS row WHERE {condition}");
    let ask = || Ok(Spi::get_one(&sql)?.unwrap_or(false));
    Table::new(schema, dataset.table).run(owner::READ, ask)
}

/// The rows of a range that are not among `present`, all the ids that Odoo has there, and that
/// nobody has written since `started`.
pub fn absent(
    schema: &str,
    dataset: &'static Dataset,
    feed: usize,
    range: Range,
    present: &[i64],
    started: SystemTime,
) -> Result<Vec<i64>, Failure> {
    let sql = format!(
        "SELECT array_agg(id) FROM (SELECT row.id FROM {} AS row WHERE {} AND row.id > $2 AND row.id <= $3 \
         AND (row.synced_at IS NULL OR row.synced_at < to_timestamp($4)) \
         EXCEPT SELECT unnest($1::bigint[])) AS gone",
        qualified(schema, dataset.table),
        of_feed(dataset, feed, "row"),
    );
    let started = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // The arguments of one chunk are not kept until the last one.
    pg::in_own_memory(|| {
        let args = [
            present.to_vec().into(),
            range.after.into(),
            range.to.into(),
            started.as_secs_f64().into(),
        ];
        let ask = || Ok(Spi::get_one_with_args::<Vec<i64>>(&sql, &args)?.unwrap_or_default());
        Table::new(schema, dataset.table).run(owner::READ, ask)
    })
}

/// How many rows of a feed there are, without those that are marked as deleted.
pub fn count_rows(schema: &str, dataset: &Dataset, feed: usize) -> Result<i64, Failure> {
    let table = qualified(schema, dataset.table);
    let sql =
        format!("SELECT count(*) FROM {table} AS row WHERE {}", of_feed(dataset, feed, "row"));
    let count = || Ok(Spi::get_one(&sql)?.unwrap_or(0));
    Table::new(schema, dataset.table).run(owner::READ, count)
}

/// The same, if none of them was edited by hand.
pub fn count_unedited(
    schema: &str,
    dataset: &Dataset,
    feed: usize,
) -> Result<Option<i64>, Failure> {
    let table = qualified(schema, dataset.table);
    let sql = format!(
        "SELECT CASE WHEN bool_and(row.odoo_write_date IS NOT NULL) THEN count(*) END \
         FROM {table} AS row WHERE {}",
        of_feed(dataset, feed, "row")
    );
    Table::new(schema, dataset.table).run(owner::READ, || Ok(Spi::get_one(&sql)?))
}

/// Deletes the parts of some owners that are not among `present`. Returns how many rows.
pub fn vanished_parts(
    schema: &str,
    dataset: &'static Dataset,
    feed: usize,
    owner: &str,
    owners: &[i64],
    present: &[i64],
) -> Result<i64, Failure> {
    let gone = format!(
        "SELECT array_agg(id) FROM (SELECT row.id FROM {} AS row WHERE {} AND row.{} = ANY ($1::bigint[]) \
         EXCEPT SELECT unnest($2::bigint[])) AS gone",
        qualified(schema, dataset.table),
        of_feed(dataset, feed, "row"),
        ident(owner),
    );
    let args = [owners.to_vec().into(), present.to_vec().into()];
    let find = || Ok(Spi::get_one_with_args::<Vec<i64>>(&gone, &args)?.unwrap_or_default());
    let gone = Table::new(schema, dataset.table).run(owner::READ, find)?;
    rows(schema, dataset, feed, &gone, None)
}

/// Deletes rows by id, those of them that are there. What is a part of them goes too; other
/// references to them become NULL, and missing_data remembers them. odoo_deleted tells of them.
/// Their versions end at a time of Odoo's, where the table keeps its history.
pub fn rows(
    schema: &str,
    dataset: &'static Dataset,
    feed: usize,
    ids: &[i64],
    clock: Option<DateTime<Utc>>,
) -> Result<i64, Failure> {
    if ids.is_empty() {
        return Ok(0);
    }
    let table = Table::new(schema, dataset.table);
    let name = qualified(schema, dataset.table);
    let condition = format!("row.id = ANY ($1::bigint[]) AND {}", of_feed(dataset, feed, "row"));
    let change = match dataset.kind {
        Kind::Dimension => {
            format!("UPDATE {name} AS row SET deleted_at = now(), synced_at = $2")
        }
        Kind::Fact => {
            release_all_of(schema, dataset, feed, ids)?;
            format!("DELETE FROM {name} AS row")
        }
    };
    let versions = clock.map(|_| history::end(schema, dataset, "$3::timestamptz"));
    let sql = format!(
        "WITH gone AS ({change} WHERE {condition} RETURNING row.id){} SELECT array_agg(id) FROM gone",
        versions.unwrap_or_default()
    );
    let mut args: Vec<DatumWithOid<'_>> = vec![ids.to_vec().into(), clock_timestamp().into()];
    args.extend(clock.map(|clock| DatumWithOid::from(clock.to_rfc3339())));
    let delete = || Ok(Spi::get_one_with_args::<Vec<i64>>(&sql, &args)?.unwrap_or_default());
    let gone = table.run(owner::deleting(dataset), delete)?;
    if dataset.kind == Kind::Fact {
        settle(schema, dataset, feed, ids)?;
        deleted::note(schema, dataset, feed, &gone)?;
    }
    Ok(gone.len() as i64)
}

/// Lets go of rows that are about to be deleted.
fn release_all_of(
    schema: &str,
    dataset: &'static Dataset,
    feed: usize,
    ids: &[i64],
) -> Result<(), Failure> {
    for child in declared(schema) {
        for child_feed in 0..child.feeds.len() {
            for reference in references(child, child_feed) {
                if reference.points_to(dataset, feed) {
                    release(schema, child, child_feed, &reference, ids)?;
                }
            }
        }
    }
    Ok(())
}

/// What rows lacked that are gone is missing no more.
fn settle(schema: &str, dataset: &Dataset, feed: usize, ids: &[i64]) -> Result<(), Failure> {
    let sql = format!(
        "UPDATE {} AS known SET resolved_at = now() WHERE {} \
         AND row_id = ANY ($1::bigint[]) AND resolved_at IS NULL",
        qualified(schema, MISSING_DATA),
        missing::condition(dataset.table, &dataset.feeds[feed], "known"),
    );
    let settle = || Ok(Spi::run_with_args(&sql, &[ids.to_vec().into()])?);
    Table::missing(schema).run(owner::LOAD, settle)
}

/// Lets go of them by one reference.
fn release(
    schema: &str,
    child: &'static Dataset,
    feed: usize,
    reference: &Reference,
    ids: &[i64],
) -> Result<(), Failure> {
    let table = qualified(schema, child.table);
    let column = ident(reference.column);
    let condition =
        format!("row.{column} = ANY ($1::bigint[]) AND {}", child.feeds[feed].condition("row"));
    if child.owner == Some(reference.column) {
        let parts = format!("SELECT array_agg(row.id) FROM {table} AS row WHERE {condition}");
        let find = || Ok(Spi::get_one_with_args(&parts, &[ids.to_vec().into()])?);
        let parts: Option<Vec<i64>> = Table::new(schema, child.table).run(owner::READ, find)?;
        return rows(schema, child, feed, &parts.unwrap_or_default(), None).map(drop);
    }
    let_go(schema, child, feed, reference, ids, "deleted in Odoo")
}

/// Makes references NULL, and remembers them.
fn let_go(
    schema: &str,
    child: &'static Dataset,
    feed: usize,
    reference: &Reference,
    ids: &[i64],
    reason: &str,
) -> Result<(), Failure> {
    let table = qualified(schema, child.table);
    let column = ident(reference.column);
    let condition =
        format!("row.{column} = ANY ($1::bigint[]) AND {}", child.feeds[feed].condition("row"));
    let sql = format!(
        "WITH lost AS (SELECT row.id, row.{column} AS missing_id FROM {table} AS row WHERE {condition}), \
         released AS (UPDATE {table} AS row SET {column} = NULL, synced_at = $2 FROM lost \
           WHERE row.id = lost.id AND {own_feed} RETURNING lost.id, lost.missing_id) \
         SELECT array_agg(id), array_agg(missing_id) FROM released",
        own_feed = child.feeds[feed].condition("row"),
    );
    let args = [ids.to_vec().into(), clock_timestamp().into()];
    let release = || Ok(Spi::get_two_with_args::<Vec<i64>, Vec<i64>>(&sql, &args)?);
    let (Some(lost), missing) = Table::new(schema, child.table).run(owner::LOAD, release)? else {
        return Ok(());
    };
    let sql = format!(
        "INSERT INTO {missing_data} AS known (target, channel, row_id, column_name, odoo_model, missing_id, last_error) \
         SELECT {target}, {channel}, row_id, {name}, {model}, missing_id, {reason} \
         FROM unnest($1::bigint[], $2::bigint[]) AS lost (row_id, missing_id) \
         ON CONFLICT (target, channel, row_id, column_name) DO UPDATE SET \
           missing_id = EXCLUDED.missing_id, last_error = EXCLUDED.last_error, last_seen = now(), resolved_at = NULL",
        missing_data = qualified(schema, MISSING_DATA),
        target = literal(child.table),
        channel = literal(child.feeds[feed].channel_or_none()),
        name = literal(reference.column),
        model = literal(reference.model()),
        reason = literal(reason),
    );
    let args = [lost.into(), missing.into()];
    Table::missing(schema).run(owner::LOAD, || Ok(Spi::run_with_args(&sql, &args)?))
}

/// Lets go, by one column, of rows that are gone though no foreign key was asked.
pub fn release_absent(
    schema: &str,
    child: &'static Dataset,
    column: &Column,
    reason: &str,
) -> Result<(), Failure> {
    let own = Table::new(schema, child.table);
    let (table, name) = (qualified(schema, child.table), ident(column.name));
    if let Source::Inherited { table: Some(parent), .. } = column.source {
        // It comes back with the column that it is inherited from.
        let sql = format!(
            "UPDATE {table} AS row SET {name} = NULL, synced_at = $1 WHERE row.{name} = ANY (\
               SELECT row.{name} FROM {table} AS row WHERE row.{name} IS NOT NULL EXCEPT SELECT id FROM {})",
            qualified(schema, parent)
        );
        let args = [clock_timestamp().into()];
        return own.run(owner::LOAD, || Ok(Spi::run_with_args(&sql, &args)?));
    }
    for (feed, source) in child.feeds.iter().enumerate() {
        for reference in references(child, feed).iter().filter(|r| r.column == column.name) {
            let sql = format!(
                "SELECT array_agg(id) FROM (SELECT row.{name} AS id FROM {table} AS row WHERE {} AND row.{name} IS NOT NULL \
                 EXCEPT SELECT there.id FROM {} AS there WHERE {}) AS absent",
                source.condition("row"),
                qualified(schema, reference.table),
                reference.of_feed("there"),
            );
            let ids: Option<Vec<i64>> = own.run(owner::READ, || Ok(Spi::get_one(&sql)?))?;
            if let Some(ids) = ids {
                let_go(schema, child, feed, reference, &ids, reason)?;
            }
        }
    }
    Ok(())
}

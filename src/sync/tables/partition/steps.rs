//! The way of a table into partitions, a step at a time, between which the caller commits. What comes
//! next is read off the catalogue, so that whoever calls again goes on, wherever it was interrupted.

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use super::order::Order;
use super::swap::{AGAIN, require_free, swap};
use crate::failure::{Cause, Failure, notice};
use crate::pg::Relation;
use crate::query;
use crate::server::lock;
use crate::sync::load::first_load::{self, Made};
use crate::sync::load::owner::{self, Table};
use crate::sync::load::partitions::bounds::{self, Bounds, CONSTRAINT, Ids};
use crate::sync::load::partitions::making::Partitions;
use crate::sync::load::patience::{in_use, patiently};
use crate::warehouse::{self, Dataset};

/// Does the next step; `false` when there is none.
pub fn step(order: &Order<'_>) -> Result<bool, Failure> {
    lock::take(order.server, order.entity)?;
    if Relation::find(order.schema(), &order.table).is_none() {
        order.store.note_partitions(&order.server.name, &order.table, order.rows)?;
        notice!("the next run makes table {} in partitions", order.table);
        return Ok(false);
    }
    match Bounds::of(&order.name())? {
        Some(bounds) => complete(order, &bounds),
        None => approach(order),
    }
}

/// Towards the first partition.
fn approach(order: &Order<'_>) -> Result<bool, Failure> {
    let table = Table::new(order.schema(), &order.table);
    let alter = |sql: String| {
        patiently(|| table.alter(|| Ok(Spi::run(&sql)?)))
            .map_err(|failure| in_use(order.schema(), &order.table, AGAIN, failure))
    };
    match bounds::constraint(&order.name())? {
        None => {
            table.alter(|| Ok(()))?;
            require_plain(order)?;
            require_free(order)?;
            let Ids { from, to } = span(order)?;
            alter(format!(
                "ALTER TABLE {} ADD CONSTRAINT {CONSTRAINT} CHECK (id >= {from} AND id < {to}) NOT VALID",
                order.name()
            ))?;
        }
        // Others go on meanwhile.
        Some((_, false)) => {
            alter(format!("ALTER TABLE {} VALIDATE CONSTRAINT {CONSTRAINT}", order.name()))?;
        }
        Some((held, true)) => {
            let referring = referring(order);
            swap(order, held)?;
            order.store.note_partitions(&order.server.name, &order.table, order.rows)?;
            let names: Vec<_> = referring.iter().map(|dataset| dataset.table).collect();
            order.store.begin_first_loads(&order.server.name, &names)?;
        }
    }
    Ok(true)
}

/// The declared tables that are there and refer to it.
fn referring(order: &Order<'_>) -> Vec<&'static Dataset> {
    let refers = |dataset: &&Dataset| {
        dataset.columns.iter().any(|column| column.refers_to() == Some(order.table.as_str()))
    };
    let is_there = |dataset: &&Dataset| Relation::find(order.schema(), dataset.table).is_some();
    warehouse::datasets().filter(refers).filter(is_there).collect()
}

/// Once the table has partitions: the next one, and the keys that lead to it.
fn complete(order: &Order<'_>, bounds: &Bounds) -> Result<bool, Failure> {
    Table::new(order.schema(), &order.table).alter(|| Ok(()))?;
    order.store.note_partitions(&order.server.name, &order.table, order.rows)?;
    // Behind a partition without an end there is no room.
    let has_end = bounds.last().is_none_or(|last| last.to != i64::MAX);
    let is_next_as_wanted = bounds.rows() == Some(order.rows) && has_room(order, bounds)?;
    if has_end && bounds.default().is_none() && !bounds.is_managed() && !is_next_as_wanted {
        Partitions::new(order.schema(), &order.table).add(order.rows)?;
        return Ok(true);
    }
    let owed = order.store.first_loads(&order.server.name)?;
    for dataset in referring(order).into_iter().filter(|dataset| owed.contains(dataset.table)) {
        if make_next(order, dataset)? {
            return Ok(true);
        }
    }
    analyze(order)?;
    Ok(false)
}

/// Tells the planner of the rows in all partitions, as autovacuum does of each.
fn analyze(order: &Order<'_>) -> Result<(), Failure> {
    let sql = "SELECT reltuples < 0 FROM pg_catalog.pg_class WHERE oid = to_regclass($1)";
    match query::is_true(sql, &[order.name().into()])? {
        true => first_load::analyze(order.schema(), &order.table),
        false => Ok(()),
    }
}

/// Makes the next of what a table lacks, unless others keep it from being made.
fn make_next(order: &Order<'_>, dataset: &'static Dataset) -> Result<bool, Failure> {
    match lock::take(order.server, warehouse::entity_of(dataset)) {
        // Whose run makes it.
        Err(failure) if failure.cause == Cause::Taken => return Ok(false),
        done => done?,
    }
    match first_load::lacking(order.schema(), dataset)?.pop_front() {
        Some(piece) => Ok(matches!(piece.make(order.schema())?, Made::Yes)),
        None => {
            order.store.end_first_load(&order.server.name, dataset.table)?;
            Ok(false)
        }
    }
}

/// Whether the last partition is for ids that are still to come.
fn has_room(order: &Order<'_>, bounds: &Bounds) -> Result<bool, Failure> {
    let highest = extreme(order, "max")?;
    Ok(bounds.last().is_some_and(|last| highest.is_none_or(|highest| highest < last.from)))
}

/// The ids of the first partition: those that are there, and room for those that come meanwhile.
fn span(order: &Order<'_>) -> Result<Ids, Failure> {
    let (lowest, highest) = (extreme(order, "min")?, extreme(order, "max")?);
    let around = |id| Ids::around(id, order.rows);
    let first = around(lowest.unwrap_or(0).min(0));
    Ok(Ids { from: first.from, to: around(highest.unwrap_or(0)).to.saturating_add(order.rows) })
}

/// The least or the greatest id, by the primary key's index.
fn extreme(order: &Order<'_>, function: &str) -> Result<Option<i64>, Failure> {
    let of_feeds: Vec<_> = match order.dataset {
        Some(dataset) => dataset.feeds.iter().map(|feed| feed.condition("row")).collect(),
        None => vec!["true".to_owned()],
    };
    let one = |condition: &String| {
        format!("(SELECT {function}(row.id) FROM {} AS row WHERE {condition})", order.name())
    };
    let all: Vec<_> = of_feeds.iter().map(one).collect();
    let which = if function == "min" { "least" } else { "greatest" };
    let sql = format!("SELECT {which}({})", all.join(", "));
    Table::new(order.schema(), &order.table).run(owner::READ, || query::ask(&sql, &[]))
}

/// Makes sure that a table is no part of something else, nor being loaded for the first time.
fn require_plain(order: &Order<'_>) -> Result<(), Failure> {
    let sql = "SELECT CASE WHEN c.relkind = 'p' THEN 'It is partitioned ' || pg_get_partkeydef(c.oid) || '; its partitions are its owner''s to make.' \
          WHEN c.relispartition THEN 'It is a partition of another table.' \
          WHEN c.relkind <> 'r' OR i.inhrelid IS NOT NULL THEN 'Other tables inherit from it, or it from them.' END \
        FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_inherits i ON c.oid IN (i.inhrelid, i.inhparent) \
        WHERE c.oid = to_regclass($1) LIMIT 1";
    let state = State::ERRCODE_WRONG_OBJECT_TYPE;
    if let Some(reason) = query::ask::<String>(sql, &[order.name().into()])? {
        return Err(Failure::new(
            state,
            format!("table {} cannot become a partition", order.table),
        )
        .detail(reason));
    }
    let owed = order.store.first_loads(&order.server.name)?;
    if !owed.contains(&order.table) {
        return Ok(());
    }
    let state = State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
    Err(Failure::new(state, format!("the first load of table {} has not ended", order.name()))
        .detail("It still lacks foreign keys and indexes.")
        .hint(format!(
            "CALL odoo_sync_job('{}'); and then again. Or drop the table, which the next run makes in partitions.",
            order.entity
        )))
}

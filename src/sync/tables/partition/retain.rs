//! Retention: partitions whose rows are all older than a day are detached, and their ids left out from
//! then on.

use std::collections::HashMap;

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use crate::failure::{Failure, notice};
use crate::query::{self, require_writable};
use crate::quote::{ident, literal};
use crate::server::{Server, lock};
use crate::state::{DetachedIds, Store, warehouse_of};
use crate::sync::load::owner::{self, Table};
use crate::sync::load::partitions::bounds::{Bounds, Ids, attached};
use crate::sync::load::patience::{in_use, patiently};
use crate::sync::load::references::{Reference, declared, references};
use crate::warehouse::ddl::qualified;
use crate::warehouse::missing::{self, MISSING_DATA};
use crate::warehouse::{Dataset, Entity, Feed, Kind, Warehouse};

/// The day by which a fact's rows are old.
const DAY: &str = "business_date";

/// Ids that were let go of a server's tables, by table and channel, each from the first, below the
/// second.
#[derive(Debug, Default)]
pub struct LetGo(HashMap<String, HashMap<String, Vec<(i64, i64)>>>);

impl LetGo {
    /// What was detached, and is not attached again.
    pub fn of_server(store: &Store, server: &Server) -> Result<LetGo, Failure> {
        let mut all = LetGo::default();
        let mut there: HashMap<String, Vec<String>> = HashMap::new();
        for DetachedIds { target, channel, ids, partition } in store.detached(&server.name)? {
            if !there.contains_key(&target) {
                let leaves = attached(&qualified(&server.options.schema, &target))?;
                there.insert(target.clone(), leaves.into_iter().map(|(leaf, _)| leaf).collect());
            }
            let is_back = |partition| there[&target].contains(&partition);
            if !partition.is_some_and(is_back) {
                all.0.entry(target).or_default().entry(channel).or_default().push(ids);
            }
        }
        for ranges in all.0.values_mut().flat_map(HashMap::values_mut) {
            ranges.dedup_by(|next, before| {
                let is_next = next.0 <= before.1;
                before.1 = if is_next { before.1.max(next.1) } else { before.1 };
                is_next
            });
        }
        Ok(all)
    }

    pub fn of(&self, table: &str, feed: &Feed) -> &[(i64, i64)] {
        let ranges = self.0.get(table).and_then(|own| own.get(feed.channel_or_none()));
        ranges.map_or(&[], Vec::as_slice)
    }
}

/// A feed of a table, and a reference of its rows.
type Referring = (&'static Dataset, usize, Reference);

/// A partition that was detached.
pub struct Detached {
    pub target: String,
    pub partition: String,
    pub ids: Ids,
}

/// What is kept of an entity: rows of a day, `2024-01-31`, and later.
pub struct Retention<'a> {
    server: &'a Server,
    store: Store,
    warehouse: Warehouse,
    entity: &'static Entity,
    day: &'a str,
}

impl<'a> Retention<'a> {
    pub fn new(server: &'a Server, entity: &str, day: &'a str) -> Result<Retention<'a>, Failure> {
        require_writable()?;
        let (store, warehouse) = (Store::find()?, warehouse_of(&server.name)?);
        let is_dated = |dataset: &Dataset| {
            dataset.kind == Kind::Fact && dataset.columns.iter().any(|column| column.name == DAY)
        };
        let dated = |entity: &&&Entity| entity.datasets.iter().any(is_dated);
        let Some(found) = warehouse.entities().iter().filter(dated).find(|own| own.name == entity)
        else {
            let names: Vec<_> =
                warehouse.entities().iter().filter(dated).map(|own| own.name).collect();
            let message = format!("entity \"{entity}\" has no table with a {DAY}");
            return Err(Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, message)
                .hint(format!("Entities: {}.", names.join(", "))));
        };
        let entity = *found;
        Ok(Retention { server, store, warehouse, entity, day })
    }

    fn schema(&self) -> &str {
        &self.server.options.schema
    }

    /// Detaches the partitions that hold older rows alone; parts before what they are parts of.
    pub fn detach(&self, drops: bool) -> Result<Vec<Detached>, Failure> {
        lock::take(self.server, self.entity.name)?;
        lock::take_rows(self.server, self.entity.name)?;
        self.require_loaded()?;
        let (mut detached, mut has_parts) = (Vec::new(), false);
        for dataset in self.entity.datasets.iter().rev() {
            let table = qualified(self.schema(), dataset.table);
            has_parts |= Bounds::of(&table)?.is_some();
            let mut leaves = attached(&table)?;
            // A table without partitions takes no rows.
            leaves.pop();
            let referring = self.referring(dataset);
            for (leaf, ids) in leaves {
                if self.is_old(dataset, &leaf)? && !self.is_owner(&referring, &leaf, ids)? {
                    self.let_go(dataset, &referring, &leaf, ids, drops)?;
                    detached.push(Detached {
                        target: dataset.table.to_owned(),
                        partition: leaf,
                        ids,
                    });
                }
            }
        }
        match has_parts {
            true => Ok(detached),
            false => Err(self.has_none()),
        }
    }

    /// Makes sure that the ids which are there are those that Odoo has given.
    fn require_loaded(&self) -> Result<(), Failure> {
        let owed = self.store.first_loads(&self.server.name)?;
        let mut tables = self.entity.datasets.iter().map(|dataset| dataset.table);
        let Some(table) = tables.find(|table| owed.contains(*table)) else {
            return Ok(());
        };
        let message = format!("the first load of table {table} has not ended");
        Err(Failure::new(State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
            .detail("What it has not read yet would be left out for good.")
            .hint(format!("CALL odoo_sync_job({}); and then again.", literal(self.entity.name))))
    }

    fn has_none(&self) -> Failure {
        let tables = self.entity.datasets.iter().rev();
        let calls: Vec<_> =
            tables.map(|own| format!("CALL odoo_partition({});", literal(own.table))).collect();
        let message = format!("no table of entity \"{}\" has partitions", self.entity.name);
        Failure::new(State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
            .detail("Rows are let go by partitions.")
            .hint(calls.join(" "))
    }

    /// Whether a partition has rows, and all of them are older.
    fn is_old(&self, dataset: &Dataset, leaf: &str) -> Result<bool, Failure> {
        if !dataset.columns.iter().any(|column| column.name == DAY) {
            return Ok(false);
        }
        let sql = format!(
            "SELECT EXISTS (SELECT FROM {leaf}) AND NOT EXISTS (SELECT FROM {leaf} WHERE {DAY} >= $1::date) \
             AND NOT EXISTS (SELECT FROM {leaf} WHERE {DAY} IS NULL)"
        );
        let ask = || query::is_true(&sql, &[self.day.into()]);
        Table::new(self.schema(), dataset.table).run(owner::READ, ask)
    }

    /// Whether rows that stay are parts of a partition's.
    fn is_owner(&self, referring: &[Referring], leaf: &str, ids: Ids) -> Result<bool, Failure> {
        for (child, feed, reference) in referring {
            if child.owner != Some(reference.column) {
                continue;
            }
            let sql = format!(
                "SELECT EXISTS (SELECT {})",
                refers(self.schema(), child, *feed, reference, ids)
            );
            let ask = || query::is_true(&sql, &[]);
            if Table::new(self.schema(), child.table).run(owner::READ, ask)? {
                notice!("partition {leaf} stays, as rows of {} are parts of its rows", child.table);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The references to a table.
    fn referring(&self, dataset: &Dataset) -> Vec<Referring> {
        let mut found = Vec::new();
        for child in declared(self.schema()).chain(self.warehouse.mirrors()) {
            for feed in 0..child.feeds.len() {
                let theirs = references(child, feed).into_iter();
                found.extend(
                    theirs.filter(|one| one.table == dataset.table).map(|one| (child, feed, one)),
                );
            }
        }
        found
    }

    fn let_go(
        &self,
        dataset: &Dataset,
        referring: &[Referring],
        leaf: &str,
        ids: Ids,
        drops: bool,
    ) -> Result<(), Failure> {
        let table = Table::new(self.schema(), dataset.table);
        let given = self.given(dataset, ids)?;
        let mut inside = Vec::new();
        for (child, feed, reference) in referring {
            if child.table == dataset.table && !drops {
                inside.push(Inside::look(self, child, *feed, reference, leaf, ids)?);
            }
        }
        let detach = || {
            for (child, feed, reference) in referring {
                self.empty(child, *feed, reference, ids)?;
            }
            table.alter(|| {
                Spi::run(&format!(
                    "ALTER TABLE {} DETACH PARTITION {leaf}",
                    qualified(self.schema(), dataset.table)
                ))?;
                match drops {
                    true => Spi::run(&format!("DROP TABLE {leaf}"))?,
                    false => stand_alone(leaf)?,
                }
                inside.iter().try_for_each(|links| links.restore(leaf))
            })
        };
        let again = "Nothing was detached; call odoo_retain again.";
        patiently(detach)
            .map_err(|failure| in_use(self.schema(), dataset.table, again, failure))?;
        for (feed, ids) in given {
            self.settle(dataset, feed, ids)?;
            let detached = DetachedIds {
                target: dataset.table.to_owned(),
                channel: feed.channel_or_none().to_owned(),
                ids: (ids.from, ids.to),
                partition: (!drops).then(|| leaf.to_owned()),
            };
            self.store.note_detached(&self.server.name, &detached)?;
        }
        Ok(())
    }

    /// Of a partition's ids those that Odoo has given in each feed: channels count for themselves, so
    /// that one may have passed the partition which another has not reached.
    fn given(&self, dataset: &Dataset, ids: Ids) -> Result<Vec<(&'static Feed, Ids)>, Failure> {
        let mut given = Vec::new();
        for feed in dataset.feeds {
            let (table, own) = (qualified(self.schema(), dataset.table), feed.condition("row"));
            let sql = format!("SELECT max(row.id) FROM {table} AS row WHERE {own}");
            let highest = Table::new(self.schema(), dataset.table)
                .run(owner::READ, || query::ask::<i64>(&sql, &[]))?;
            let to = highest.map_or(ids.from, |highest| ids.to.min(highest.saturating_add(1)));
            if ids.from < to {
                given.push((feed, Ids { from: ids.from, to }));
            }
        }
        Ok(given)
    }

    /// Empties a reference to rows that go.
    fn empty(
        &self,
        child: &'static Dataset,
        feed: usize,
        reference: &Reference,
        ids: Ids,
    ) -> Result<(), Failure> {
        let column = ident(reference.column);
        let sql = format!(
            "UPDATE {} AS row SET {column} = NULL, synced_at = now() WHERE {}",
            qualified(self.schema(), child.table),
            within(child, feed, reference, ids),
        );
        Table::new(self.schema(), child.table).run(owner::LOAD, || Ok(Spi::run(&sql)?))
    }

    /// Nothing of them is missing any more, nor is what they lacked.
    fn settle(&self, dataset: &Dataset, feed: &Feed, ids: Ids) -> Result<(), Failure> {
        let models: Vec<_> = feed.models.iter().map(|model| literal(model)).collect();
        let Ids { from, to } = ids;
        let sql = format!(
            "UPDATE {} AS known SET resolved_at = now() WHERE resolved_at IS NULL \
             AND ({} AND row_id >= {from} AND row_id < {to} \
               OR odoo_model IN ({}) AND missing_id >= {from} AND missing_id < {to})",
            qualified(self.schema(), MISSING_DATA),
            missing::condition(dataset.table, feed, "known"),
            models.join(", "),
        );
        Table::missing(self.schema()).run(owner::LOAD, || Ok(Spi::run(&sql)?))
    }
}

/// The condition under which a row refers to some ids.
fn within(child: &Dataset, feed: usize, reference: &Reference, ids: Ids) -> String {
    let column = ident(reference.column);
    let own = child.feeds[feed].condition("row");
    format!("row.{column} >= {} AND row.{column} < {} AND {own}", ids.from, ids.to)
}

fn refers(schema: &str, child: &Dataset, feed: usize, reference: &Reference, ids: Ids) -> String {
    let table = qualified(schema, child.table);
    format!("FROM {table} AS row WHERE {}", within(child, feed, reference, ids))
}

/// Frees a table that was a partition from the warehouse: it would keep rows there that it refers to.
fn stand_alone(leaf: &str) -> Result<(), Failure> {
    let sql = "SELECT array_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', $1, conname)) \
               FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass($1) AND contype = 'f' AND conparentid = 0";
    let statements = query::ask::<Vec<String>>(sql, &[leaf.into()])?.unwrap_or_default();
    Ok(statements.iter().try_for_each(|sql| Spi::run(sql))?)
}

/// References among the rows of a partition: PostgreSQL detaches only what nothing refers to, so they
/// are emptied before and come back afterwards.
struct Inside {
    column: String,
    own: String,
    rows: Option<Vec<i64>>,
    ids: Option<Vec<i64>>,
}

impl Inside {
    fn look(
        of: &Retention<'_>,
        child: &'static Dataset,
        feed: usize,
        reference: &Reference,
        leaf: &str,
        ids: Ids,
    ) -> Result<Inside, Failure> {
        let column = ident(reference.column);
        let sql = format!(
            "SELECT array_agg(row.id), array_agg(row.{column}) FROM {leaf} AS row WHERE {}",
            within(child, feed, reference, ids)
        );
        let look = || Ok(Spi::get_two::<Vec<i64>, Vec<i64>>(&sql)?);
        let (rows, ids) = Table::new(of.schema(), child.table).run(owner::READ, look)?;
        Ok(Inside { column, own: child.feeds[feed].condition("row"), rows, ids })
    }

    fn restore(&self, leaf: &str) -> Result<(), Failure> {
        let sql = format!(
            "UPDATE {leaf} AS row SET {} = link.missing FROM unnest($1::bigint[], $2::bigint[]) AS link (id, missing) \
             WHERE row.id = link.id AND {}",
            self.column, self.own
        );
        Ok(Spi::run_with_args(&sql, &[self.rows.clone().into(), self.ids.clone().into()])?)
    }
}

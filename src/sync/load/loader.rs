//! Rows into a table: one statement per page, which writes only what differs.

use std::cell::OnceCell;

use pgrx::PgBuiltInOids;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::spi::{OwnedPreparedStatement, SpiClient, SpiError, SpiTupleTable};

use crate::failure::Failure;
use crate::odoo::Cells;
use crate::pg::{self, Privilege};
use crate::quote::ident;
use crate::sync::load::own::deleted;
use crate::sync::load::own::history::Seen;
use crate::sync::load::owner::{self, Table};
use crate::sync::load::partitions::making::Partitions;
use crate::sync::load::references::{Reference, references};
use crate::sync::load::statements::Target;
use crate::sync::load::{engine, key};
use crate::sync::transform::rows::Rows;
use crate::warehouse::ddl::qualified;
use crate::warehouse::deleted::ODOO_DELETED;
use crate::warehouse::{Dataset, Source, history};

/// What a page's statement did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    pub inserted: i64,
    pub updated: i64,
}

/// The statements that load a feed of a table, prepared once per run.
pub struct Loader {
    table: Table,
    /// What a page of any rows takes.
    needed: &'static [Privilege],
    missing: Table,
    deleted: Table,
    /// Of the table, and of its history.
    partitions: [Partitions; 2],
    references: Vec<Reference>,
    /// The highest id of the feed's rows.
    highest: Statement,
    /// For rows that are new, with references that are all there.
    insert: Statement,
    /// For any rows: writes those that are new or differ.
    upsert: Statement,
    /// The same for a table that keeps its history.
    upsert_with_history: Statement,
    /// Forgets that rows were deleted which are back; `None` for tables whose rows stay.
    back: Option<Statement>,
    /// `None` without references.
    parents: Option<Parents>,
}

/// The statements about the records that rows refer to.
struct Parents {
    /// Which ids of each referenced table are not there.
    absent: Statement,
    /// Remembers those that rows lack.
    remember: Statement,
    /// Forgets those of rows whose reference is gone or has changed.
    resolve: Statement,
}

/// Ids that rows refer to and that are not in the warehouse.
pub struct Absent {
    pub dataset: &'static Dataset,
    pub feed: usize,
    pub ids: Vec<i64>,
}

impl Loader {
    pub fn new(dataset: &'static Dataset, feed: usize, schema: &str) -> Result<Loader, Failure> {
        let references = references(dataset, feed);
        let key = key::of(schema, dataset)?;
        let target = Target {
            dataset,
            feed,
            schema,
            references: &references,
            key: &key,
            is_distributed: engine::distributes(schema)?,
        };
        let ids = PgBuiltInOids::INT8ARRAYOID;
        let all: Vec<_> = [ids].into_iter().chain(target.carriers()).collect();
        let lost = vec![ids, PgBuiltInOids::INT4ARRAYOID, ids, PgBuiltInOids::TEXTARRAYOID];
        let parents = (!references.is_empty()).then(|| Parents {
            absent: Statement::new(target.absent(), vec![ids; references.len() + 1]),
            remember: Statement::new(target.remember_lost(), lost),
            resolve: Statement::new(target.resolve(), vec![ids]),
        });
        Ok(Loader {
            table: Table::new(schema, dataset.table),
            needed: if key::moves(dataset, &key) { owner::REPLACE } else { owner::LOAD },
            missing: Table::missing(schema),
            deleted: Table::new(schema, ODOO_DELETED),
            partitions: [
                Partitions::new(schema, dataset.table),
                Partitions::new(schema, &history::table_of(dataset.table)),
            ],
            highest: Statement::new(target.highest(), Vec::new()),
            insert: Statement::new(target.insert(), all.clone()),
            upsert_with_history: Statement::new(
                target.upsert_with_history(),
                all.iter().copied().chain(Seen::TYPES).collect(),
            ),
            upsert: Statement::new(target.upsert(), all),
            back: deleted::is_kept_of(dataset)
                .then(|| Statement::new(deleted::forget(schema, dataset, feed), vec![ids])),
            parents,
            references,
        })
    }

    /// The ids that the rows refer to and that are not in the warehouse.
    pub fn absent_parents(&self, rows: &Rows) -> Result<Vec<Absent>, Failure> {
        let Some(Parents { absent, .. }) = &self.parents else {
            return Ok(Vec::new());
        };
        let wanted = self.references.iter().map(|r| ids(&rows.distinct(r.index)));
        let args: Vec<_> = [ids(&rows.ids)].into_iter().chain(wanted).collect();
        let take = |found: SpiTupleTable<'_>| {
            let mut absent: Vec<Absent> = Vec::new();
            for row in found {
                let (place, ids) = (row.get::<i32>(1)?, row.get::<Vec<i64>>(2)?);
                let reference = place.and_then(|place| self.references.get(place as usize));
                let parent = reference.and_then(|r| Some((r.parent()?, r.feed)));
                let (Some((dataset, feed)), Some(ids)) = (parent, ids) else {
                    continue;
                };
                let same = |known: &&mut Absent| {
                    known.dataset.table == dataset.table && known.feed == feed
                };
                match absent.iter_mut().find(same) {
                    Some(known) => known.ids.extend(ids),
                    None => absent.push(Absent { dataset, feed, ids }),
                }
            }
            Ok(absent)
        };
        self.table.run(owner::READ, || absent.run(&args, take))
    }

    /// Makes the partitions that rows lack; `ahead` the next one too. Not in a subtransaction that
    /// may be undone while this is kept.
    pub fn cover(&self, rows: &Rows, ahead: bool) -> Result<(), Failure> {
        self.partitions.iter().try_for_each(|table| table.cover(&rows.ids, ahead))
    }

    /// The columns that refer to other tables.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Whether no row has an id as high as these, so that all of them are new.
    pub fn is_new(&self, rows: &Rows) -> Result<bool, Failure> {
        let Some(lowest) = rows.ids.iter().min() else {
            return Ok(false);
        };
        let ask = || self.highest.run(&[], |found| found.first().get::<i64>(1));
        let highest = self.table.run(owner::READ, ask)?;
        Ok(highest.is_none_or(|highest| highest < *lowest))
    }

    /// Writes rows that are new and lack no parent.
    ///
    /// # Errors
    /// A violation of a key, if they are not.
    pub fn insert(&self, rows: &Rows) -> Result<Loaded, Failure> {
        let write = || self.insert.run(&self.arguments(rows), |done| Ok(done.len()));
        let inserted = self.table.run(owner::LOAD, write)?;
        self.forget_deleted(rows)?;
        Ok(Loaded { inserted: inserted as i64, updated: 0 })
    }

    /// Writes the rows that are new or differ. `reason` says why Odoo gives no record of a feed,
    /// where that is known; `seen` is for the history, where it is kept.
    pub fn load(
        &self,
        rows: &Rows,
        reason: impl Fn(&'static str, usize) -> Option<String>,
        seen: Option<&Seen>,
    ) -> Result<Loaded, Failure> {
        let mut args = self.arguments(rows);
        args.extend(seen.into_iter().flat_map(|seen| seen.arguments()));
        let upsert = if seen.is_some() { &self.upsert_with_history } else { &self.upsert };
        let write = || {
            upsert.run(&args, |found| {
                let found = found.first();
                let loaded = Loaded {
                    inserted: found.get(1)?.unwrap_or(0),
                    updated: found.get(2)?.unwrap_or(0),
                };
                Ok((
                    loaded,
                    Lost { rows: found.get(3)?, places: found.get(4)?, ids: found.get(5)? },
                ))
            })
        };
        let (loaded, lost) = self.table.run(self.needed, write)?;
        if loaded.inserted > 0 {
            self.forget_deleted(rows)?;
        }
        if let Some(parents) = &self.parents {
            let reasons = self.references.iter().map(|r| reason(r.table, r.feed)).collect();
            self.missing.run(owner::LOAD, || parents.settle(&rows.ids, lost, reasons))?;
        }
        Ok(loaded)
    }

    /// Rows are there again that had been deleted.
    fn forget_deleted(&self, rows: &Rows) -> Result<(), Failure> {
        let Some(back) = &self.back else {
            return Ok(());
        };
        self.deleted.run(owner::FORGET, || back.run(&[ids(&rows.ids)], |_| Ok(())))
    }

    fn arguments(&self, rows: &Rows) -> Vec<DatumWithOid<'static>> {
        [ids(&rows.ids)].into_iter().chain(rows.columns.iter().map(argument)).collect()
    }
}

/// References of rows whose record is not there; parallel lists.
struct Lost {
    rows: Option<Vec<i64>>,
    places: Option<Vec<i32>>,
    ids: Option<Vec<i64>>,
}

impl Parents {
    /// Remembers what rows lack, and that they lack nothing else. `reasons` has one for each
    /// reference.
    fn settle(&self, of: &[i64], lost: Lost, reasons: Vec<Option<String>>) -> Result<(), Failure> {
        if lost.rows.is_some() {
            let args = [lost.rows.into(), lost.places.into(), lost.ids.into(), reasons.into()];
            self.remember.run(&args, |_| Ok(()))?;
        }
        self.resolve.run(&[ids(of)], |_| Ok(()))
    }
}

/// A statement that is prepared when it is first run, and kept.
struct Statement {
    sql: String,
    types: Vec<PgBuiltInOids>,
    prepared: OnceCell<OwnedPreparedStatement>,
}

impl Statement {
    fn new(sql: String, types: Vec<PgBuiltInOids>) -> Statement {
        Statement { sql, types, prepared: OnceCell::new() }
    }

    /// One connection to SPI per run: its memory is freed only at the end of each. Plans are made
    /// while it runs, the first and later ones.
    fn run<T>(
        &self,
        args: &[DatumWithOid<'_>],
        take: impl FnOnce(SpiTupleTable<'_>) -> Result<T, SpiError>,
    ) -> Result<T, Failure> {
        let run = |client: &mut SpiClient<'_>| {
            let prepared = match self.prepared.get() {
                Some(prepared) => prepared,
                None => {
                    let types: Vec<_> = self.types.iter().map(|oid| oid.oid()).collect();
                    let prepared = client.prepare_mut(self.sql.as_str(), &types)?.keep();
                    self.prepared.get_or_init(|| prepared)
                }
            };
            take(client.update(prepared, None, args)?)
        };
        Ok(pg::looking_up(|| Spi::connect_mut(run))?)
    }
}

/// A column as an array parameter; what is no bigint or boolean travels as text.
pub fn argument(cells: &Cells) -> DatumWithOid<'static> {
    match cells {
        Cells::Booleans(cells) => pg::boolean_array(cells.iter().copied()),
        Cells::Integers(cells) => pg::bigint_array(cells.iter().copied()),
        Cells::Texts(texts) => pg::text_array(texts.iter()),
        Cells::Lists(lists) => pg::text_array(lists.iter().map(|ids| Some(array_text(ids)))),
    }
}

/// Ids as a parameter.
pub fn ids(ids: &[i64]) -> DatumWithOid<'static> {
    pg::bigint_array(ids.iter().copied().map(Some))
}

fn array_text(ids: &[i64]) -> String {
    let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

/// Brings the columns that depend on today's date up to date, where they differ.
pub fn refresh(dataset: &Dataset, schema: &str) -> Result<(), Failure> {
    let columns: Vec<(String, &str)> = dataset
        .columns
        .iter()
        .filter_map(|column| match column.source {
            Source::Refreshed(expression) => Some((ident(column.name), expression)),
            _ => None,
        })
        .collect();
    if columns.is_empty() {
        return Ok(());
    }
    let list = |format: &dyn Fn(&(String, &str)) -> String| {
        columns.iter().map(format).collect::<Vec<_>>().join(", ")
    };
    let sql = format!(
        "UPDATE {} SET {} WHERE ({}) IS DISTINCT FROM ({})",
        qualified(schema, dataset.table),
        list(&|(name, expression)| format!("{name} = {expression}")),
        list(&|(name, _)| name.clone()),
        list(&|(_, expression)| (*expression).to_owned()),
    );
    Table::new(schema, dataset.table).run(owner::LOAD, || Ok(Spi::run(&sql)?))
}

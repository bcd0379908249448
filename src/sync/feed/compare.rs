//! What the warehouse lacks, has in an old version, or has too much, by a scan of every record's id
//! and write_date: a merge in the order of ids, of which no more than a page is in memory.

use std::collections::BTreeSet;

use chrono::DateTime;
use pgrx::prelude::*;

use crate::extract::{Ids, PageSize, Scan, Search, Wanted};
use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Cells, FieldType, Page};
use crate::pg;
use crate::sync::feed::silent;
use crate::sync::load::deletes::Range;
use crate::sync::load::owner::{self, Table};
use crate::sync::mapping::feed::Mapping;
use crate::sync::work::context::Context;
use crate::warehouse::ddl::qualified;
use crate::warehouse::{Dataset, Kind};

/// Ids and dates are small: pages may be large.
const PAGE_SIZE: usize = 20_000;

/// A comparison of a feed of a table with Odoo. It writes nothing.
pub struct Comparison {
    source: Source,
    sql: String,
    table: Table,
    /// The last id that was compared; `None` after all.
    after: Option<i64>,
    /// Ids whose row has values that changed without a new write_date.
    silent: BTreeSet<i64>,
    /// Every row may have been edited unseen.
    was_unwatched: bool,
}

/// Where the records come from, in the order of their ids.
enum Source {
    Dated(Box<Scan>),
    /// Records without a write_date.
    Undated(Box<Ids>),
}

/// How a range of ids differs from Odoo.
pub struct Part {
    pub range: Range,
    /// Every id that Odoo has there.
    pub present: Vec<i64>,
    /// Rows that the warehouse has there, without those marked as deleted.
    pub rows: i64,
    /// Ids that the warehouse lacks.
    pub missing: Vec<i64>,
    /// Ids whose row is of another version, where records tell when they changed, or has values
    /// that changed without.
    pub stale: Vec<i64>,
    /// How many rows there are that Odoo no longer has.
    pub deleted: i64,
}

/// Ids, and when their records were written: as seconds, since texts would take much memory.
type Versions = (Vec<i64>, Vec<Option<i64>>);

impl Comparison {
    pub fn begin(context: &Context, mapping: &Mapping, feed: usize) -> Result<Comparison, Failure> {
        let (session, schema) = (&context.session, context.schema());
        let source = match mapping.is_dated {
            true => Source::Dated(Box::new(Scan::begin(
                session,
                Wanted {
                    model: mapping.model.clone(),
                    domain: mapping.domain(),
                    fields: vec![("write_date".to_owned(), FieldType::Datetime)],
                    after: BEFORE_ALL,
                    at_once: false,
                    from_memory: false,
                },
                PageSize::new(Some(PAGE_SIZE)),
            )?)),
            false => {
                let (model, domain) = (mapping.model.clone(), mapping.domain());
                let search = Search { model, domain, is_dated: false };
                Source::Undated(Box::new(Ids::above(session, search, BEFORE_ALL)?))
            }
        };
        let mut silent = silent::turned(session, schema, mapping, feed)?;
        silent.append(&mut silent::released(session, schema, mapping, feed)?);
        Ok(Comparison {
            source,
            sql: difference(schema, mapping.dataset, feed),
            table: Table::new(schema, mapping.dataset.table),
            after: Some(BEFORE_ALL),
            silent,
            was_unwatched: context.store.was_unwatched(context.key(mapping))?,
        })
    }

    /// Compares the next range of ids; `None` after the last one.
    pub fn next(&mut self, context: &Context) -> Result<Option<Part>, Failure> {
        let Some(after) = self.after else {
            return Ok(None);
        };
        let (ids, dates) = self.versions(context)?;
        // Behind the last record of Odoo's there may be rows.
        self.after = ids.last().copied();
        let range = Range { after, to: self.after.unwrap_or(i64::MAX) };
        pg::in_own_memory(|| self.compare(range, ids, dates)).map(Some)
    }

    /// A page; none at the end.
    fn versions(&mut self, context: &Context) -> Result<Versions, Failure> {
        match &mut self.source {
            Source::Undated(ids) => {
                let ids = ids.take(&context.session)?;
                let dates = vec![None; ids.len()];
                Ok((ids, dates))
            }
            Source::Dated(scan) => {
                while let Some(page) = scan.next()? {
                    if page.rows() > 0 {
                        return Ok(dated(&page));
                    }
                }
                Ok(Versions::default())
            }
        }
    }

    fn compare(
        &self,
        range: Range,
        present: Vec<i64>,
        dates: Vec<Option<i64>>,
    ) -> Result<Part, Failure> {
        let args = [present.clone().into(), dates.into(), range.after.into(), range.to.into()];
        let ask = || {
            Spi::connect(|client| {
                let row = client.select(&self.sql, None, &args)?.first();
                Ok((
                    row.get(1)?.unwrap_or(0),
                    row.get::<Vec<i64>>(2)?.unwrap_or_default(),
                    row.get::<Vec<i64>>(3)?.unwrap_or_default(),
                    row.get(4)?.unwrap_or(0),
                ))
            })
        };
        let (rows, missing, mut stale, deleted) = self.table.run(owner::READ, ask)?;
        if self.was_unwatched || !self.silent.is_empty() {
            let known: BTreeSet<i64> = stale.iter().copied().collect();
            let lacks: BTreeSet<i64> = missing.iter().copied().collect();
            let is_stale = |id: &i64| known.contains(id) || self.silent.contains(id);
            let is_to_be_read =
                |id: &i64| is_stale(id) || self.was_unwatched && !lacks.contains(id);
            stale = present.iter().copied().filter(is_to_be_read).collect();
        }
        Ok(Part { range, present, rows, missing, stale, deleted })
    }
}

/// A page's versions, in the order of ids.
fn dated(page: &Page) -> Versions {
    let ids = page.ids();
    let mut dates = vec![None; ids.len()];
    if let Some(Cells::Texts(texts)) = page.column("write_date") {
        dates = texts.iter().map(|date| seconds(date?)).collect();
    }
    let mut versions: Vec<_> = ids.into_iter().zip(dates).collect();
    versions.sort_unstable();
    versions.into_iter().unzip()
}

/// `2024-01-31 23:59:59+00` in seconds since 1970.
fn seconds(date: &str) -> Option<i64> {
    Some(DateTime::parse_from_str(date, "%Y-%m-%d %H:%M:%S%#z").ok()?.timestamp())
}

fn difference(schema: &str, dataset: &Dataset, feed: usize) -> String {
    let deleted = match dataset.kind {
        Kind::Dimension => "deleted_at IS NOT NULL",
        Kind::Fact => "false",
    };
    format!(
        "WITH odoo AS (SELECT id, to_timestamp(at) AS at FROM unnest($1::bigint[], $2::bigint[]) AS odoo (id, at)), \
         here AS (SELECT id, odoo_write_date, {deleted} AS is_deleted FROM {} AS row \
           WHERE {} AND row.id > $3 AND row.id <= $4) \
         SELECT count(here.id) FILTER (WHERE NOT is_deleted), \
           array_agg(odoo.id) FILTER (WHERE odoo.id IS NOT NULL AND (here.id IS NULL OR is_deleted)), \
           array_agg(odoo.id) FILTER (WHERE NOT is_deleted AND odoo_write_date IS DISTINCT FROM odoo.at AND odoo.id IS NOT NULL), \
           count(here.id) FILTER (WHERE odoo.id IS NULL AND NOT is_deleted) \
         FROM odoo FULL JOIN here ON here.id = odoo.id",
        qualified(schema, dataset.table),
        dataset.feeds[feed].condition("row"),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_are_read() {
        assert_eq!(super::seconds("1970-01-02 00:00:01+00"), Some(86_401));
        assert_eq!(super::seconds("soon"), None);
    }
}

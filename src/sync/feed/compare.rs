//! What the warehouse lacks, has in an old version, or has too much, by a scan of every
//! record's id and write_date.

use std::rc::Rc;

use chrono::DateTime;
use pgrx::prelude::*;

use crate::extract::PageSize;
use crate::extract::{self, Scan, Wanted};
use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Cells, FieldType};
use crate::server::Session;
use crate::sync::feed::silent;
use crate::sync::load::owner::{self, Table};
use crate::sync::mapping::feed::Mapping;
use crate::warehouse::ddl::qualified;
use crate::warehouse::{Dataset, Kind};

/// Ids and dates are small: pages may be large.
const PAGE_SIZE: usize = 20_000;

/// How a feed of a table differs from Odoo.
#[derive(Debug, Default)]
pub struct Difference {
    /// Every id that Odoo has.
    pub present: Vec<i64>,
    /// Rows that the warehouse has, without those marked as deleted.
    pub rows: i64,
    /// Ids that the warehouse lacks.
    pub missing: Vec<i64>,
    /// Ids whose row is of another version, where records tell when they changed, or has values
    /// that changed without.
    pub stale: Vec<i64>,
    /// How many rows there are that Odoo no longer has.
    pub deleted: i64,
}

/// Compares a feed with Odoo. Nothing is written.
pub fn compare(
    session: &Rc<Session>,
    schema: &str,
    mapping: &Mapping,
    feed: usize,
) -> Result<Difference, Failure> {
    let (ids, dates) = versions(session, mapping)?;
    let sql = difference(schema, mapping.dataset, feed);
    let args = [ids.clone().into(), dates.into()];
    let ask = || {
        Spi::connect(|client| {
            let row = client.select(&sql, None, &args)?.first();
            Ok(Difference {
                rows: row.get(1)?.unwrap_or(0),
                missing: row.get(2)?.unwrap_or_default(),
                stale: row.get(3)?.unwrap_or_default(),
                deleted: row.get(4)?.unwrap_or(0),
                present: ids,
            })
        })
    };
    let mut found = Table::new(schema, mapping.dataset.table).run(owner::READ, ask)?;
    let mut stale = silent::turned(session, schema, mapping, feed)?;
    stale.append(&mut silent::released(session, schema, mapping, feed)?);
    stale.retain(|id| found.present.binary_search(id).is_ok());
    stale.extend(&found.stale);
    found.stale = stale.into_iter().collect();
    Ok(found)
}

/// Every record's id and write_date. As seconds: the texts of a large table would take much
/// memory.
fn versions(
    session: &Rc<Session>,
    mapping: &Mapping,
) -> Result<(Vec<i64>, Vec<Option<i64>>), Failure> {
    if !mapping.is_dated {
        let ids = extract::ids(session, &mapping.model, mapping.domain())?;
        let dates = vec![None; ids.len()];
        return Ok((ids, dates));
    }
    let wanted = Wanted {
        model: mapping.model.clone(),
        domain: mapping.domain(),
        fields: vec![("write_date".to_owned(), FieldType::Datetime)],
        after: BEFORE_ALL,
        at_once: false,
        from_memory: false,
    };
    let mut scan = Scan::begin(session, wanted, PageSize::new(Some(PAGE_SIZE)))?;
    let (mut ids, mut dates) = (Vec::new(), Vec::new());
    while let Some(page) = scan.next()? {
        ids.extend(page.ids());
        if let Some(Cells::Texts(texts)) = page.column("write_date") {
            dates.extend(texts.iter().map(|date| seconds(date?)));
        }
    }
    Ok((ids, dates))
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
         here AS (SELECT id, odoo_write_date, {deleted} AS is_deleted FROM {} AS row WHERE {}) \
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

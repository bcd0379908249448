//! What the warehouse lacks, has in an old version, or has too much, by a scan of every
//! record's id and write_date.

use std::rc::Rc;

use pgrx::prelude::*;

use super::extract::Scan;
use super::plan::Plan;
use crate::failure::Failure;
use crate::odoo::{Cells, FieldType};
use crate::quote::literal;
use crate::server::Session;
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
    /// Ids whose row is of another version.
    pub stale: Vec<i64>,
    /// How many rows there are that Odoo no longer has.
    pub deleted: i64,
}

/// Compares a feed with Odoo. Nothing is written.
pub fn compare(
    session: &Rc<Session>,
    schema: &str,
    plan: &Plan,
    feed: usize,
) -> Result<Difference, Failure> {
    let fields = vec![("write_date".to_owned(), FieldType::Datetime)];
    let mut scan = Scan::begin(session, &plan.model, plan.domain(), fields, PAGE_SIZE)?;
    let (mut ids, mut dates) = (Vec::new(), Vec::new());
    while let Some(page) = scan.next()? {
        ids.extend(page.ids());
        if let Some(Cells::Texts(texts)) = page.column("write_date") {
            dates.extend(texts.iter().map(|date| date.map(str::to_owned)));
        }
    }
    let sql = difference(schema, plan.dataset, feed);
    let args = [ids.clone().into(), dates.into()];
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
}

fn difference(schema: &str, dataset: &Dataset, feed: usize) -> String {
    let channel = match dataset.feeds[feed].channel {
        Some(channel) => format!("WHERE channel = {}", literal(channel)),
        None => String::new(),
    };
    let deleted = match dataset.kind {
        Kind::Dimension => "deleted_at IS NOT NULL",
        Kind::Fact => "false",
    };
    format!(
        "WITH odoo AS (SELECT id, at::timestamptz FROM unnest($1::bigint[], $2::text[]) AS odoo (id, at)), \
         here AS (SELECT id, odoo_write_date, {deleted} AS is_deleted FROM {} {channel}) \
         SELECT count(here.id) FILTER (WHERE NOT is_deleted), \
           array_agg(odoo.id) FILTER (WHERE odoo.id IS NOT NULL AND (here.id IS NULL OR is_deleted)), \
           array_agg(odoo.id) FILTER (WHERE NOT is_deleted AND odoo_write_date IS DISTINCT FROM odoo.at AND odoo.id IS NOT NULL), \
           count(here.id) FILTER (WHERE odoo.id IS NULL AND NOT is_deleted) \
         FROM odoo FULL JOIN here ON here.id = odoo.id",
        qualified(schema, dataset.table),
    )
}

//! Values that change in Odoo without a new write_date of their record. What they are now is
//! told by searches for the records that have them.

use std::collections::BTreeSet;
use std::rc::Rc;

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use crate::extract::{self, CHUNK};
use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Domain, Error, Value};
use crate::pg;
use crate::quote::ident;
use crate::server::Session;
use crate::sync::load::deletes::of_feed;
use crate::sync::load::owner::{self, Table};
use crate::sync::load::references::{Reference, references};
use crate::sync::mapping::feed::Mapping;
use crate::sync::mapping::filter;
use crate::warehouse::ddl::qualified;
use crate::warehouse::{Extent, Kind};

/// The records whose row has another boolean than Odoo, of those that it changes by SQL.
pub fn turned(
    session: &Rc<Session>,
    schema: &str,
    mapping: &Mapping,
    feed: usize,
) -> Result<BTreeSet<i64>, Failure> {
    let mut turned = BTreeSet::new();
    for column in mapping.feed.silent {
        let Some(holds) = filter::holds(mapping, column) else {
            continue;
        };
        let sql = format!(
            "SELECT array_agg(row.id) FROM {} AS row \
             LEFT JOIN unnest($1::bigint[]) AS there (id) ON there.id = row.id \
             WHERE {} AND row.id > $2 AND row.id <= $3 \
               AND row.{} IS DISTINCT FROM (there.id IS NOT NULL)",
            qualified(schema, mapping.dataset.table),
            of_feed(mapping.dataset, feed, "row"),
            ident(column),
        );
        let mut after = BEFORE_ALL;
        let domain = mapping.domain() & holds;
        extract::for_each_chunk(session, &mapping.model, &domain, |there, is_last| {
            let to = there.last().copied().filter(|_| !is_last).unwrap_or(i64::MAX);
            let args = || [there.to_vec().into(), after.into(), to.into()];
            turned.extend(pg::in_own_memory(|| rows(schema, mapping, &sql, &args()))?);
            after = to;
            Ok(())
        })?;
    }
    Ok(turned)
}

/// The records whose row refers to one that is gone, while Odoo's does no more: the orders of a
/// partner that was merged belong to another one, those of a team that was deleted to none.
/// Tables that are read whole show it by themselves.
pub fn released(
    session: &Rc<Session>,
    schema: &str,
    mapping: &Mapping,
    feed: usize,
) -> Result<BTreeSet<i64>, Failure> {
    let mut released = BTreeSet::new();
    if mapping.dataset.extent == Extent::Whole {
        return Ok(released);
    }
    for reference in references(mapping.dataset, feed) {
        let gone = gone_parents(schema, mapping, feed, &reference)?;
        let path = mapping.columns[reference.index].values.origins().next().map(|one| one.path());
        let (Some(path), false) = (path, gone.is_empty()) else {
            continue;
        };
        let theirs = Domain::leaf(&path, "in", gone.iter().copied().collect::<Value>());
        let Some(still) = found(session, &mapping.model, mapping.domain() & theirs)? else {
            continue;
        };
        let sql = format!(
            "SELECT array_agg(row.id) FROM {} AS row \
             LEFT JOIN unnest($2::bigint[]) AS still (id) ON still.id = row.id \
             WHERE {} AND row.{} = ANY ($1::bigint[]) AND still.id IS NULL",
            qualified(schema, mapping.dataset.table),
            of_feed(mapping.dataset, feed, "row"),
            ident(reference.column),
        );
        released.extend(rows(schema, mapping, &sql, &[gone.into(), still.into()])?);
    }
    Ok(released)
}

/// The rows marked as deleted that rows of a feed refer to.
fn gone_parents(
    schema: &str,
    mapping: &Mapping,
    feed: usize,
    reference: &Reference,
) -> Result<Vec<i64>, Failure> {
    let Some(parent) = reference.parent().filter(|parent| parent.kind == Kind::Dimension) else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT array_agg(id) FROM (SELECT DISTINCT parent.id FROM {} AS row JOIN {} AS parent ON parent.id = row.{} \
         WHERE parent.deleted_at IS NOT NULL AND {}) AS gone",
        qualified(schema, mapping.dataset.table),
        qualified(schema, parent.table),
        ident(reference.column),
        of_feed(mapping.dataset, feed, "row"),
    );
    rows(schema, mapping, &sql, &[])
}

/// Every id that meets a domain; `None` if Odoo does not search by it.
fn found(session: &Session, model: &str, domain: Domain) -> Result<Option<Vec<i64>>, Failure> {
    let mut all: Vec<i64> = Vec::new();
    loop {
        let after = all.last().copied().unwrap_or(BEFORE_ALL);
        let (model, domain) = (model.to_owned(), domain.clone());
        let chunk =
            session.submit(move |odoo| odoo.model(&model).search_after(domain, after, CHUNK))?;
        match chunk.outcome()? {
            Ok(chunk) => {
                all.extend(&chunk);
                if chunk.len() < CHUNK {
                    return Ok(Some(all));
                }
            }
            Err(Error::Fault(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The ids that a statement on a mapping's table finds.
fn rows(
    schema: &str,
    mapping: &Mapping,
    sql: &str,
    args: &[DatumWithOid],
) -> Result<Vec<i64>, Failure> {
    let find = || Ok(Spi::get_one_with_args::<Vec<i64>>(sql, args)?.unwrap_or_default());
    Table::new(schema, mapping.dataset.table).run(owner::READ, find)
}

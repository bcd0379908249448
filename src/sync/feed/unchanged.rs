//! Tables that every run reads whole, and that look as the last run left them: nothing is written.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value as Json;

use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Connection, Error, Page};
use crate::sync::load::{deletes, restore};
use crate::sync::mapping::feed::Mapping;
use crate::sync::work::context::Context;
use crate::sync::work::parts::Work;
use crate::warehouse::Source;

/// A number for all values of a table that one page holds; `None` where its rows show values of
/// other rows.
pub fn digest(mapping: &Mapping, page: &Page, zone: &str) -> Option<i64> {
    let inherits = |source| matches!(source, Source::Inherited { .. });
    let is_closed = !mapping.dataset.columns.iter().any(|column| inherits(column.source));
    (is_closed && mapping.is_read_whole()).then(|| {
        let mut hasher = DefaultHasher::new();
        (page, zone).hash(&mut hasher);
        hasher.finish().cast_signed()
    })
}

/// Remembers it for the next run; without one, that there is none.
pub fn keep(context: &Context, mapping: &Mapping, digest: Option<i64>) -> Result<(), Failure> {
    context.cache.keep(&name(mapping), digest.map_or(Json::Null, Json::from))
}

/// Whether Odoo shows the very values that the last run loaded, and those of the records that they
/// lead to are as old. `since` is the time of that run.
pub fn is_as_before(
    work: &Work,
    mapping: &Mapping,
    feed: usize,
    (digest, page): (i64, &Page),
    since: Option<&str>,
) -> Result<bool, Failure> {
    let context = &work.context;
    let is_same = context.cache.recall(&name(mapping), None)? == Some(Json::from(digest));
    if context.full_refresh || !is_same || !is_settled(context, mapping)? {
        return Ok(false);
    }
    // Nobody has edited, added or deleted a row.
    let unedited = deletes::count_unedited(context.schema(), mapping.dataset, feed)?;
    let (Some(since), true) = (since, unedited == Some(page.rows() as i64)) else {
        return Ok(false);
    };
    match work.was_denied(mapping)? {
        true => Ok(false),
        false => leads_to_nothing_new(context, mapping, since, page),
    }
}

/// Whether the records that a page's rows lead to are as old as the last run.
fn leads_to_nothing_new(
    context: &Context,
    mapping: &Mapping,
    since: &str,
    page: &Page,
) -> Result<bool, Failure> {
    let Some(questions) = mapping.related_since(since, page) else {
        return Ok(false);
    };
    for (model, domain) in questions {
        let search =
            move |odoo: &Connection| odoo.model(&model).search_after(domain, BEFORE_ALL, 1);
        match context.session.submit(search)?.outcome()? {
            Ok(changed) if changed.is_empty() => {}
            // Of a fault nothing is known.
            Ok(_) | Err(Error::Fault(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

/// Whether nothing of a table is missing or quarantined.
fn is_settled(context: &Context, mapping: &Mapping) -> Result<bool, Failure> {
    let table = mapping.dataset.table;
    let missing = restore::count_missing(context.schema())?;
    let quarantined = context.store.count_quarantined(&context.server.name)?;
    Ok(!missing.contains_key(table) && !quarantined.contains_key(table))
}

fn name(mapping: &Mapping) -> String {
    format!("values {} {}", mapping.dataset.table, mapping.feed.channel_or_none())
}

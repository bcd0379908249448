//! Which part of a feed is read: what has changed since a time, or everything.

use std::time::SystemTime;

use chrono::{DateTime, Utc};

use crate::extract::{CHUNK, PageSize, Scan, Wanted};
use crate::failure::{Failure, warning};
use crate::odoo::{BEFORE_ALL, Cells, Page};
use crate::server::Ticket;
use crate::state::Mark;
use crate::sync::mapping::feed::Mapping;
use crate::sync::work::context::Context;
use crate::sync::work::parts::Work;

pub fn probe(
    context: &Context,
    mapping: &Mapping,
    since: &str,
) -> Result<Ticket<Vec<i64>>, Failure> {
    let (model, changed) = (mapping.model.clone(), mapping.changed_since(since));
    context.session.submit(move |odoo| odoo.model(&model).search_after(changed, BEFORE_ALL, CHUNK))
}

pub fn scan(
    work: &Work,
    mapping: &Mapping,
    since: Option<&str>,
    after: Option<i64>,
) -> Result<Box<Scan>, Failure> {
    let domain = match since {
        Some(time) => mapping.domain().and(mapping.changed_since(time)),
        None => mapping.domain(),
    };
    let wanted = Wanted {
        model: mapping.model.clone(),
        domain,
        fields: mapping.fields(),
        after: after.unwrap_or(BEFORE_ALL),
        at_once: since.is_some() || mapping.is_read_whole(),
        from_memory: work.targets.is_from_memory(),
    };
    let size = PageSize::new(work.context.server.options.page_size);
    Ok(Box::new(Scan::begin(&work.context.session, wanted, size)?))
}

/// The latest write_date of a page, by which the watermark moves: not one that lies ahead of
/// Odoo's clock.
pub fn latest_change(page: &Page, now: Option<DateTime<Utc>>) -> Option<String> {
    let now =
        now.unwrap_or_else(|| SystemTime::now().into()).format("%Y-%m-%d %H:%M:%S+00").to_string();
    match page.column("write_date") {
        Some(Cells::Texts(dates)) => {
            dates.iter().flatten().filter(|date| *date <= now.as_str()).max().map(str::to_owned)
        }
        _ => None,
    }
}

impl Work {
    /// What is remembered of a feed.
    pub fn mark(&self, mapping: &Mapping, now: Option<DateTime<Utc>>) -> Result<Mark, Failure> {
        self.context.store.mark(self.context.key(mapping), self.context.server.options.overlap, now)
    }

    /// Whether rows that did not change in Odoo are to be read again too.
    pub fn is_to_be_read_again(&self, mapping: &Mapping) -> Result<bool, Failure> {
        Ok(self.context.store.was_unwatched(self.context.key(mapping))?
            || self.is_allowed_again(mapping)?)
    }

    /// When the changes to read began; `None` to read everything.
    pub fn since(&self, mapping: &Mapping, mark: &Mark) -> Option<String> {
        if self.context.full_refresh || mapping.is_read_whole() {
            return None;
        }
        if mark.is_future {
            warning!(
                "{}: its watermark lies ahead of Odoo's clock, which must have been set back; everything is read again",
                mapping.dataset.table
            );
            return None;
        }
        mark.since.clone()
    }
}

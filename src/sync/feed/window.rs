//! Which part of a feed is read: what has changed since a time, or everything.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use pgrx::prelude::*;

use crate::extract::{self, CHUNK, PageSize, Scan, Wanted};
use crate::failure::{Failure, warning};
use crate::odoo::{BEFORE_ALL, Cells, Domain, Error, Page, Value};
use crate::server::Ticket;
use crate::settings::{self, Without};
use crate::state::{Mark, Reached};
use crate::sync::mapping::catalogue::Catalogue;
use crate::sync::mapping::feed::Mapping;
use crate::sync::work::changes::{self, Moment, Question};
use crate::sync::work::context::Context;
use crate::sync::work::parts::Work;
use crate::warehouse::ddl::qualified;
use crate::warehouse::{self, Dataset};

/// Of tables with so many rows an OR over several of Odoo's tables costs more than a request.
const LARGE: f32 = 100_000.0;

/// A search for what has changed in a feed: one for each relation, as no index of Odoo's database
/// helps an OR over several tables. Their ids are united here.
pub struct Poll {
    own: Question,
    /// The relations to records whose changes another table needs too.
    shared: Vec<(&'static str, Question)>,
    /// Searches through the others.
    apart: Vec<Ticket<(Vec<i64>, Duration)>>,
    since: String,
}

/// What has changed in a feed.
pub struct Changed {
    /// Records of the model, of the table or not.
    pub ids: Vec<i64>,
    /// By relation, records that lead to others of the model.
    related: Vec<(&'static str, Rc<[i64]>)>,
    /// When the first of all that was asked for was so.
    pub asked: Moment,
}

impl Poll {
    /// Asks, and waits for nothing. `None` where the search of a scan is as good.
    pub fn begin(
        work: &mut Work,
        mapping: &Mapping,
        feed: usize,
        since: &str,
    ) -> Result<Option<Poll>, Failure> {
        let shared = shared(work, mapping, feed)?;
        let is_large = is_large(work.context.schema(), mapping.dataset)?;
        let is_known = work.fetching.changes.known(&mapping.model, since).is_some();
        if shared.is_empty() && !is_large && !is_known && mapping.domain() == Domain::all() {
            return Ok(None);
        }
        let since = match shared.is_empty() {
            true => since.to_owned(),
            false => since_of_entity(&work.context, mapping, since)?,
        };
        let is_shared = |relation: &&str| shared.iter().any(|(other, _)| other == relation);
        let others: Vec<_> =
            mapping.also.iter().copied().filter(|relation| !is_shared(relation)).collect();
        let (apart, along) = if is_large { (others, Vec::new()) } else { (Vec::new(), others) };
        let (session, changes) = (&work.context.session, &work.fetching.changes);
        let through = |relation: &&str| {
            let domain = Mapping::changed_through(relation, &since);
            changes::search(session, &mapping.model, domain)
        };
        let written = || Domain::leaf("write_date", ">=", since.as_str());
        let related = |(relation, model): (&'static str, String)| {
            Ok((relation, changes.ask(session, &model, &since, written())?))
        };
        Ok(Some(Poll {
            own: changes.ask(
                session,
                &mapping.model,
                &since,
                mapping.changed_with(&along, &since),
            )?,
            shared: shared.into_iter().map(related).collect::<Result<_, Failure>>()?,
            apart: apart.iter().map(through).collect::<Result<_, _>>()?,
            since,
        }))
    }

    /// Waits for the answers; `None` if they are too many to be united here.
    pub fn end(self, work: &mut Work, mapping: &Mapping) -> Result<Option<Changed>, Failure> {
        let session = work.context.session.clone();
        let own = work.fetching.changes.wait(self.own)??;
        let (mut asked, mut related, mut apart) = (own.asked, Vec::new(), self.apart);
        let mut all = vec![own.ids.map(|ids| ids.to_vec())];
        for (relation, question) in self.shared {
            match work.fetching.changes.wait(question)? {
                Ok(answer) => {
                    asked = asked.min(answer.asked);
                    let Some(ids) = answer.ids else {
                        return Ok(None);
                    };
                    related.push((relation, ids));
                }
                // What the user may not search may be searched through.
                Err(Error::Fault(_)) => {
                    let domain = Mapping::changed_through(relation, &self.since);
                    apart.push(changes::search(&session, &mapping.model, domain)?);
                }
                Err(error) => return Err(error.into()),
            }
        }
        for found in apart {
            let (ids, _) = found.wait()?;
            all.push(Some(ids).filter(|ids| ids.len() < CHUNK));
        }
        let all: Option<Vec<_>> = all.into_iter().collect();
        Ok(all.map(|all| Changed { ids: united(all), related, asked }))
    }
}

impl Changed {
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.related.iter().all(|(_, ids)| ids.is_empty())
    }

    /// The records that have changed behind a relation, if they were asked for.
    pub fn behind(&self, relation: &str) -> Option<&[i64]> {
        self.related.iter().find(|(other, _)| *other == relation).map(|(_, ids)| &**ids)
    }

    /// Searches for all of it, each by no more ids than one request may have.
    fn searches(&self, batch: usize) -> Vec<Domain> {
        let by = |field: &str, ids: &[i64]| -> Vec<Domain> {
            let one =
                |ids: &[i64]| Domain::leaf(field, "in", ids.iter().copied().collect::<Value>());
            ids.chunks(batch).map(one).collect()
        };
        let count: usize = self.related.iter().map(|(_, ids)| ids.len()).sum();
        let related = self.related.iter().flat_map(|(relation, ids)| by(relation, ids));
        let all = by("id", &self.ids).into_iter().chain(related).collect();
        match count + self.ids.len() <= batch {
            true => vec![Domain::any(all)],
            false => all,
        }
    }

    /// Reads it, behind an id if a part was read before.
    pub fn scan(
        &self,
        work: &Work,
        mapping: &Mapping,
        after: Option<i64>,
    ) -> Result<Box<Scan>, Failure> {
        let wanted = wanted(work, mapping, after);
        let session = &work.context.session;
        let searches = self.searches(work.context.server.options.batch());
        let scan = match <[Domain; 1]>::try_from(searches) {
            Ok([one]) => {
                let domain = wanted.domain.clone().and(one);
                Scan::begin(session, Wanted { domain, at_once: true, ..wanted }, size(work))?
            }
            Err(several) => {
                let found = |one| extract::ids(session, &mapping.model, mapping.domain().and(one));
                let all: Result<Vec<_>, _> = several.into_iter().map(found).collect();
                Scan::of(session, wanted, united(all?), size(work))
            }
        };
        Ok(Box::new(scan))
    }
}

fn united(all: Vec<Vec<i64>>) -> Vec<i64> {
    let all: BTreeSet<i64> = all.into_iter().flatten().collect();
    all.into_iter().collect()
}

/// The relations of a feed to records whose changes another table needs too, and their models: to
/// the records that these are parts of, and to their own parts if those have a table.
pub fn shared(
    work: &mut Work,
    mapping: &Mapping,
    feed: usize,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let Work { targets, .. } = work;
    let entity = targets.warehouse().entity(warehouse::entity_of(mapping.dataset));
    let is_part = |model: &str| {
        let mut parts = entity.iter().flat_map(|entity| entity.datasets);
        parts.any(|part| {
            let feed = part.owner.and_then(|_| part.feeds.get(feed));
            feed.is_some_and(|feed| feed.models.contains(&model))
        })
    };
    let catalogue = targets.catalogue();
    let owner = owner(catalogue, mapping)?.map(|(field, _)| field);
    let fields = catalogue.fields(&mapping.model)?;
    let mut shared = Vec::new();
    for relation in &mapping.also {
        let field = fields.as_ref().and_then(|fields| fields.get(relation));
        let model = field.and_then(|field| field.relation.clone());
        let is_owner = owner.as_deref() == Some(*relation);
        let is_wanted =
            |model: &String| is_owner || mapping.dataset.owner.is_none() && is_part(model);
        shared.extend(model.filter(is_wanted).map(|model| (*relation, model)));
    }
    Ok(shared)
}

/// The field that leads to the record which this one is a part of, and its model.
pub fn owner(
    catalogue: &mut Catalogue,
    mapping: &Mapping,
) -> Result<Option<(String, String)>, Failure> {
    let field = mapping.dataset.owner.and_then(|column| mapping.field_of(column));
    let Some(field) = field.filter(|_| !settings::is_without(Without::LineComparison)) else {
        return Ok(None);
    };
    let fields = catalogue.fields(&mapping.model)?;
    let model = fields.as_ref().and_then(|fields| fields.get(field)?.relation.clone());
    Ok(model.map(|model| (field.to_owned(), model)))
}

/// Since when a table's entity is read: one answer then serves all of its tables.
fn since_of_entity(context: &Context, mapping: &Mapping, since: &str) -> Result<String, Failure> {
    let entity = warehouse::entity_of(mapping.dataset);
    let tables: Vec<_> = warehouse::datasets()
        .filter(|dataset| warehouse::entity_of(dataset) == entity)
        .map(|dataset| dataset.table)
        .collect();
    let overlap = context.server.options.overlap;
    let earliest = context.store.since_of_all(context.key(mapping), &tables, overlap, since)?;
    Ok(earliest.unwrap_or_else(|| since.to_owned()))
}

/// Whether a table is known to have many rows.
fn is_large(schema: &str, dataset: &Dataset) -> Result<bool, Failure> {
    let table = qualified(schema, dataset.table);
    // In all its parts.
    let sql = "WITH RECURSIVE parts AS (SELECT pg_catalog.to_regclass($1)::oid AS oid \
          UNION ALL SELECT inhrelid FROM pg_catalog.pg_inherits JOIN parts ON inhparent = parts.oid) \
        SELECT sum(reltuples) FROM parts JOIN pg_catalog.pg_class USING (oid) WHERE relkind <> 'p'";
    let rows = Spi::get_one_with_args::<f32>(sql, &[table.into()]);
    Ok(rows?.is_some_and(|rows| rows >= LARGE))
}

/// Reads what has changed since a time, or everything, by searches of the scan's own.
pub fn scan(
    work: &Work,
    mapping: &Mapping,
    since: Option<&str>,
    after: Option<i64>,
) -> Result<Box<Scan>, Failure> {
    let wanted = wanted(work, mapping, after);
    let domain = match since {
        Some(time) => mapping.domain().and(mapping.changed_since(time)),
        None => mapping.domain(),
    };
    let at_once = since.is_some() || mapping.is_read_whole();
    let wanted = Wanted { domain, at_once, ..wanted };
    Ok(Box::new(Scan::begin(&work.context.session, wanted, size(work))?))
}

fn wanted(work: &Work, mapping: &Mapping, after: Option<i64>) -> Wanted {
    Wanted {
        model: mapping.model.clone(),
        domain: mapping.domain(),
        fields: mapping.fields(),
        after: after.unwrap_or(BEFORE_ALL),
        at_once: false,
        from_memory: work.targets.is_from_memory(),
    }
}

fn size(work: &Work) -> PageSize {
    let options = &work.context.server.options;
    PageSize::new(options.page_size).within(options.timeout, settings::max_response_size())
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

    /// Remembers how far a feed was read.
    pub fn move_watermark(&self, mapping: &Mapping, reached: &Reached) -> Result<(), Failure> {
        match self.context.only_news {
            true => Ok(()),
            false => self.context.store.move_watermark(self.context.key(mapping), reached),
        }
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

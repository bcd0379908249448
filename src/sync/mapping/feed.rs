//! How one feed of a dataset is read from this Odoo.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::PgSqlErrorCode as State;

use super::catalogue::Catalogue;
use super::resolve::{resolve, searchable};
use super::values::{Hop, Origin, Reading, Values};
use crate::extract;
use crate::failure::Failure;
use crate::odoo::{Cells, Domain, FieldType, Page};
use crate::state::FeedKey;
use crate::warehouse::dataset::{ACTIVE, Extent};
use crate::warehouse::employees;
use crate::warehouse::path::{self};
use crate::warehouse::{Column, Dataset, Feed, Source};

/// How one feed of a dataset is read from this Odoo.
pub struct Mapping {
    pub dataset: &'static Dataset,
    pub feed: &'static Feed,
    /// The name that the model has there.
    pub model: String,
    /// Which records belong to the table.
    domain: Domain,
    /// Parallel to [`Dataset::loaded_columns`].
    pub columns: Vec<MappedColumn>,
    /// Fields of which each company has its own value.
    pub per_company: Vec<(String, FieldType)>,
    /// Relations to records whose change counts, as far as this Odoo can be searched by them.
    pub also: Vec<&'static str>,
    /// Those of them that Odoo refuses to search by.
    pub unsearched: Vec<&'static str>,
    /// Whether records tell when they changed.
    pub is_dated: bool,
    /// Whether they tell so of every change.
    pub tells_changes: bool,
}

pub struct MappedColumn {
    pub column: &'static Column,
    pub values: Values,
}

impl Mapping {
    /// Resolves a feed of a dataset; `None` if Odoo has none of its models.
    pub fn make(
        dataset: &'static Dataset,
        feed: usize,
        catalogue: &mut Catalogue,
    ) -> Result<Option<Mapping>, Failure> {
        let source = &dataset.feeds[feed];
        for model in source.models {
            let Some(fields) = catalogue.fields(model)? else {
                continue;
            };
            let mut columns = Vec::new();
            for column in dataset.loaded_columns() {
                let values = resolve(column, feed, model, catalogue)?;
                if let (Source::Added(path), true, [_]) =
                    (column.source, values.is_absent(), dataset.feeds)
                {
                    // Its values are not to be lost.
                    return Err(Failure::new(
                        State::ERRCODE_FDW_COLUMN_NAME_NOT_FOUND,
                        format!("{model} has lost its field {path} a moment ago"),
                    )
                    .hint("The next run does without it."));
                }
                columns.push(MappedColumn { column, values });
            }
            let is_dated = fields.contains("write_date");
            let (unsearched, also) = searchable(source.also, model, catalogue)?;
            let mut mapping = Mapping {
                dataset,
                feed: source,
                model: (*model).to_owned(),
                domain: domain(source.domains, |name| fields.contains(name)),
                columns,
                per_company: Vec::new(),
                also,
                unsearched,
                is_dated,
                tells_changes: is_dated
                    && employees::tells_changes(model, |name| fields.contains(name)),
            };
            if fields.contains("company_id") {
                let dependent = |name: &str| {
                    employees::is_of_company(model, name)
                        || fields.get(name).is_some_and(|field| field.company_dependent)
                };
                mapping.per_company =
                    mapping.fields().into_iter().filter(|(name, _)| dependent(name)).collect();
            }
            return Ok(Some(mapping));
        }
        Ok(None)
    }

    /// Whether every run reads every record.
    pub fn is_read_whole(&self) -> bool {
        self.dataset.extent == Extent::Whole || !self.tells_changes
    }

    /// What state of it is kept by, for a server.
    pub fn key<'a>(&self, server: &'a str) -> FeedKey<'a> {
        FeedKey { server, table: self.dataset.table, channel: self.feed.channel_or_none() }
    }

    /// Does without fields of a model that cannot be read.
    pub fn leave_out(&mut self, model: &str, fields: &[(String, String)]) {
        let own = self.model.clone();
        let is_read = |origin: &Origin| {
            let steps = [(&own, &origin.field)].into_iter();
            let hops = origin.hops.iter().map(|hop| (&hop.model, &hop.field));
            let is_bad = |(of, field): (&String, &Reading)| {
                of == model && fields.iter().any(|(name, _)| *name == field.name)
            };
            !steps.chain(hops).any(is_bad)
        };
        for mapped in &mut self.columns {
            match &mut mapped.values {
                Values::Plain(origins) => origins.retain(is_read),
                Values::Local { time, zone, .. } => {
                    time.retain(is_read);
                    zone.retain(is_read);
                }
            }
        }
    }

    /// Which records belong to the table.
    pub fn domain(&self) -> Domain {
        self.domain.clone()
    }

    /// Without the records of some ids, each from the first, below the second.
    pub fn leaving_out(mut self, ranges: &[(i64, i64)]) -> Mapping {
        for (from, to) in ranges {
            let below = Domain::leaf("id", "<", *from);
            // Behind Odoo's highest id there is nothing that could be compared with it.
            let outside = match i32::try_from(*to) {
                Ok(to) => below | Domain::leaf("id", ">=", i64::from(to)),
                Err(_) => below,
            };
            self.domain = self.domain.and(outside);
        }
        self
    }

    /// The field behind a column.
    pub fn field_of(&self, column: &str) -> Option<&str> {
        let mapped = self.columns.iter().find(|mapped| mapped.column.name == column)?;
        mapped.values.origins().next().map(|origin| origin.field.name.as_str())
    }

    /// Which records changed at a time or later (`2024-01-31 23:59:59`, in UTC). Whole seconds
    /// and `>=` mean the same in every release.
    pub fn changed_since(&self, time: &str) -> Domain {
        self.changed_with(&self.also, time)
    }

    /// Those that changed themselves, or with records that some relations lead to, and those that
    /// are not settled.
    pub fn changed_with(&self, relations: &[&str], time: &str) -> Domain {
        let own = std::iter::once("write_date".to_owned());
        let also = relations.iter().map(|relation| dated(relation));
        let changed = written_since(own.chain(also), time);
        match self.feed.unsettled.map(Domain::parse) {
            Some(Ok(unsettled)) => changed | unsettled,
            _ => changed,
        }
    }

    /// Those that a changed record is behind, by a relation.
    pub fn changed_through(relation: &str, time: &str) -> Domain {
        written_since(std::iter::once(dated(relation)), time)
    }

    /// What to ask for, of which models, to see whether records have changed since a time whose
    /// values the rows of a page show; `None` if that does not tell. Where a relation cannot be
    /// searched, its records are asked for.
    pub fn related_since(&self, time: &str, page: &Page) -> Option<Vec<(String, Domain)>> {
        let mut asked: BTreeMap<(&str, Option<&str>), BTreeSet<String>> = BTreeMap::new();
        for origin in self.columns.iter().flat_map(|mapped| mapped.values.origins()) {
            let Some(first) = origin.hops.first() else {
                continue;
            };
            let field = origin.field.name.as_str();
            let (key, mut path) = match origin.field.is_searchable {
                true => ((self.model.as_str(), None), format!("{field}.")),
                false => ((first.model.as_str(), Some(field)), String::new()),
            };
            for (index, hop) in origin.hops.iter().enumerate() {
                asked.entry(key).or_default().insert(format!("{path}write_date"));
                if index + 1 < origin.hops.len() && !hop.field.is_searchable {
                    return None;
                }
                path += &format!("{}.", hop.field.name);
            }
        }
        let question = |((model, field), dates): ((&str, Option<&str>), BTreeSet<String>)| {
            let changed = written_since(dates.into_iter(), time);
            let domain = match field.map(|field| shown(page, field)) {
                None => changed,
                Some(ids) if ids.is_empty() => return None,
                Some(ids) => extract::among(&ids).and(changed),
            };
            Some((model.to_owned(), domain))
        };
        Some(asked.into_iter().filter_map(question).collect())
    }

    /// The fields of other records that the rows show.
    pub fn hops(&self) -> impl Iterator<Item = &Hop> {
        let origins = self.columns.iter().flat_map(|mapped| mapped.values.origins());
        origins.flat_map(|origin| &origin.hops)
    }

    /// The fields to ask for, each once. With fields that depend on the company comes the
    /// record's company.
    pub fn fields(&self) -> Vec<(String, FieldType)> {
        let mut fields: Vec<(String, FieldType)> = Vec::new();
        let origins = self.columns.iter().flat_map(|mapped| mapped.values.origins());
        for field in
            origins.flat_map(|origin| [Some(&origin.field), origin.guard.as_ref()]).flatten()
        {
            if fields.iter().all(|(name, _)| *name != field.name) {
                fields.push((field.name.clone(), field.field_type));
            }
        }
        if self.per_company.iter().any(|_| fields.iter().all(|(name, _)| name != "company_id")) {
            fields.push(("company_id".into(), FieldType::Many2one));
        }
        fields
    }

    /// The columns that stay NULL here.
    pub fn absent(&self) -> Vec<&'static str> {
        let absent = self.columns.iter().filter(|mapped| mapped.values.is_absent());
        absent
            .filter(|mapped| has_path(mapped.column, self))
            .map(|mapped| mapped.column.name)
            .filter(|name| *name != ACTIVE)
            .collect()
    }
}

/// The first of several domains whose fields the model has; one of a field that is gone fails.
fn domain(texts: &[&str], has: impl Fn(&str) -> bool) -> Domain {
    // A test parses the domains of all declarations.
    let mut domains: Vec<_> =
        texts.iter().map(|text| Domain::parse(text).unwrap_or_default()).collect();
    let last = domains.pop().unwrap_or_default();
    let is_known = |domain: &Domain| {
        domain.fields().all(|path| has(path.split('.').next().unwrap_or_default()))
    };
    domains.into_iter().find(is_known).unwrap_or(last)
}

/// The records that a page's rows lead to.
fn shown(page: &Page, field: &str) -> Vec<i64> {
    let shown: BTreeSet<i64> = match page.column(field) {
        Some(Cells::Integers(ids)) => ids.iter().copied().flatten().collect(),
        Some(Cells::Lists(lists)) => lists.iter().flatten().copied().collect(),
        _ => BTreeSet::new(),
    };
    shown.into_iter().collect()
}

fn dated(relation: &str) -> String {
    format!("{relation}.write_date")
}

fn written_since(dates: impl Iterator<Item = String>, time: &str) -> Domain {
    Domain::any(dates.map(|date| Domain::leaf(&date, ">=", time)).collect())
}

/// Whether the declaration has a path for this feed at all.
fn has_path(column: &Column, mapping: &Mapping) -> bool {
    let feed = mapping.dataset.feeds.iter().position(|feed| std::ptr::eq(feed, mapping.feed));
    match column.source {
        Source::Field(text)
        | Source::Number(text)
        | Source::Added(text)
        | Source::Reference { path: text, .. }
        | Source::Corrected { path: text, .. } => {
            path::parse(text, feed.unwrap_or(0)).is_ok_and(|paths| !paths.is_empty())
        }
        Source::Ingredient(_) | Source::Company(_) => false,
        _ => true,
    }
}

//! What a run has asked Odoo for: parents and related records, each once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use crate::failure::Failure;
use crate::odoo::Page;
use crate::server::{Server, Session};
use crate::sync::mapping::feed::Mapping;
use crate::sync::transform::companies::with_companies;
use crate::sync::transform::related::{self, Lookups};
use crate::sync::transform::rows::{self, Rows};
use crate::sync::transform::zones::Zones;
use crate::sync::work::changes::Changes;
use crate::sync::work::context::Context;
use crate::sync::work::report::Reports;
use crate::sync::work::targets::Target;
use crate::warehouse::Dataset;

/// What is known of related records.
pub type Related = related::Related;

/// Records by the table and the feed that they are of.
type Records = HashMap<(&'static str, usize), HashSet<i64>>;

/// Parents that are remembered at most, so that memory stays bounded: payments that come before their
/// orders have as many.
const KEPT: usize = 500_000;

pub struct Fetching {
    lookups: Lookups,
    zones: Zones,
    /// Parents that were asked for in this run, and so need not be asked for again.
    asked: Records,
    /// Records whose rows wait for their parents: those of the pages that are being loaded.
    waiting: Records,
    /// Which records have changed.
    pub changes: Changes,
    /// Why records of a feed are not given, where that is known.
    reasons: HashMap<(&'static str, usize), String>,
}

impl Fetching {
    pub fn new(server: &Server, session: &Rc<Session>) -> Fetching {
        Fetching {
            lookups: Lookups::new(session.clone(), server.options.batch()),
            zones: Zones::new(&server.options.timezone),
            asked: Records::new(),
            waiting: Records::new(),
            changes: Changes::default(),
            reasons: HashMap::new(),
        }
    }

    /// Announces what a mapping will ask for of related records.
    pub fn announce(&mut self, mapping: &Mapping) {
        self.lookups.announce(mapping);
    }

    /// Gives what is known of related records for what another run knew.
    pub fn exchange_related(&mut self, known: &mut Related) {
        self.lookups.exchange(known);
    }

    /// The models whose values stay NULL in a mapping's rows, because the user may not read them.
    pub fn denied(&self, mapping: &Mapping) -> BTreeSet<String> {
        self.lookups.denied(mapping)
    }

    /// The rows of a page, fit for their table.
    pub fn rows(
        &mut self,
        context: &Context,
        reports: &mut Reports,
        mapping: &Mapping,
        page: Page,
    ) -> Result<Rows, Failure> {
        let page = with_companies(&context.session, &context.identity, mapping, page)?;
        let mut beside = rows::Context {
            companies: &context.identity.companies,
            lookups: &mut self.lookups,
            zones: &mut self.zones,
        };
        let mut rows = Rows::from_page(mapping, &page, &mut beside)?;
        self.zones.warn();
        let table = mapping.dataset.table;
        reports.blemish(format!("{table}: left out {{}} control character(s)"), page.dropped());
        for (index, mapped) in mapping.columns.iter().enumerate() {
            let name = mapped.column.name;
            if let Some(width) = context.widths.get(&(table.to_owned(), name.to_owned())) {
                let cut = rows.narrow(index, *width);
                let what = format!("{table}.{name}: cut {{}} value(s) to {width} characters");
                reports.blemish(what, cut);
            }
        }
        Ok(rows)
    }

    /// Before a page: parents that were asked for long ago may be asked for again.
    pub fn begin_page(&mut self) {
        keep_few(&mut self.asked, KEPT);
    }

    /// Those of the ids that nobody has asked for, nor waits with; they count as asked for now.
    pub fn not_yet_asked(&mut self, dataset: &Dataset, feed: usize, mut ids: Vec<i64>) -> Vec<i64> {
        let waiting = self.waiting.entry((dataset.table, feed)).or_default();
        let asked = self.asked.entry((dataset.table, feed)).or_default();
        ids.retain(|id| !waiting.contains(id) && asked.insert(*id));
        ids
    }

    /// How many records came as the parents of others.
    pub fn count_asked(&self, dataset: &Dataset, feed: usize, ids: &[i64]) -> usize {
        let asked = self.asked.get(&(dataset.table, feed));
        asked.map_or(0, |asked| ids.iter().filter(|id| asked.contains(id)).count())
    }

    /// The rows wait for their parents.
    pub fn begin_waiting(&mut self, dataset: &Dataset, target: &Target, ids: &[i64]) {
        self.waiting.entry((dataset.table, target.feed)).or_default().extend(ids);
    }

    pub fn end_waiting(&mut self, dataset: &Dataset, target: &Target, ids: &[i64]) {
        if let Some(waiting) = self.waiting.get_mut(&(dataset.table, target.feed)) {
            ids.iter().for_each(|id| {
                waiting.remove(id);
            });
        }
    }

    /// Why Odoo gives no record of a feed, where that is known.
    pub fn reason(&self, table: &'static str, feed: usize) -> Option<String> {
        self.reasons.get(&(table, feed)).cloned()
    }

    pub fn set_reason(&mut self, dataset: &Dataset, feed: usize, reason: Option<&str>) {
        let key = (dataset.table, feed);
        match reason {
            Some(reason) => self.reasons.insert(key, reason.to_owned()),
            None => self.reasons.remove(&key),
        };
    }

    /// Forgets what was undone with an error.
    pub fn forget(&mut self) {
        self.asked.clear();
        self.waiting.clear();
    }
}

/// Forgets all if they are more than so many.
fn keep_few(records: &mut Records, most: usize) {
    if records.values().map(HashSet::len).sum::<usize>() > most {
        records.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_parents_are_remembered_than_fit() {
        let mut records = Records::new();
        records.entry(("all_sales", 0)).or_default().extend(1..=3);
        records.entry(("dim_products", 0)).or_default().extend(1..=2);
        keep_few(&mut records, 5);
        assert_eq!(records.len(), 2);
        keep_few(&mut records, 4);
        assert!(records.is_empty());
    }
}

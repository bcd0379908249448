//! One feed of a table in step with Odoo, by a scan of every record's id and write_date.

use std::collections::HashSet;
use std::time::SystemTime;

use super::compare::{self, Difference};
use super::vanished::refuse_empty;
use crate::failure::Failure;
use crate::pg;
use crate::sync::load::deletes::{self, Range};
use crate::sync::work::parts::Work;
use crate::warehouse::Dataset;

impl Work {
    /// Brings one feed of a table in step. One that Odoo keeps from the user is left out.
    pub fn reconcile(&mut self, dataset: &'static Dataset, feed: usize) -> Result<(), Failure> {
        self.timed(dataset, |work| match work.reconcile_rows(dataset, feed) {
            Err(failure) if failure.is_denied() => work.deny(dataset, feed, failure),
            done => done,
        })
    }

    fn reconcile_rows(&mut self, dataset: &'static Dataset, feed: usize) -> Result<(), Failure> {
        let started = SystemTime::now();
        let Some(found) = self.compare(dataset, feed)? else {
            return Ok(());
        };
        let Some(target) = self.target(dataset, feed)? else {
            return Ok(());
        };
        let wanted: Vec<i64> = match target.mapping.tells_changes {
            true => found.missing.iter().chain(&found.stale).copied().collect(),
            false => found.present.clone(),
        };
        for some in wanted.chunks(self.context.server.options.batch()) {
            if let Some(fetched) = self.fetch(&target.mapping, some)? {
                pg::in_own_memory(|| self.load(dataset, &target, fetched))?;
                self.reports.of(dataset).add_page();
            }
        }
        let Work { context, reports, .. } = self;
        if !context.may_write(dataset)? {
            return Err(context.rows_taken(dataset));
        }
        let schema = context.schema();
        if found.present.is_empty() {
            refuse_empty(schema, dataset, feed)?;
        }
        let gone = deletes::absent(schema, dataset, feed, Range::ALL, &found.present, started)?;
        reports.of(dataset).add_deleted(deletes::rows(schema, dataset, feed, &gone)?);
        context.store.forget_unwatched(context.key(&target.mapping), started)
    }

    /// `None` if Odoo has no such model, or is known to keep it from the user.
    pub fn compare(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<Difference>, Failure> {
        let Some(target) = self.target(dataset, feed)? else {
            return Ok(None);
        };
        let (context, mapping) = (&self.context, &target.mapping);
        let mut found = compare::compare(&context.session, context.schema(), mapping, feed)?;
        if context.store.was_unwatched(context.key(mapping))? {
            let missing: HashSet<i64> = found.missing.iter().copied().collect();
            let there = found.present.iter().copied();
            found.stale = there.filter(|id| !missing.contains(id)).collect();
        }
        Ok(Some(found))
    }
}

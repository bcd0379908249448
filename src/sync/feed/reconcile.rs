//! One feed of a table in step with Odoo, by a scan of every record's id and write_date.

use std::rc::Rc;
use std::time::SystemTime;

use super::compare::{Comparison, Part};
use super::vanished::refuse_empty;
use crate::failure::Failure;
use crate::pg;
use crate::sync::load::{deletes, restore};
use crate::sync::work::parts::Work;
use crate::sync::work::targets::Target;
use crate::warehouse::Dataset;

/// How many records and rows a feed has, and how they differ.
#[derive(Debug, Default, Clone, Copy)]
pub struct Difference {
    pub present: i64,
    pub rows: i64,
    pub missing: i64,
    pub stale: i64,
    pub deleted: i64,
}

impl Work {
    /// Brings one feed of a table in step. One that Odoo keeps from the user is left out.
    pub fn reconcile(&mut self, dataset: &'static Dataset, feed: usize) -> Result<(), Failure> {
        self.timed(dataset, |work| match work.reconcile_rows(dataset, feed) {
            Err(failure) if failure.is_denied() => work.deny(dataset, feed, failure),
            done => done,
        })
    }

    /// What differs is read while the comparison goes on; what is gone is deleted at its end, as far
    /// as nobody has written it since the beginning.
    fn reconcile_rows(&mut self, dataset: &'static Dataset, feed: usize) -> Result<(), Failure> {
        let (started, began) = (SystemTime::now(), self.context.session.server_time());
        let Some(target) = self.target(dataset, feed)? else {
            return Ok(());
        };
        let mut comparison = Comparison::begin(&self.context, &target.mapping, feed)?;
        let (mut is_empty, mut gone) = (true, Vec::new());
        while let Some(part) = comparison.next(&self.context)? {
            is_empty &= part.present.is_empty();
            self.load_different(dataset, &target, &part)?;
            if part.deleted > 0 {
                let Part { range, present, .. } = &part;
                let schema = self.context.schema();
                gone.extend(deletes::absent(schema, dataset, feed, *range, present, started)?);
            }
        }
        let Work { context, reports, .. } = self;
        if !context.may_write(dataset)? {
            return Err(context.rows_taken(dataset));
        }
        let schema = context.schema();
        if is_empty {
            refuse_empty(schema, dataset, feed)?;
        }
        let clock = context.clock_of_history(dataset)?;
        let deleted = deletes::rows(schema, dataset, feed, &gone, clock)?;
        reports.of(dataset).add_deleted(deleted);
        context.keep_day(dataset, began)?;
        context.store.forget_unwatched(context.key(&target.mapping), started)
    }

    fn load_different(
        &mut self,
        dataset: &'static Dataset,
        target: &Rc<Target>,
        part: &Part,
    ) -> Result<(), Failure> {
        let wanted: Vec<i64> = match target.mapping.tells_changes {
            true => part.missing.iter().chain(&part.stale).copied().collect(),
            false => part.present.clone(),
        };
        for some in wanted.chunks(self.context.server.options.batch()) {
            if let Some(fetched) = self.fetch(&target.mapping, some)? {
                pg::in_own_memory(|| {
                    self.load(dataset, target, fetched)?;
                    let context = &self.context;
                    let may_write = |heir: &Dataset| context.may_write(heir);
                    restore::pass_on_from(
                        context.schema(),
                        dataset,
                        target.feed,
                        Some(some),
                        may_write,
                    )
                })?;
                self.reports.of(dataset).add_page();
            }
        }
        Ok(())
    }

    /// How a feed differs from Odoo. `None` if Odoo has no such model, or is known to keep it from
    /// the user.
    pub fn compare(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<Difference>, Failure> {
        let Some(target) = self.target(dataset, feed)? else {
            return Ok(None);
        };
        let mut comparison = Comparison::begin(&self.context, &target.mapping, feed)?;
        let mut found = Difference::default();
        while let Some(part) = comparison.next(&self.context)? {
            found.present += part.present.len() as i64;
            found.rows += part.rows;
            found.missing += part.missing.len() as i64;
            found.stale += part.stale.len() as i64;
            found.deleted += part.deleted;
        }
        Ok(Some(found))
    }
}

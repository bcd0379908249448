//! The parts of a run that loads tables: what it was given, how tables are read and written, what is
//! being fetched, and the reports.

use std::rc::Rc;
use std::time::Instant;

use crate::failure::{Failure, notice};
use crate::sync::mapping::feed::Mapping;
use crate::sync::mapping::lineage::lineage;
use crate::sync::work::context::Context;
use crate::sync::work::fetching::Fetching;
use crate::sync::work::report::Reports;
use crate::sync::work::report::Status;
use crate::sync::work::targets::{Found, Target, Targets};
use crate::warehouse::Dataset;

pub struct Work {
    pub context: Context,
    pub targets: Targets,
    pub fetching: Fetching,
    pub reports: Reports,
}

impl Work {
    /// The mapping and the statements for a feed; `None` if it cannot be read.
    pub fn target(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<Rc<Target>>, Failure> {
        self.reports.of(dataset);
        match self.targets.find(self.context.schema(), dataset, feed)? {
            Found::Known(target) => Ok(target),
            Found::New(target) => {
                self.meet(&target.mapping)?;
                Ok(Some(target))
            }
            Found::Absent => {
                self.tell_absent(dataset, feed);
                Ok(None)
            }
        }
    }

    /// Takes note of what a mapping asks for, and of where its columns come from.
    fn meet(&mut self, mapping: &Mapping) -> Result<(), Failure> {
        let Work { context, fetching, .. } = self;
        if !mapping.absent().is_empty() {
            let columns = mapping.absent().join(", ");
            notice!("{}: {} has no field for {columns}", mapping.dataset.table, mapping.model);
        }
        fetching.announce(mapping);
        // Of a table that is known the run of its own entity tells what has changed.
        let (store, key) = (&context.store, context.key(mapping));
        if !store.knows_columns(key)? {
            let may_write = || context.may_write(mapping.dataset);
            store.remember_columns(key, &lineage(mapping), may_write)?;
        }
        Ok(())
    }

    /// Says that Odoo has no model for a feed.
    fn tell_absent(&mut self, dataset: &'static Dataset, feed: usize) {
        let models = dataset.feeds[feed].models.join(" or ");
        if dataset.feeds.len() == 1 {
            self.reports.of(dataset).set_absent();
            notice!("{}: Odoo has no model {models}, the table stays empty", dataset.table);
        } else {
            notice!("{}: Odoo has no model {models}", dataset.table);
        }
    }

    /// Says that the Odoo user may not read the model of a feed, and leaves it out from now on.
    ///
    /// # Errors
    /// What is the matter instead: the server's options, or no more than a part of the model.
    pub fn deny(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
        failure: Failure,
    ) -> Result<(), Failure> {
        self.context.session.call(|odoo| odoo.check_options())?;
        if let Some(target) = self.target(dataset, feed)? {
            match self.context.shows_some(&target.mapping) {
                Err(denied) if denied.is_denied() => {}
                _ => return Err(failure),
            }
        }
        self.targets.leave_out(dataset, feed);
        self.fetching.set_reason(dataset, feed, Some(&failure.message));
        self.reports.of(dataset).end(Status::Denied, &failure);
        let message = format!("{}: skipped, {}", dataset.table, failure.message);
        Failure { message, ..failure }.warn();
        Ok(())
    }

    /// Does some of a table's work, and notes what it took.
    pub fn timed<T>(
        &mut self,
        dataset: &Dataset,
        work: impl FnOnce(&mut Work) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let begin = Instant::now();
        let done = work(self);
        self.reports.charge(&self.context.session, dataset, begin);
        done
    }

    /// Forgets what was undone with an error.
    pub fn start_over(&mut self) {
        self.targets.forget();
        self.fetching.forget();
    }
}

//! Verify and reconcile: the warehouse against a scan of all that Odoo has.

use std::time::SystemTime;

use super::compare::{self, Difference};
use super::delete::{self, Range};
use super::gone::refuse_empty;
use super::lock;
use super::run::Run;
use crate::backend;
use crate::failure::Failure;
use crate::warehouse::{self, Dataset, Entity};

/// How a feed of a table differs from Odoo.
pub struct Verdict {
    pub dataset: &'static Dataset,
    pub feed: usize,
    pub found: Difference,
}

impl Run {
    /// How an entity differs from Odoo. Nothing is written.
    pub fn verify(&mut self, entity: &'static Entity) -> Result<Vec<Verdict>, Failure> {
        let mut verdicts = Vec::new();
        for dataset in entity.datasets {
            for feed in 0..dataset.feeds.len() {
                if let Some(found) = self.compare(dataset, feed)? {
                    verdicts.push(Verdict { dataset, feed, found });
                }
            }
        }
        Ok(verdicts)
    }

    /// Brings an entity in step with Odoo: fetches what is missing or stale, deletes what is
    /// gone.
    pub fn reconcile(&mut self, entity: &'static Entity) -> Result<(), Failure> {
        self.lock(entity)?;
        for dataset in entity.datasets {
            for feed in 0..dataset.feeds.len() {
                self.reconcile_feed(dataset, feed)?;
            }
        }
        self.heal()
    }

    /// The same for one feed of a table.
    pub fn reconcile_feed(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<(), Failure> {
        self.timed(dataset, |run| {
            let started = SystemTime::now();
            let Some(found) = run.compare(dataset, feed)? else {
                return Ok(());
            };
            let Some(target) = run.target(dataset, feed)? else {
                return Ok(());
            };
            let wanted: Vec<i64> = match target.plan.tells_changes {
                true => found.missing.iter().chain(&found.stale).copied().collect(),
                false => found.present.clone(),
            };
            for some in wanted.chunks(run.server.options.batch()) {
                if let Some(fetched) = run.fetch(&target.plan, some)? {
                    backend::in_own_memory(|| run.load(dataset, &target, fetched))?;
                    run.report(dataset).pages += 1;
                }
            }
            if !run.may_write(dataset)? {
                return Err(lock::rows_taken(&run.server, warehouse::entity_of(dataset)));
            }
            let schema = &run.server.options.schema;
            if found.present.is_empty() {
                refuse_empty(schema, dataset, feed)?;
            }
            let gone = delete::absent(schema, dataset, feed, Range::ALL, &found.present, started)?;
            let deleted = delete::rows(schema, dataset, feed, &gone)?;
            run.report(dataset).deleted += deleted;
            Ok(())
        })
    }

    /// `None` if Odoo has no such model or the user may not read it.
    fn compare(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<Difference>, Failure> {
        let Some(target) = self.target(dataset, feed)? else {
            return Ok(None);
        };
        let schema = &self.server.options.schema;
        compare::compare(&self.session, schema, &target.plan, feed).map(Some)
    }
}

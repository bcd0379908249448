//! Verify and reconcile: the warehouse against a scan of all that Odoo has.

use std::collections::HashSet;
use std::time::SystemTime;

use crate::failure::Failure;
use crate::pg;
use crate::server::lock;
use crate::sync::load::deletes::{self, Range};
use crate::sync::run::compare::{self, Difference};
use crate::sync::run::driver::Run;
use crate::sync::run::vanished::refuse_empty;
use crate::warehouse::{self, Dataset, Entity};

/// How a feed of a table differs from Odoo.
pub struct Verdict {
    pub dataset: &'static Dataset,
    pub feed: usize,
    pub found: Difference,
}

impl Run {
    /// How an entity differs from Odoo. Nothing is written; what Odoo keeps from the user is left
    /// out.
    pub fn verify(&mut self, entity: &'static Entity) -> Result<Vec<Verdict>, Failure> {
        let mut verdicts = Vec::new();
        for (dataset, feed) in entity.feeds() {
            match self.compare(dataset, feed) {
                Ok(Some(found)) => verdicts.push(Verdict { dataset, feed, found }),
                Ok(None) => {}
                Err(failure) if failure.is_denied() => self.deny(dataset, feed, failure)?,
                Err(failure) => return Err(failure),
            }
        }
        Ok(verdicts)
    }

    /// Brings an entity in step with Odoo: fetches what is missing or stale, deletes what is
    /// gone. Its error undoes what this transaction did.
    pub fn reconcile(&mut self, entity: &'static Entity) -> Result<(), Failure> {
        self.attempt(entity, Run::reconcile_entity)
    }

    /// The same; its error undoes this entity alone and is in the report.
    pub fn try_reconcile(&mut self, entity: &'static Entity) {
        self.try_attempt(entity, Run::reconcile_entity);
    }

    fn reconcile_entity(&mut self, entity: &'static Entity) -> Result<(), Failure> {
        entity.feeds().try_for_each(|(dataset, feed)| self.reconcile_feed(dataset, feed))?;
        self.heal()
    }

    /// The same for one feed of a table. One that Odoo keeps from the user is left out.
    pub fn reconcile_feed(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<(), Failure> {
        self.timed(dataset, |run| match run.reconcile_rows(dataset, feed) {
            Err(failure) if failure.is_denied() => run.deny(dataset, feed, failure),
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
        let wanted: Vec<i64> = match target.plan.tells_changes {
            true => found.missing.iter().chain(&found.stale).copied().collect(),
            false => found.present.clone(),
        };
        for some in wanted.chunks(self.server.options.batch()) {
            if let Some(fetched) = self.fetch(&target.plan, some)? {
                pg::in_own_memory(|| self.load(dataset, &target, fetched))?;
                self.report(dataset).pages += 1;
            }
        }
        if !self.may_write(dataset)? {
            return Err(lock::rows_taken(&self.server, warehouse::entity_of(dataset)));
        }
        let schema = &self.server.options.schema;
        if found.present.is_empty() {
            refuse_empty(schema, dataset, feed)?;
        }
        let gone = deletes::absent(schema, dataset, feed, Range::ALL, &found.present, started)?;
        let deleted = deletes::rows(schema, dataset, feed, &gone)?;
        self.report(dataset).deleted += deleted;
        self.extension.vouch(target.plan.key(&self.server.name), started)
    }

    /// `None` if Odoo has no such model, or is known to keep it from the user.
    fn compare(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<Difference>, Failure> {
        let Some(target) = self.target(dataset, feed)? else {
            return Ok(None);
        };
        let schema = &self.server.options.schema;
        let mut found = compare::compare(&self.session, schema, &target.plan, feed)?;
        if self.extension.is_in_doubt(target.plan.key(&self.server.name))? {
            let missing: HashSet<i64> = found.missing.iter().copied().collect();
            let there = found.present.iter().copied();
            found.stale = there.filter(|id| !missing.contains(id)).collect();
        }
        Ok(Some(found))
    }
}

//! Verify and reconcile: the warehouse against a scan of all that Odoo has.

use std::time::Instant;

use super::compare::{self, Difference};
use super::delete;
use super::run::Run;
use crate::failure::Failure;
use crate::warehouse::{Dataset, Entity};

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
                if let Some(target) = self.target(dataset, feed)? {
                    let schema = &self.server.options.schema;
                    let found = compare::compare(&self.session, schema, &target.plan, feed)?;
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
        for Verdict { dataset, feed, found } in self.verify(entity)? {
            let begin = Instant::now();
            let Some(target) = self.target(dataset, feed)? else {
                continue;
            };
            let wanted: Vec<i64> = found.missing.iter().chain(&found.stale).copied().collect();
            for some in wanted.chunks(self.server.options.page_size) {
                if let Some(page) = self.fetch(&target.plan, some)? {
                    self.load(dataset, &target, page)?;
                }
            }
            let schema = &self.server.options.schema;
            let deleted = delete::vanished(schema, dataset, feed, &found.present)?;
            let report = self.report(dataset);
            report.deleted += deleted;
            report.seconds += begin.elapsed().as_secs_f64();
        }
        self.heal()
    }
}

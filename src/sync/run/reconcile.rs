//! Verify and reconcile: the warehouse against a scan of all that Odoo has.

use super::driver::Run;
use crate::failure::Failure;
use crate::sync::feed::reconcile::Difference;
use crate::warehouse::{Dataset, Entity};

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
        let work = self.work();
        let mut verdicts = Vec::new();
        for (dataset, feed) in entity.feeds() {
            match work.compare(dataset, feed) {
                Ok(Some(found)) => verdicts.push(Verdict { dataset, feed, found }),
                Ok(None) => {}
                Err(failure) if failure.is_denied() => work.deny(dataset, feed, failure)?,
                Err(failure) => return Err(failure),
            }
        }
        Ok(verdicts)
    }

    /// Brings an entity in step with Odoo: fetches what is missing or stale, deletes what is
    /// gone.
    pub fn reconcile_entity(&mut self, entity: &'static Entity) -> Result<(), Failure> {
        let work = self.work();
        entity.feeds().try_for_each(|(dataset, feed)| work.reconcile(dataset, feed))?;
        self.keep_days(entity)?;
        self.restore()
    }
}

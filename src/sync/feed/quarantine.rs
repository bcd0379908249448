//! Values that Odoo could not give: remembered, and asked for again by every run.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::SystemTime;

use crate::extract;
use crate::extract::bisect;
use crate::failure::Failure;
use crate::odoo::FieldType;
use crate::sync::mapping::feed::Plan;
use crate::sync::work::parts::Work;
use crate::sync::work::targets::Target;
use crate::warehouse::Dataset;

impl Work {
    /// Loads the records whose quarantined values can be read by now, and forgets those that are
    /// gone. Records that were read after `begin` are not asked for again.
    pub fn retry_quarantined(
        &mut self,
        dataset: &'static Dataset,
        target: &Rc<Target>,
        begin: SystemTime,
    ) -> Result<(), Failure> {
        let plan = &target.plan;
        let quarantined = self.context.store.quarantined(self.context.key(plan), begin)?;
        if quarantined.is_empty() {
            return Ok(());
        }
        let all: BTreeSet<i64> = quarantined.values().flatten().copied().collect();
        let all: Vec<i64> = all.into_iter().collect();
        let there = extract::visible_in(&self.context.session, &plan.model, &all, plan.domain())?;
        let gone: Vec<i64> = all.into_iter().filter(|id| !there.contains(id)).collect();
        let mut ready: BTreeSet<i64> = BTreeSet::new();
        for (field, mut ids) in quarantined {
            ids.retain(|id| there.contains(id));
            match plan.fields().into_iter().find(|(name, _)| *name == field) {
                Some(field) => {
                    for some in ids.chunks(bisect::MOST) {
                        ready.extend(self.readable(plan, some, std::slice::from_ref(&field))?);
                    }
                }
                // Whole records, or a field that is not asked for any more.
                None => ready.extend(ids),
            }
        }
        let ready: Vec<i64> = ready.into_iter().collect();
        for some in ready.chunks(bisect::MOST) {
            if let Some(fetched) = self.fetch_by(plan, some, bisect::recover_known)? {
                self.load(dataset, target, fetched)?;
            }
        }
        self.context.store.quarantine(self.context.key(plan), &plan.model, &gone, &[])
    }

    /// Those of the records that have a readable value.
    fn readable(
        &self,
        plan: &Plan,
        ids: &[i64],
        field: &[(String, FieldType)],
    ) -> Result<Vec<i64>, Failure> {
        let page = extract::read(&self.context.session, &plan.model, ids.to_vec(), field, None)?;
        let fetched = match page.outcome()? {
            Ok(page) => return Ok(page.ids()),
            Err(error) => bisect::recover_known(
                &self.context.session,
                &plan.model,
                ids.to_vec(),
                field,
                error,
            )?,
        };
        let bad: BTreeSet<i64> = fetched.poison.iter().map(|poison| poison.id).collect();
        Ok(fetched.page.ids().into_iter().filter(|id| !bad.contains(id)).collect())
    }
}

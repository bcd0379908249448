//! Values that Odoo could not give: remembered, and asked for again by every run.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::SystemTime;

use crate::extract;
use crate::extract::bisect;
use crate::failure::Failure;
use crate::odoo::FieldType;
use crate::sync::mapping::feed::Mapping;
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
        let mapping = &target.mapping;
        let quarantined = self.context.store.quarantined(self.context.key(mapping), begin)?;
        if quarantined.is_empty() {
            return Ok(());
        }
        let all: BTreeSet<i64> = quarantined.values().flatten().copied().collect();
        let all: Vec<i64> = all.into_iter().collect();
        let there =
            extract::visible_in(&self.context.session, &mapping.model, &all, mapping.domain())?;
        let gone: Vec<i64> = all.into_iter().filter(|id| !there.contains(id)).collect();
        let mut ready: BTreeSet<i64> = BTreeSet::new();
        for (field, mut ids) in quarantined {
            ids.retain(|id| there.contains(id));
            match mapping.fields().into_iter().find(|(name, _)| *name == field) {
                Some(field) => {
                    for some in ids.chunks(bisect::MOST) {
                        ready.extend(self.readable(mapping, some, std::slice::from_ref(&field))?);
                    }
                }
                // Whole records, or a field that is not asked for any more.
                None => ready.extend(ids),
            }
        }
        let ready: Vec<i64> = ready.into_iter().collect();
        for some in ready.chunks(bisect::MOST) {
            if let Some(fetched) = self.fetch_by(mapping, some, bisect::recover_known)? {
                self.load(dataset, target, fetched)?;
            }
        }
        self.context.store.quarantine(self.context.key(mapping), &mapping.model, &gone, &[])
    }

    /// Those of the records that have a readable value.
    fn readable(
        &self,
        mapping: &Mapping,
        ids: &[i64],
        field: &[(String, FieldType)],
    ) -> Result<Vec<i64>, Failure> {
        let page = extract::read(&self.context.session, &mapping.model, ids.to_vec(), field, None)?;
        let fetched = match page.outcome()? {
            Ok(page) => return Ok(page.ids()),
            Err(error) => bisect::recover_known(
                &self.context.session,
                &mapping.model,
                ids.to_vec(),
                field,
                error,
            )?,
        };
        let bad: BTreeSet<i64> = fetched.bad.iter().map(|bad| bad.id).collect();
        Ok(fetched.page.ids().into_iter().filter(|id| !bad.contains(id)).collect())
    }
}

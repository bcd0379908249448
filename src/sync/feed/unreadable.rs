//! What Odoo keeps from a table's rows: the values of models that the user may not read, which
//! stay NULL, and the changes that only a relation tells by which it does not search. The table is
//! read again when Odoo gives it.

use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Connection, Domain, Error, FieldType};
use crate::state::Kept;
use crate::sync::mapping::feed::Plan;
use crate::sync::work::parts::Work;

impl Work {
    /// After rows were written: remembers the values that were kept from them.
    pub fn note_denied(&self, plan: &Plan) -> Result<(), Failure> {
        let models = self.fetching.denied(plan).into_iter();
        self.note(plan, models.map(|model| Kept { model, relation: String::new() }).collect())
    }

    /// After a feed was read: remembers the relations that told nothing of changes.
    pub fn note_unsearched(&self, plan: &Plan) -> Result<(), Failure> {
        let model = &plan.model;
        let relations = plan.unsearched.iter().map(|relation| (*relation).to_owned());
        self.note(plan, relations.map(|relation| Kept { model: model.clone(), relation }).collect())
    }

    fn note(&self, plan: &Plan, kept: Vec<Kept>) -> Result<(), Failure> {
        match kept.is_empty() || !self.may_be_denied(plan) {
            true => Ok(()),
            false => self.context.store.note_unreadable(self.context.key(plan), kept),
        }
    }

    /// Whether something may be kept from a feed's rows; older scripts cannot remember it.
    fn may_be_denied(&self, plan: &Plan) -> bool {
        let leads_elsewhere = plan.hops().next().is_some() || !plan.feed.also.is_empty();
        leads_elsewhere && self.context.store.is_current
    }

    /// After all rows were loaded anew: forgets what was kept from those before.
    pub fn forget_denied(&self, plan: &Plan) -> Result<(), Failure> {
        if !self.may_be_denied(plan) {
            return Ok(());
        }
        self.context.store.forget_unreadable(self.context.key(plan))?;
        self.note_denied(plan)
    }

    /// Whether values were kept from a feed's rows.
    pub fn was_denied(&self, plan: &Plan) -> Result<bool, Failure> {
        if !self.may_be_denied(plan) {
            return Ok(false);
        }
        let kept = self.context.store.unreadable(self.context.key(plan))?;
        Ok(kept.iter().any(|kept| kept.relation.is_empty()))
    }

    /// Whether Odoo gives by now what it kept from a feed's rows.
    pub fn is_allowed_again(&self, plan: &Plan) -> Result<bool, Failure> {
        if !self.may_be_denied(plan) {
            return Ok(false);
        }
        for Kept { model, relation } in self.context.store.unreadable(self.context.key(plan))? {
            if !relation.is_empty() {
                let is_tried = plan.also.contains(&relation.as_str());
                if is_tried && self.targets.can_search(&model, &relation)? {
                    return Ok(true);
                }
                continue;
            }
            let fields = plan.hops().filter(|hop| hop.model == model);
            let fields: Vec<_> =
                fields.map(|hop| (hop.field.name.clone(), hop.field.field_type)).collect();
            match self.context.session.call(move |odoo| can_read(odoo, &model, &fields)) {
                Ok(false) => {}
                Err(failure) if failure.is_denied() => {}
                is_allowed => return is_allowed,
            }
        }
        Ok(false)
    }
}

fn can_read(odoo: &Connection, model: &str, fields: &[(String, FieldType)]) -> Result<bool, Error> {
    let model = odoo.model(model);
    let ids = model.search_after(Domain::all(), BEFORE_ALL, 1)?;
    let fields: Vec<_> = fields.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    Ok(!ids.is_empty() && !fields.is_empty() && model.read(ids, &fields)?.rows() > 0)
}

//! What Odoo keeps from a table's rows: the values of models that the user may not read, which
//! stay NULL, and the changes that only a relation tells by which it does not search. The table is
//! read again when Odoo gives it.

use crate::extract::BadValue;
use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Connection, Domain, Error, FieldType};
use crate::state::Kept;
use crate::sync::load::own::history::Seen;
use crate::sync::mapping::feed::{MappedColumn, Mapping};
use crate::sync::mapping::values::Origin;
use crate::sync::work::parts::Work;

impl Work {
    /// After rows were written: remembers the values that were kept from them.
    pub fn note_denied(&self, mapping: &Mapping) -> Result<(), Failure> {
        let models = self.fetching.denied(mapping).into_iter();
        self.note(mapping, models.map(|model| Kept { model, relation: String::new() }).collect())
    }

    /// After a feed was read: remembers the relations that told nothing of changes.
    pub fn note_unsearched(&self, mapping: &Mapping) -> Result<(), Failure> {
        let model = &mapping.model;
        let relations = mapping.unsearched.iter().map(|relation| (*relation).to_owned());
        self.note(
            mapping,
            relations.map(|relation| Kept { model: model.clone(), relation }).collect(),
        )
    }

    fn note(&self, mapping: &Mapping, kept: Vec<Kept>) -> Result<(), Failure> {
        match kept.is_empty() || !self.may_be_denied(mapping) {
            true => Ok(()),
            false => self.context.store.note_unreadable(self.context.key(mapping), kept),
        }
    }

    /// Whether something may be kept from a feed's rows; older scripts cannot remember it.
    fn may_be_denied(&self, mapping: &Mapping) -> bool {
        let leads_elsewhere = mapping.hops().next().is_some() || !mapping.feed.also.is_empty();
        leads_elsewhere && self.context.store.is_current
    }

    /// After all rows were loaded anew: forgets what was kept from those before.
    pub fn forget_denied(&self, mapping: &Mapping) -> Result<(), Failure> {
        if !self.may_be_denied(mapping) {
            return Ok(());
        }
        self.context.store.forget_unreadable(self.context.key(mapping))?;
        self.note_denied(mapping)
    }

    /// Whether values were kept from a feed's rows.
    pub fn was_denied(&self, mapping: &Mapping) -> Result<bool, Failure> {
        if !self.may_be_denied(mapping) {
            return Ok(false);
        }
        let kept = self.context.store.unreadable(self.context.key(mapping))?;
        Ok(kept.iter().any(|kept| kept.relation.is_empty()))
    }

    /// What a table's history has to know of rows beside their values; `None` where none is kept.
    pub fn seen(&self, mapping: &Mapping, bad: &[BadValue]) -> Result<Option<Seen>, Failure> {
        let Some(clock) = self.context.clock_of_history(mapping.dataset)? else {
            return Ok(None);
        };
        let denied = self.fetching.denied(mapping);
        let is_denied = |origin: &Origin| origin.hops.iter().any(|hop| denied.contains(&hop.model));
        let absent = mapping.absent().into_iter().chain(shown_by(mapping, is_denied));
        let unread = bad.iter().flat_map(|bad| {
            let shows = |origin: &Origin| {
                let own = [Some(&origin.field), origin.guard.as_ref()];
                own.into_iter().flatten().any(|field| Some(&field.name) == bad.field.as_ref())
            };
            shown_by(mapping, shows).map(|column| (bad.id, column.to_owned())).collect::<Vec<_>>()
        });
        Ok(Some(Seen {
            clock,
            absent: absent.map(str::to_owned).collect(),
            unread: unread.collect(),
        }))
    }

    /// Whether Odoo gives by now what it kept from a feed's rows.
    pub fn is_allowed_again(&self, mapping: &Mapping) -> Result<bool, Failure> {
        if !self.may_be_denied(mapping) {
            return Ok(false);
        }
        for Kept { model, relation } in self.context.store.unreadable(self.context.key(mapping))? {
            if !relation.is_empty() {
                let is_tried = mapping.also.contains(&relation.as_str());
                if is_tried && self.targets.can_search(&model, &relation)? {
                    return Ok(true);
                }
                continue;
            }
            let fields = mapping.hops().filter(|hop| hop.model == model);
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

/// The columns that show the values of some origins.
fn shown_by(
    mapping: &Mapping,
    is_one: impl Fn(&Origin) -> bool,
) -> impl Iterator<Item = &'static str> {
    let shows = move |mapped: &&MappedColumn| mapped.values.origins().any(&is_one);
    mapping.columns.iter().filter(shows).map(|mapped| mapped.column.name)
}

fn can_read(odoo: &Connection, model: &str, fields: &[(String, FieldType)]) -> Result<bool, Error> {
    let model = odoo.model(model);
    let ids = model.search_after(Domain::all(), BEFORE_ALL, 1)?;
    let fields: Vec<_> = fields.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    Ok(!ids.is_empty() && !fields.is_empty() && model.read(ids, &fields)?.rows() > 0)
}

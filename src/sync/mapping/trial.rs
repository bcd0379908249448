//! What Odoo does not give of a table, found by trying: for the doctor.

use std::collections::{BTreeMap, HashMap};

use crate::extract;
use crate::extract::bisect;
use crate::failure::{Cause, Failure};
use crate::odoo::{BEFORE_ALL, Connection, Domain, Error, FieldType};
use crate::server::Session;
use crate::sync::mapping::catalogue::Catalogue;
use crate::sync::mapping::feed::Mapping;

/// Records that are read on trial.
const SAMPLE: usize = 3;

/// A model and fields of it.
type Question = (String, Vec<(String, FieldType)>);

/// Tries, each thing once.
#[derive(Default)]
pub struct Trials {
    /// What could not be read: the model, or fields of it.
    read: HashMap<Question, Vec<String>>,
}

/// What a table has to do without.
pub struct Lacks {
    pub unreadable: Vec<String>,
    pub unsearchable: Vec<String>,
}

impl Trials {
    /// Reads some records of a mapping's model, and of those whose values its rows show; and asks
    /// for records by its relations.
    pub fn of(
        &mut self,
        session: &Session,
        catalogue: &Catalogue,
        mapping: &Mapping,
    ) -> Result<Lacks, Failure> {
        let mut others: BTreeMap<String, Vec<(String, FieldType)>> = BTreeMap::new();
        for hop in mapping.hops() {
            let field = (hop.field.name.clone(), hop.field.field_type);
            let fields = others.entry(hop.model.clone()).or_default();
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        let mut unreadable = self.unreadable(session, (mapping.model.clone(), mapping.fields()))?;
        for question in others {
            unreadable.extend(self.unreadable(session, question)?);
        }
        let mut unsearchable = Vec::new();
        for relation in &mapping.also {
            if catalogue.can_search(&mapping.model, relation)?.is_err() {
                unsearchable.push((*relation).to_owned());
            }
        }
        Ok(Lacks { unreadable, unsearchable })
    }

    fn unreadable(
        &mut self,
        session: &Session,
        question: Question,
    ) -> Result<Vec<String>, Failure> {
        if let Some(known) = self.read.get(&question) {
            return Ok(known.clone());
        }
        let found = unreadable(session, &question)?;
        Ok(self.read.entry(question).or_insert(found).clone())
    }
}

fn unreadable(session: &Session, (model, fields): &Question) -> Result<Vec<String>, Failure> {
    let denied = |failure: Failure| match failure.cause {
        Cause::Denied => Ok(vec![model.clone()]),
        Cause::Fields(unreadable) => {
            Ok(unreadable.fields.iter().map(|(field, _)| format!("{model}.{field}")).collect())
        }
        // A record of its own, which a run puts into quarantine.
        Cause::Request => Ok(Vec::new()),
        _ => Err(failure),
    };
    let name = model.clone();
    let search =
        move |odoo: &Connection| odoo.model(&name).search_after(Domain::all(), BEFORE_ALL, SAMPLE);
    let ids = match session.call(search) {
        Ok(ids) => ids,
        Err(failure) => return denied(failure),
    };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    match extract::read(session, model, ids.clone(), fields, None)?.outcome()? {
        Ok(_) => Ok(Vec::new()),
        Err(error @ Error::Fault(_)) => {
            denied(bisect::explain(session, model, &ids, fields, error))
        }
        Err(error) => Err(error.into()),
    }
}

//! Single questions about a model: records by their ids, ids by a domain.

use super::ids::CHUNK;
use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Domain, FieldType, Page, Value};
use crate::server::{Session, Ticket};

pub(super) fn named(fields: &[(String, FieldType)]) -> Vec<(&str, FieldType)> {
    fields.iter().map(|(name, kind)| (name.as_str(), *kind)).collect()
}

/// Reads records in the background; fields that depend on the company as `company` sees them.
pub fn read(
    session: &Session,
    model: &str,
    ids: Vec<i64>,
    fields: &[(String, FieldType)],
    company: Option<i64>,
) -> Result<Ticket<Page>, Failure> {
    let (model, fields) = (model.to_owned(), fields.to_owned());
    session.submit(move |odoo| odoo.model(&model).of_company(company).read(ids, &named(&fields)))
}

/// Every id that meets a domain, chunk by chunk in their order.
pub fn for_each_chunk(
    session: &Session,
    model: &str,
    domain: &Domain,
    mut take: impl FnMut(&[i64], bool) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = BEFORE_ALL;
    loop {
        let (model, domain) = (model.to_owned(), domain.clone());
        let chunk =
            session.call(move |odoo| odoo.model(&model).search_after(domain, after, CHUNK))?;
        let is_last = chunk.len() < CHUNK;
        take(&chunk, is_last)?;
        match chunk.last() {
            Some(last) if !is_last => after = *last,
            _ => return Ok(()),
        }
    }
}

/// Every id that meets a domain.
pub fn ids(session: &Session, model: &str, domain: Domain) -> Result<Vec<i64>, Failure> {
    let mut all: Vec<i64> = Vec::new();
    for_each_chunk(session, model, &domain, |chunk, _| {
        all.extend(chunk);
        Ok(())
    })?;
    Ok(all)
}

/// Those of the ids that Odoo has and lets the user see: `read` refuses a whole page for one
/// record that a rule hides.
pub fn visible(session: &Session, model: &str, ids: &[i64]) -> Result<Vec<i64>, Failure> {
    visible_in(session, model, ids, Domain::all())
}

/// Those of them that meet a domain too.
pub fn visible_in(
    session: &Session,
    model: &str,
    ids: &[i64],
    domain: Domain,
) -> Result<Vec<i64>, Failure> {
    let domain = domain.and(among(ids));
    let model = model.to_owned();
    session.call(move |odoo| odoo.model(&model).search(domain, Some("id"), 0, None))
}

/// The records with these ids.
pub fn among(ids: &[i64]) -> Domain {
    Domain::leaf("id", "in", ids.iter().copied().collect::<Value>())
}

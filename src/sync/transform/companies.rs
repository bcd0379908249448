//! Fields of which each company has its own value.

use std::collections::HashMap;

use crate::extract;
use crate::failure::Failure;
use crate::odoo::{Cells, Identity, Page};
use crate::server::Session;
use crate::sync::mapping::feed::Mapping;

/// The page with such fields read again as the record's company, if it is not the current one.
pub fn with_companies(
    session: &Session,
    identity: &Identity,
    mapping: &Mapping,
    mut page: Page,
) -> Result<Page, Failure> {
    let Some(Cells::Integers(companies)) = page.column("company_id") else {
        return Ok(page);
    };
    if mapping.per_company.is_empty() {
        return Ok(page);
    }
    let ids = page.ids();
    let mut by_company: HashMap<i64, Vec<i64>> = HashMap::new();
    for (id, company) in ids.iter().zip(companies) {
        match company {
            Some(company)
                if identity.companies.first() != Some(company)
                    && identity.companies.contains(company) =>
            {
                by_company.entry(*company).or_default().push(*id);
            }
            _ => {}
        }
    }
    for (company, ids_of) in by_company {
        let fields = &mapping.per_company;
        let own = extract::read(session, &mapping.model, ids_of, fields, Some(company))?;
        page.overlay(&own.wait()?);
    }
    Ok(page)
}

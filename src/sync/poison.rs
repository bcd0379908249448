//! Pages that fault: what can be read of them is, and what cannot is named.

use super::batch::Fetched;
use super::extract;
use crate::failure::Failure;
use crate::odoo::{Error, FieldType, Page};
use crate::server::Session;
use crate::settings::{self, Without};

/// A value that Odoo cannot give.
#[derive(Debug, Clone)]
pub struct Poison {
    pub id: i64,
    /// `None` for a record of which nothing can be read.
    pub field: Option<String>,
    /// Odoo's words.
    pub error: String,
}

/// So many records of one page fault on their own only if something else is wrong.
pub const MOST: usize = 50;

/// Reads a page again whose first reading failed: in halves, down to single records, and those
/// field by field.
///
/// # Errors
/// The error itself, if fewer records or fields cannot help.
pub fn recover(
    session: &Session,
    model: &str,
    ids: Vec<i64>,
    fields: &[(String, FieldType)],
    error: Error,
) -> Result<Fetched, Failure> {
    let named = fields.iter().map(|(name, kind)| (name.as_str(), *kind));
    let mut recovery = Recovery {
        session,
        model,
        fields,
        found: Fetched { page: Page::new(named), poison: Vec::new() },
        faulty: 0,
    };
    recovery.handle(&ids, error)?;
    Ok(recovery.found)
}

struct Recovery<'a> {
    session: &'a Session,
    model: &'a str,
    fields: &'a [(String, FieldType)],
    found: Fetched,
    faulty: usize,
}

impl Recovery<'_> {
    fn read(
        &mut self,
        ids: &[i64],
        fields: &[(String, FieldType)],
    ) -> Result<Result<Page, Error>, Failure> {
        extract::read(self.session, self.model, ids.to_vec(), fields, None)?.outcome()
    }

    /// Reads some ids and keeps the records, or looks closer.
    fn take(&mut self, ids: &[i64]) -> Result<(), Failure> {
        match self.read(ids, self.fields)? {
            Ok(page) => {
                self.found.page.append(&page);
                Ok(())
            }
            Err(error) => self.handle(ids, error),
        }
    }

    fn handle(&mut self, ids: &[i64], error: Error) -> Result<(), Failure> {
        let helps = error.may_be_one_record() || ids.len() > 1 && error.asks_for_less();
        if !helps || self.faulty >= MOST || settings::is_without(Without::Bisect) {
            return Err(error.into());
        }
        match ids {
            [] => Ok(()),
            [id] => self.field_by_field(*id, error),
            _ => {
                let (one, other) = ids.split_at(ids.len() / 2);
                self.take(one)?;
                self.take(other)
            }
        }
    }

    fn field_by_field(&mut self, id: i64, error: Error) -> Result<(), Failure> {
        self.faulty += 1;
        let mut good = Vec::new();
        let mut bad = Vec::new();
        for field in self.fields {
            match self.read(&[id], std::slice::from_ref(field))? {
                Ok(_) => good.push(field.clone()),
                Err(error) if error.may_be_one_record() => {
                    bad.push(Poison { id, field: Some(field.0.clone()), error: error.to_string() });
                }
                Err(error) => return Err(error.into()),
            }
        }
        let rest = match good.is_empty() || bad.is_empty() {
            true => Err(error),
            false => self.read(&[id], &good)?,
        };
        match rest {
            Ok(page) => {
                self.found.page.append(&page);
                self.found.poison.extend(bad);
            }
            Err(error) => {
                self.found.poison.push(Poison { id, field: None, error: error.to_string() });
            }
        }
        Ok(())
    }
}

//! Pages that fault: what can be read of them is, and what cannot is named.

use std::collections::BTreeMap;

use super::request::{among, read};
use crate::failure::{Cause, Failure, Unreadable};
use crate::odoo::{Connection, Error, FieldType, Page};
use crate::server::Session;
use crate::settings::{self, Without};

/// A value that Odoo cannot give.
#[derive(Debug, Clone)]
pub struct BadValue {
    pub id: i64,
    /// `None` for a record of which nothing can be read.
    pub field: Option<String>,
    /// Odoo's words.
    pub error: String,
}

/// Records as they came, and the values that could not be read.
pub struct Fetched {
    pub page: Page,
    pub bad: Vec<BadValue>,
}

/// So many records of one page fault on their own only if something else is wrong.
pub const MOST: usize = 50;

/// So many records from all over a page, and so many of others, that fault alike.
const SAMPLE: usize = 3;
const OTHERS: i64 = 2;

/// Fields by name, with their types.
type Wanted = [(String, FieldType)];

/// A page that faulted, in halves, down to single records, and those field by field.
pub type Recover = fn(&Session, &str, Vec<i64>, &Wanted, Error) -> Result<Fetched, Failure>;

/// Reads a page again whose first reading failed.
///
/// # Errors
/// The error itself, if fewer records or fields cannot help; of [`Cause::Fields`] if some fields
/// fail in records that have nothing in common.
pub fn recover(
    session: &Session,
    model: &str,
    ids: Vec<i64>,
    fields: &Wanted,
    error: Error,
) -> Result<Fetched, Failure> {
    Recovery::new(session, model, fields).all(&ids, error)
}

/// The same for records that are known to be bad, and so tell nothing of others.
pub fn recover_known(
    session: &Session,
    model: &str,
    ids: Vec<i64>,
    fields: &Wanted,
    error: Error,
) -> Result<Fetched, Failure> {
    Recovery { looks_for_fields: false, ..Recovery::new(session, model, fields) }.all(&ids, error)
}

/// What a page's fault says, where no record of it can do without.
pub fn explain(
    session: &Session,
    model: &str,
    ids: &[i64],
    fields: &Wanted,
    error: Error,
) -> Failure {
    let looked = match error.may_be_one_record() && !error.asks_for_less() {
        true => Recovery::new(session, model, fields).find_fields(ids),
        false => Ok(()),
    };
    looked.err().unwrap_or_else(|| error.into())
}

struct Recovery<'a> {
    session: &'a Session,
    model: &'a str,
    fields: &'a Wanted,
    found: Fetched,
    faulty: usize,
    /// Whether it is still to be found out what fails in every record.
    looks_for_fields: bool,
}

impl<'a> Recovery<'a> {
    fn new(session: &'a Session, model: &'a str, fields: &'a Wanted) -> Recovery<'a> {
        let named = fields.iter().map(|(name, kind)| (name.as_str(), *kind));
        let found = Fetched { page: Page::new(named), bad: Vec::new() };
        Recovery { session, model, fields, found, faulty: 0, looks_for_fields: true }
    }

    fn all(mut self, ids: &[i64], error: Error) -> Result<Fetched, Failure> {
        self.handle(ids, error)?;
        Ok(self.found)
    }

    fn read(&self, ids: &[i64], fields: &Wanted) -> Result<Result<Page, Error>, Failure> {
        read(self.session, self.model, ids.to_vec(), fields, None)?.outcome()
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
        if !error.asks_for_less() && std::mem::take(&mut self.looks_for_fields) {
            self.find_fields(ids)?;
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

    /// Fails if what fails in these records fails in all: whatever is asked for, which is the
    /// model's trouble, or some fields.
    fn find_fields(&self, ids: &[i64]) -> Result<(), Failure> {
        let sample = self.sample(ids)?;
        let [first, others @ ..] = sample.as_slice() else {
            return Ok(());
        };
        if others.is_empty() || !self.fail(&sample, self.fields)? {
            return Ok(());
        }
        let nothing = [("id".to_owned(), FieldType::Integer)];
        if self.fail(&sample, &nothing)?
            && let Some(error) = self.fault(*first, &nothing)?
        {
            return Err(error.into());
        }
        let mut bad = BTreeMap::new();
        self.narrow_down(*first, self.fields, &mut bad)?;
        let mut common = Vec::new();
        for (index, error) in bad {
            let field = &self.fields[index];
            if self.fail(others, std::slice::from_ref(field))? {
                common.push((field.0.clone(), error));
            }
        }
        let Some((_, error)) = common.first() else {
            return Ok(());
        };
        let failure = Failure::from(error.clone());
        let fields = common.into_iter().map(|(name, error)| (name, error.to_string())).collect();
        let unreadable = Unreadable { model: self.model.to_owned(), fields };
        Err(Failure { cause: Cause::Fields(unreadable.into()), ..failure })
    }

    /// Records from all over the page, and some that are not on it.
    fn sample(&self, ids: &[i64]) -> Result<Vec<i64>, Failure> {
        let last = ids.len().saturating_sub(1);
        let mut sample: Vec<i64> =
            (0..SAMPLE).filter_map(|part| ids.get(last * part / (SAMPLE - 1)).copied()).collect();
        sample.dedup();
        let others = !among(&sample);
        let model = self.model.to_owned();
        let search = move |odoo: &Connection| {
            odoo.model(&model).search(others, Some("id desc"), 0, Some(OTHERS))
        };
        sample.extend(self.session.call(search)?.into_iter().filter(|id| !ids.contains(id)));
        Ok(sample)
    }

    /// What a record's fields fault with, if they do.
    fn fault(&self, id: i64, fields: &Wanted) -> Result<Option<Error>, Failure> {
        match self.read(&[id], fields)? {
            Ok(_) => Ok(None),
            Err(error) if error.may_be_one_record() => Ok(Some(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether each of the records faults.
    fn fail(&self, ids: &[i64], fields: &Wanted) -> Result<bool, Failure> {
        for id in ids {
            if self.fault(*id, fields)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Finds the fields that fault in a record, by halves; each by its place in all of them.
    fn narrow_down(
        &self,
        id: i64,
        fields: &Wanted,
        bad: &mut BTreeMap<usize, Error>,
    ) -> Result<(), Failure> {
        if fields.is_empty() {
            return Ok(());
        }
        let Some(error) = self.fault(id, fields)? else {
            return Ok(());
        };
        if let [(name, _)] = fields {
            let place = self.fields.iter().position(|(other, _)| other == name);
            bad.extend(place.map(|place| (place, error)));
            return Ok(());
        }
        let (one, other) = fields.split_at(fields.len() / 2);
        self.narrow_down(id, one, bad)?;
        self.narrow_down(id, other, bad)
    }

    fn field_by_field(&mut self, id: i64, error: Error) -> Result<(), Failure> {
        self.faulty += 1;
        let mut good = Vec::new();
        let mut bad = Vec::new();
        for field in self.fields {
            match self.fault(id, std::slice::from_ref(field))? {
                None => good.push(field.clone()),
                Some(error) => {
                    bad.push(BadValue {
                        id,
                        field: Some(field.0.clone()),
                        error: error.to_string(),
                    });
                }
            }
        }
        let rest = match good.is_empty() || bad.is_empty() {
            true => Err(error),
            false => self.read(&[id], &good)?,
        };
        match rest {
            Ok(page) => {
                self.found.page.append(&page);
                self.found.bad.extend(bad);
            }
            Err(error) => {
                self.found.bad.push(BadValue { id, field: None, error: error.to_string() });
            }
        }
        Ok(())
    }
}

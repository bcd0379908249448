//! The scan of a model: all that there is behind an id, and the values of it that Odoo could not give.

use std::mem;
use std::rc::Rc;

use super::bisect::{self, BadValue};
use super::ids::{Found, Ids, Search};
use super::page_size::PageSize;
use super::pages::{Pages, columns};
use super::request::named;
use crate::failure::Failure;
use crate::odoo::{self, BEFORE_ALL, Connection, Domain, Error, FieldType, Page};
use crate::server::{Session, Ticket};

/// What is scanned.
pub struct Wanted {
    pub model: String,
    pub domain: Domain,
    pub fields: Vec<(String, FieldType)>,
    /// Records up to this id were read before.
    pub after: i64,
    /// One request may bring all: there are few, and their fields may be read by `search_read`.
    pub at_once: bool,
    /// The fields are those that an earlier run was told.
    pub from_memory: bool,
}

/// A scan of all records that meet a domain, in the order of their ids.
pub struct Scan {
    session: Rc<Session>,
    wanted: Wanted,
    size: PageSize,
    stage: Stage,
    total: Option<usize>,
    /// All ids, if they came in one piece.
    present: Option<Vec<i64>>,
    /// Values that could not be read.
    bad: Vec<BadValue>,
}

enum Stage {
    /// All there is, if it fits into the first page.
    First(Ticket<First>),
    Pages(Box<Pages<Page>>),
    Over,
}

impl Scan {
    /// Sends the first request, and waits for nothing.
    pub fn begin(session: &Rc<Session>, wanted: Wanted, size: PageSize) -> Result<Scan, Failure> {
        let mut scan = Scan {
            session: session.clone(),
            wanted,
            size,
            stage: Stage::Over,
            total: None,
            present: None,
            bad: Vec::new(),
        };
        scan.stage = match scan.wanted.at_once {
            true => Stage::First(scan.request_first()?),
            false => Stage::Pages(scan.pages(scan.wanted.after)?),
        };
        Ok(scan)
    }

    /// Reads records whose ids are known, in their order.
    pub fn of(session: &Rc<Session>, wanted: Wanted, ids: Vec<i64>, size: PageSize) -> Scan {
        let rest = ids.iter().copied().filter(|id| *id > wanted.after).collect();
        let read = columns(&wanted.model, wanted.fields.clone());
        let pages = Pages::new(session, Ids::known(rest), read, size.clone());
        Scan {
            session: session.clone(),
            wanted,
            size,
            stage: Stage::Pages(Box::new(pages)),
            total: Some(ids.len()),
            present: Some(ids),
            bad: Vec::new(),
        }
    }

    /// How many records the scan will bring, once that is known.
    pub fn total(&self) -> Option<usize> {
        self.total
    }

    /// Every id that meets the domain; `None` if there are too many to keep.
    pub fn present(&self) -> Option<&[i64]> {
        self.present.as_deref()
    }

    /// Whether all that is left is on its way.
    pub fn is_all_asked(&self) -> bool {
        match &self.stage {
            Stage::First(_) => false,
            Stage::Pages(pages) => pages.is_all_asked(),
            Stage::Over => true,
        }
    }

    /// Whether all has come.
    pub fn is_over(&self) -> bool {
        match &self.stage {
            Stage::First(_) => false,
            Stage::Pages(pages) => pages.is_over(),
            Stage::Over => true,
        }
    }

    /// Asks for pages as far as the ids are known, and waits for nothing.
    pub fn pump(&mut self) -> Result<(), Failure> {
        match &mut self.stage {
            Stage::Pages(pages) => pages.pump(&self.session),
            _ => Ok(()),
        }
    }

    /// The next page; `None` at the end. Records that cannot be read are left out of it.
    pub fn next(&mut self) -> Result<Option<Page>, Failure> {
        match mem::replace(&mut self.stage, Stage::Over) {
            Stage::First(first) => self.take_first(first),
            Stage::Pages(pages) => self.take_page(pages),
            Stage::Over => Ok(None),
        }
    }

    /// The values that could not be read since it was last asked.
    pub fn take_bad(&mut self) -> Vec<BadValue> {
        mem::take(&mut self.bad)
    }

    /// The page that may be all; what is behind it is read in the usual way, and so is all if
    /// the page faults.
    fn take_first(&mut self, first: Ticket<First>) -> Result<Option<Page>, Failure> {
        let (page, after) = match first.outcome()? {
            Ok(First { page, found }) if found.len() < self.size.records() => {
                self.total = Some(found.len());
                self.present = Some(found);
                return Ok(Some(page).filter(|page| page.rows() > 0));
            }
            Ok(First { page, found }) => {
                self.total = Some(self.count()?);
                (Some(page), found.last().copied().unwrap_or(self.wanted.after))
            }
            Err(error) if self.is_about_fields(&error) => return Err(error.into()),
            Err(error) if error.may_be_one_record() || error.asks_for_less() => {
                (None, self.wanted.after)
            }
            Err(error) => return Err(error.into()),
        };
        let pages = self.pages(after)?;
        match page {
            Some(page) => {
                self.stage = Stage::Pages(pages);
                Ok(Some(page))
            }
            None => self.take_page(pages),
        }
    }

    fn take_page(&mut self, mut pages: Box<Pages<Page>>) -> Result<Option<Page>, Failure> {
        let next = pages.next(&self.session)?;
        let found = pages.found();
        self.stage = Stage::Pages(pages);
        match found {
            _ if self.total.is_some() => {}
            Found::All(ids) => {
                self.total = Some(ids.len());
                self.present = Some(ids);
            }
            Found::More => self.total = Some(self.count()?),
            Found::Nothing | Found::Told => {}
        }
        match next {
            None => Ok(None),
            Some((_, Ok(page))) => Ok(Some(page)),
            Some((_, Err(error))) if self.is_about_fields(&error) => Err(error.into()),
            Some((ids, Err(error))) => {
                let Wanted { model, fields, .. } = &self.wanted;
                let recovered = bisect::recover(&self.session, model, ids, fields, error)?;
                self.bad.extend(recovered.bad);
                Ok(Some(recovered.page))
            }
        }
    }

    /// Whether the fields are no longer what an earlier run was told.
    fn is_about_fields(&self, error: &Error) -> bool {
        self.wanted.from_memory && error.is_about_fields()
    }

    fn pages(&self, after: i64) -> Result<Box<Pages<Page>>, Failure> {
        let Wanted { model, domain, fields, .. } = &self.wanted;
        let search = Search { model: model.clone(), domain: domain.clone(), is_dated: true };
        let ids = Ids::above(&self.session, search, after)?;
        let read = columns(model, fields.clone());
        Ok(Box::new(Pages::new(&self.session, ids, read, self.size.clone())))
    }

    fn request_first(&self) -> Result<Ticket<First>, Failure> {
        let Wanted { model, domain, fields, after, .. } = &self.wanted;
        let (model, domain, fields) = (model.clone(), domain.clone(), fields.clone());
        let (after, limit) = (*after, self.size.records());
        self.session.submit(move |odoo| read_after(odoo, &model, &fields, domain, after, limit))
    }

    /// How many records the whole scan brings.
    fn count(&self) -> Result<usize, Failure> {
        let Wanted { model, domain, after, .. } = &self.wanted;
        let (model, domain) = (model.clone(), domain.clone().and(odoo::ids(">", *after)));
        let count = self.session.call(move |odoo| odoo.model(&model).count(domain))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}

/// The first records of a scan, and the ids that were found: a record may be gone before it is
/// read, which does not make the page the last one.
pub struct First {
    pub page: Page,
    pub found: Vec<i64>,
}

/// Asks for the first records of a search, `limit` at most.
pub fn first(
    session: &Session,
    search: &Search,
    fields: &[(String, FieldType)],
    limit: usize,
) -> Result<Ticket<First>, Failure> {
    let (Search { model, domain, .. }, fields) = (search.clone(), fields.to_vec());
    session.submit(move |odoo| read_after(odoo, &model, &fields, domain, BEFORE_ALL, limit))
}

/// The first records behind an id, with one request where `search_read` gives the same.
fn read_after(
    odoo: &Connection,
    model: &str,
    fields: &[(String, FieldType)],
    domain: Domain,
    after: i64,
    limit: usize,
) -> Result<First, Error> {
    let (model, fields) = (odoo.model(model), named(fields));
    let is_simple = fields.iter().all(|(_, kind)| *kind != FieldType::ToMany);
    if is_simple && odoo.has_search_read()? {
        let page = model.search_read(domain, after, &fields, limit)?;
        return Ok(First { found: page.ids(), page });
    }
    let found = model.search_after(domain, after, limit)?;
    let page = match found.is_empty() {
        true => Page::new(fields),
        false => model.read(found.clone(), &fields)?,
    };
    Ok(First { page, found })
}

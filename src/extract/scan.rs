//! The scan of a model: ids in large chunks, records page by page, read ahead on threads.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::bisect::{self, Poison};
use super::page_size::Pace;
use super::request::{CHUNK, named};
use crate::failure::Failure;
use crate::odoo::{self, Connection, Domain, Error, FieldType, Page};
use crate::server::{Session, Ticket};

/// Pages on their way or waiting to be loaded, for each reader.
const AHEAD: usize = 2;

/// Bytes that pages may take which wait to be loaded.
const BUDGET: usize = 32 << 20;

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
    wanted: Rc<Wanted>,
    pace: Pace,
    /// All there is, if it fits into the first page.
    first: Option<Ticket<First>>,
    /// The next chunk of ids, on its way.
    chunk: Option<Ticket<Vec<i64>>>,
    /// Ids that are still to be read.
    ids: VecDeque<i64>,
    /// Pages on their way, in their order, and the ids that each asks for.
    pages: VecDeque<(Vec<i64>, Ticket<TimedPage>)>,
    /// Bytes of a record in the last page.
    bytes: usize,
    total: Option<usize>,
    /// All ids, as long as they came in one piece.
    present: Option<Vec<i64>>,
    /// Values that could not be read.
    poison: Vec<Poison>,
}

impl Scan {
    /// Sends the first request, and waits for nothing.
    pub fn begin(session: &Rc<Session>, wanted: Wanted, pace: Pace) -> Result<Scan, Failure> {
        let mut scan = Scan {
            session: session.clone(),
            wanted: Rc::new(wanted),
            pace,
            first: None,
            chunk: None,
            ids: VecDeque::new(),
            pages: VecDeque::new(),
            bytes: 0,
            total: None,
            present: None,
            poison: Vec::new(),
        };
        match scan.wanted.at_once {
            true => scan.first = Some(scan.request_all()?),
            false => scan.chunk = Some(scan.request_chunk(scan.wanted.after)?),
        }
        Ok(scan)
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
        self.first.is_none() && self.chunk.is_none() && self.ids.is_empty()
    }

    /// Whether all has come.
    pub fn is_over(&self) -> bool {
        self.is_all_asked() && self.pages.is_empty()
    }

    /// Asks for pages as far as the ids are known, and waits for nothing.
    pub fn pump(&mut self) -> Result<(), Failure> {
        if self.ids.is_empty() && self.chunk.as_mut().is_some_and(Ticket::is_ready) {
            self.take_chunk()?;
        }
        self.request_pages()
    }

    /// The next page; `None` at the end. Records that cannot be read are left out of it.
    pub fn next(&mut self) -> Result<Option<Page>, Failure> {
        if let Some(first) = self.first.take() {
            return self.take_first(first);
        }
        while self.ids.len() < self.pace.size() && self.chunk.is_some() && self.has_room() {
            self.take_chunk()?;
        }
        self.request_pages()?;
        let Some((ids, page)) = self.pages.pop_front() else {
            return Ok(None);
        };
        match page.outcome()? {
            Ok((page, time)) => {
                self.pace.took(ids.len(), time);
                self.bytes = page.bytes() / page.rows().max(1);
                Ok(Some(page))
            }
            Err(error) if error.is_about_fields() && self.wanted.from_memory => Err(error.into()),
            Err(error) => {
                if error.asks_for_less() {
                    self.pace.too_much(ids.len());
                }
                let Wanted { model, fields, .. } = self.wanted.as_ref();
                let recovered = bisect::recover(&self.session, model, ids, fields, error)?;
                self.poison.extend(recovered.poison);
                Ok(Some(recovered.page))
            }
        }
    }

    /// The values that could not be read since it was last asked.
    pub fn take_poison(&mut self) -> Vec<Poison> {
        std::mem::take(&mut self.poison)
    }

    /// The page that may be all; what is behind it is read in the usual way, and so is all if
    /// the page faults.
    fn take_first(&mut self, first: Ticket<First>) -> Result<Option<Page>, Failure> {
        let (page, after) = match first.outcome()? {
            Ok(First { page, found }) if found.len() < self.pace.size() => {
                self.total = Some(found.len());
                self.present = Some(found);
                return Ok(Some(page).filter(|page| page.rows() > 0));
            }
            Ok(First { page, found }) => {
                self.total = Some(self.count()?);
                (Some(page), found.last().copied().unwrap_or(self.wanted.after))
            }
            Err(error) if error.is_about_fields() && self.wanted.from_memory => {
                return Err(error.into());
            }
            Err(error) if error.may_be_one_record() || error.asks_for_less() => {
                (None, self.wanted.after)
            }
            Err(error) => return Err(error.into()),
        };
        self.chunk = Some(self.request_chunk(after)?);
        match page {
            Some(page) => Ok(Some(page)),
            None => self.next(),
        }
    }

    fn has_room(&self) -> bool {
        let readers = self.session.readers();
        let waiting = self.pages.iter().map(|(ids, _)| ids.len()).sum::<usize>() * self.bytes;
        self.pages.len() < readers || self.pages.len() < readers * AHEAD && waiting < BUDGET
    }

    fn request_pages(&mut self) -> Result<(), Failure> {
        while !self.ids.is_empty() && self.has_room() {
            let amount = self.ids.len().min(self.pace.size());
            let ids: Vec<i64> = self.ids.drain(..amount).collect();
            let (wanted, asked) = (self.request(), ids.clone());
            let page = self.session.submit(move |odoo| {
                let begin = Instant::now();
                let page = read_page(odoo, &wanted, asked)?;
                Ok((page, begin.elapsed()))
            })?;
            self.pages.push_back((ids, page));
        }
        Ok(())
    }

    /// What the threads need to know.
    fn request(&self) -> Request {
        (self.wanted.model.clone(), self.wanted.fields.clone())
    }

    fn request_all(&self) -> Result<Ticket<First>, Failure> {
        let (request, limit) = (self.request(), self.pace.size());
        let (domain, after) = (self.wanted.domain.clone(), self.wanted.after);
        self.session.submit(move |odoo| read_after(odoo, &request, domain, after, limit))
    }

    fn request_chunk(&self, after: i64) -> Result<Ticket<Vec<i64>>, Failure> {
        let (model, domain) = (self.wanted.model.clone(), self.wanted.domain.clone());
        self.session.submit(move |odoo| odoo.model(&model).search_after(domain, after, CHUNK))
    }

    /// Takes the chunk that was asked for, and asks for the one after it.
    fn take_chunk(&mut self) -> Result<(), Failure> {
        let Some(chunk) = self.chunk.take() else {
            return Ok(());
        };
        let ids = chunk.wait()?;
        let is_first = self.total.is_none();
        if let (CHUNK.., Some(last)) = (ids.len(), ids.last()) {
            self.chunk = Some(self.request_chunk(*last)?);
        }
        if is_first {
            self.total = Some(match self.chunk {
                None => ids.len(),
                Some(_) => self.count()?,
            });
        }
        self.present = (is_first && self.chunk.is_none()).then(|| ids.clone());
        self.ids.extend(ids);
        Ok(())
    }

    /// How many records the whole scan brings.
    fn count(&self) -> Result<usize, Failure> {
        let Wanted { model, domain, after, .. } = self.wanted.as_ref();
        let (model, domain) = (model.clone(), domain.clone().and(odoo::ids(">", *after)));
        let count = self.session.call(move |odoo| odoo.model(&model).count(domain))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}

/// The first records of a scan, and the ids that were found: a record may be gone before it is
/// read, which does not make the page the last one.
struct First {
    page: Page,
    found: Vec<i64>,
}

/// A page, and how long Odoo took for it.
type TimedPage = (Page, Duration);

/// A model and its fields.
type Request = (String, Vec<(String, FieldType)>);

fn read_page(odoo: &Connection, (model, fields): &Request, ids: Vec<i64>) -> Result<Page, Error> {
    match ids.is_empty() {
        true => Ok(Page::new(named(fields))),
        false => odoo.model(model).read(ids, &named(fields)),
    }
}

/// The first records behind an id, with one request where `search_read` gives the same.
fn read_after(
    odoo: &Connection,
    request: &Request,
    domain: Domain,
    after: i64,
    limit: usize,
) -> Result<First, Error> {
    let (model, fields) = (odoo.model(&request.0), named(&request.1));
    let is_simple = fields.iter().all(|(_, kind)| *kind != FieldType::ToMany);
    if is_simple && odoo.has_search_read()? {
        let page = model.search_read(domain, after, &fields, limit)?;
        return Ok(First { found: page.ids(), page });
    }
    let found = model.search_after(domain, after, limit)?;
    Ok(First { page: read_page(odoo, request, found.clone())?, found })
}

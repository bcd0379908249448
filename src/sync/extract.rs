//! The scan of a model: ids in large chunks, records page by page, read ahead on threads.

use std::collections::VecDeque;
use std::rc::Rc;

use super::poison::{self, Poison};
use crate::failure::Failure;
use crate::odoo::{Connection, Domain, FieldType, Page, Value};
use crate::server::{Session, Ticket};

/// Ids in one answer of `search`.
const CHUNK: usize = 50_000;

/// Pages on their way or waiting to be loaded, for each reader.
const AHEAD: usize = 2;

/// A scan of all records that meet a domain, in the order of their ids.
pub struct Scan {
    session: Rc<Session>,
    model: String,
    domain: Domain,
    fields: Vec<(String, FieldType)>,
    /// Halved where Odoo asks for less, and doubled again with each page that comes.
    page_size: usize,
    full_size: usize,
    window: usize,
    /// Ids that are still to be read.
    ids: VecDeque<i64>,
    /// The next chunk of ids, on its way.
    chunk: Option<Ticket<Vec<i64>>>,
    /// Pages on their way, in their order, and the ids that each asks for.
    pages: VecDeque<(Vec<i64>, Ticket<Page>)>,
    total: usize,
    /// Values that could not be read.
    poison: Vec<Poison>,
}

impl Scan {
    /// Begins a scan: the first ids, and how many there are.
    pub fn begin(
        session: &Rc<Session>,
        model: &str,
        domain: Domain,
        fields: Vec<(String, FieldType)>,
        page_size: usize,
    ) -> Result<Scan, Failure> {
        let mut scan = Scan {
            session: session.clone(),
            model: model.to_owned(),
            domain,
            fields,
            page_size,
            full_size: page_size,
            window: session.readers() * AHEAD,
            ids: VecDeque::new(),
            chunk: None,
            pages: VecDeque::new(),
            total: 0,
            poison: Vec::new(),
        };
        scan.request_chunk(0)?;
        scan.take_chunk()?;
        scan.total = match scan.chunk {
            // All came with the first chunk.
            None => scan.ids.len(),
            Some(_) => scan.count()?,
        };
        Ok(scan)
    }

    /// How many records the scan will bring, as of its beginning.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The next page; `None` at the end. Records that cannot be read are left out of it.
    pub fn next(&mut self) -> Result<Option<Page>, Failure> {
        while self.pages.len() < self.window {
            if self.ids.len() < self.page_size {
                self.take_chunk()?;
            }
            if self.ids.is_empty() {
                break;
            }
            let amount = self.ids.len().min(self.page_size);
            let ids: Vec<i64> = self.ids.drain(..amount).collect();
            let page = read(&self.session, &self.model, ids.clone(), &self.fields, None)?;
            self.pages.push_back((ids, page));
        }
        let Some((ids, page)) = self.pages.pop_front() else {
            return Ok(None);
        };
        match page.outcome()? {
            Ok(page) => {
                self.page_size = (self.page_size * 2).min(self.full_size);
                Ok(Some(page))
            }
            Err(error) => {
                if error.asks_for_less() {
                    self.page_size = (ids.len() / 2).max(1);
                }
                let recovered =
                    poison::recover(&self.session, &self.model, ids, &self.fields, error)?;
                self.poison.extend(recovered.poison);
                Ok(Some(recovered.page))
            }
        }
    }

    /// The values that could not be read since it was last asked.
    pub fn take_poison(&mut self) -> Vec<Poison> {
        std::mem::take(&mut self.poison)
    }

    fn count(&self) -> Result<usize, Failure> {
        let (model, domain) = (self.model.clone(), self.domain.clone());
        let count = self.session.call(move |odoo| odoo.model(&model).count(domain))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    fn request_chunk(&mut self, after: i64) -> Result<(), Failure> {
        let (model, domain) = (self.model.clone(), self.domain.clone());
        let search = move |odoo: &Connection| odoo.model(&model).search_after(domain, after, CHUNK);
        self.chunk = Some(self.session.submit(search)?);
        Ok(())
    }

    /// Takes the chunk that was asked for, and asks for the one after it.
    fn take_chunk(&mut self) -> Result<(), Failure> {
        let Some(chunk) = self.chunk.take() else {
            return Ok(());
        };
        let ids = chunk.wait()?;
        if let (CHUNK.., Some(last)) = (ids.len(), ids.last()) {
            self.request_chunk(*last)?;
        }
        self.ids.extend(ids);
        Ok(())
    }
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
    session.submit(move |odoo| {
        let fields: Vec<_> = fields.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
        odoo.model(&model).of_company(company).read(ids, &fields)
    })
}

/// Every id that meets a domain.
pub fn ids(session: &Session, model: &str, domain: Domain) -> Result<Vec<i64>, Failure> {
    let mut all: Vec<i64> = Vec::new();
    loop {
        let (model, domain) = (model.to_owned(), domain.clone());
        let after = all.last().copied().unwrap_or(0);
        let chunk =
            session.call(move |odoo| odoo.model(&model).search_after(domain, after, CHUNK))?;
        let is_last = chunk.len() < CHUNK;
        all.extend(chunk);
        if is_last {
            return Ok(all);
        }
    }
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
    let domain = domain.and(Domain::leaf("id", "in", ids.iter().copied().collect::<Value>()));
    let model = model.to_owned();
    session.call(move |odoo| odoo.model(&model).search(domain, Some("id"), 0, None))
}

//! Pages of records, read ahead on threads, in the order of their ids.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ids::{Found, Ids};
use super::page_size::PageSize;
use super::request::named;
use crate::failure::Failure;
use crate::odoo::{Connection, Error, FieldType, Page, Value};
use crate::server::{Session, Ticket};

/// Pages on their way or waiting to be taken, for each reader.
const AHEAD: usize = 2;

/// Bytes that pages may take which wait to be taken.
const BUDGET: usize = 32 << 20;

/// What a page is made of.
pub trait Records: Send + 'static {
    fn count(&self) -> usize;
    /// About how many bytes of memory they take.
    fn bytes(&self) -> usize;
}

/// Asks Odoo for the records of a page.
pub type Read<P> = Arc<dyn Fn(&Connection, Vec<i64>) -> Result<P, Error> + Send + Sync>;

/// Pages on their way. Dropped, it ends what is in flight.
pub struct Pages<P> {
    ids: Ids,
    read: Read<P>,
    size: PageSize,
    /// How many pages may be on their way: at first, where perhaps not all are wanted, only one.
    window: usize,
    most: usize,
    /// Ids that no page was asked for yet.
    waiting: VecDeque<i64>,
    asked: VecDeque<Asked<P>>,
    /// Bytes of a record in the last page.
    bytes: usize,
}

/// A page on its way, and how long Odoo took for it.
struct Asked<P> {
    ids: Vec<i64>,
    page: Ticket<(P, Duration)>,
}

/// A page, or what Odoo had against it, and the ids that it was asked for.
pub type Answer<P> = (Vec<i64>, Result<P, Error>);

/// Reads fields as columns.
pub fn columns(model: &str, fields: Vec<(String, FieldType)>) -> Read<Page> {
    let model = model.to_owned();
    Arc::new(move |odoo, ids| odoo.model(&model).read(ids, &named(&fields)))
}

/// Reads fields as Odoo sends them, in a context with these members too.
pub fn values(model: &str, fields: Vec<String>, context: Vec<(String, Value)>) -> Read<Vec<Value>> {
    let model = model.to_owned();
    Arc::new(move |odoo, ids| {
        odoo.model(&model).with_context(context.clone()).read_values(ids, &fields)
    })
}

impl<P: Records> Pages<P> {
    /// All pages are wanted.
    pub fn new(session: &Session, ids: Ids, read: Read<P>, size: PageSize) -> Pages<P> {
        let most = session.readers() * AHEAD;
        Pages {
            ids,
            read,
            size,
            window: most,
            most,
            waiting: VecDeque::new(),
            asked: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Perhaps not all are wanted: only one is on its way at first.
    pub fn few_at_first(self) -> Pages<P> {
        Pages { window: 1, ..self }
    }

    /// Whether all that is left is on its way.
    pub fn is_all_asked(&self) -> bool {
        self.ids.is_over() && self.waiting.is_empty()
    }

    /// Whether all has come.
    pub fn is_over(&self) -> bool {
        self.is_all_asked() && self.asked.is_empty()
    }

    /// What the first chunk of ids told, once.
    pub fn found(&mut self) -> Found {
        self.ids.found()
    }

    /// Asks for pages as far as the ids are known, and waits for nothing.
    pub fn pump(&mut self, session: &Session) -> Result<(), Failure> {
        if self.waiting.is_empty() && self.ids.is_ready() {
            self.take_ids(session)?;
        }
        while self.has_room() && !self.waiting.is_empty() {
            self.ask(session)?;
        }
        Ok(())
    }

    /// The next page; `None` at the end. One that is too much for Odoo is asked for in halves.
    pub fn next(&mut self, session: &Session) -> Result<Option<Answer<P>>, Failure> {
        loop {
            self.fill(session)?;
            let Some(Asked { ids, page }) = self.asked.pop_front() else {
                return Ok(None);
            };
            match page.outcome()? {
                Ok((page, time)) => {
                    self.size.took(ids.len(), time, page.bytes());
                    self.bytes = page.bytes() / page.count().max(1);
                    self.window = (self.window * 2).min(self.most);
                    return Ok(Some((ids, Ok(page))));
                }
                Err(error) if error.asks_for_less() && ids.len() > 1 => {
                    self.size.too_much(ids.len());
                    self.halve(session, ids)?;
                }
                Err(error) => return Ok(Some((ids, Err(error)))),
            }
        }
    }

    /// Ids without their records; none at the end.
    pub fn next_ids(&mut self, session: &Session) -> Result<Vec<i64>, Failure> {
        self.ids.take(session)
    }

    /// Reads in another way from now on, what is on its way and the page of these ids too.
    pub fn begin_anew(&mut self, ids: Vec<i64>, read: Read<P>) {
        self.read = read;
        let asked = self.asked.drain(..).flat_map(|asked| asked.ids);
        self.waiting = ids.into_iter().chain(asked).chain(self.waiting.drain(..)).collect();
    }

    fn fill(&mut self, session: &Session) -> Result<(), Failure> {
        while self.has_room() {
            let is_short = self.waiting.len() < self.size.records() && self.ids.is_asked();
            if self.waiting.is_empty() || is_short {
                self.take_ids(session)?;
            }
            if self.waiting.is_empty() {
                break;
            }
            self.ask(session)?;
        }
        Ok(())
    }

    fn take_ids(&mut self, session: &Session) -> Result<(), Failure> {
        self.waiting.extend(self.ids.take(session)?);
        Ok(())
    }

    fn has_room(&self) -> bool {
        let waiting = self.asked.iter().map(|asked| asked.ids.len()).sum::<usize>() * self.bytes;
        self.asked.is_empty() || self.asked.len() < self.window && waiting < BUDGET
    }

    fn ask(&mut self, session: &Session) -> Result<(), Failure> {
        let amount = self.waiting.len().min(self.size.records());
        let page = self.waiting.iter().take(amount).copied().collect();
        let asked = self.request(session, page)?;
        self.waiting.drain(..amount);
        self.asked.push_back(asked);
        Ok(())
    }

    fn halve(&mut self, session: &Session, mut ids: Vec<i64>) -> Result<(), Failure> {
        let second = ids.split_off(ids.len() / 2);
        for half in [second, ids] {
            let asked = self.request(session, half)?;
            self.asked.push_front(asked);
        }
        Ok(())
    }

    fn request(&self, session: &Session, ids: Vec<i64>) -> Result<Asked<P>, Failure> {
        let (read, of) = (self.read.clone(), ids.clone());
        let page = session.submit(move |odoo| {
            let begin = Instant::now();
            let page = read(odoo, of)?;
            Ok((page, begin.elapsed()))
        })?;
        Ok(Asked { ids, page })
    }
}

impl Records for Page {
    fn count(&self) -> usize {
        self.rows()
    }

    fn bytes(&self) -> usize {
        Page::bytes(self)
    }
}

impl Records for Vec<Value> {
    fn count(&self) -> usize {
        self.len()
    }

    fn bytes(&self) -> usize {
        self.iter().map(Value::bytes).sum()
    }
}

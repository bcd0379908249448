//! The ids of the records to read: in chunks, the next one asked for while the last one is read.

use std::collections::HashSet;
use std::mem;

use crate::failure::Failure;
use crate::odoo::{self, BEFORE_ALL, Domain};
use crate::server::{Session, Ticket};

/// Ids in one answer of `search`.
pub const CHUNK: usize = 50_000;

/// Ids that are asked for at first where perhaps not all are wanted.
pub const FIRST_CHUNK: usize = 1_000;

/// What is searched.
#[derive(Clone)]
pub struct Search {
    pub model: String,
    pub domain: Domain,
    /// Its records tell when they changed; those of views do not.
    pub is_dated: bool,
}

/// Ids on their way.
pub struct Ids {
    /// Those that are there already.
    known: Vec<i64>,
    rest: Rest,
    found: Found,
}

/// Where more of them come from.
enum Rest {
    Chunks(Chunks),
    /// All but the first ones in an order of Odoo's. By offset a record that changes meanwhile
    /// would be skipped or come twice.
    Ordered {
        search: Search,
        order: String,
        taken: HashSet<i64>,
    },
    /// They could not be had: whoever asks again is told again.
    Failed(Failure),
    Nothing,
}

/// Ids in their own order: each chunk begins behind the last one's end.
struct Chunks {
    search: Search,
    next: Next,
    /// Ids in a chunk.
    size: usize,
    /// Records that are made once the first chunk is there are left out.
    ends_now: bool,
}

enum Next {
    Asked(Ticket<Vec<i64>>),
    /// Behind an id, if it is wanted.
    Behind(i64),
}

/// What the first chunk told.
#[derive(Default)]
pub enum Found {
    /// It has not come.
    Nothing,
    /// All ids that there are.
    All(Vec<i64>),
    More,
    #[default]
    Told,
}

impl Search {
    /// The ids in an order of Odoo's, of records that are to be read.
    pub fn ordered(
        &self,
        session: &Session,
        order: &str,
        offset: i64,
        limit: Option<i64>,
    ) -> Result<Vec<i64>, Failure> {
        let (Search { model, domain, is_dated }, order) = (self.clone(), order.to_owned());
        let domain = domain.and(odoo::ids(">", BEFORE_ALL));
        session.call(move |odoo| {
            odoo.model(&model).search_to_read(domain, Some(&order), offset, limit, is_dated)
        })
    }

    /// The same without the records that are made from now on: a statement that makes some of the
    /// rows that it gets would never end.
    fn until_now(self, session: &Session) -> Result<Search, Failure> {
        let last = self.ordered(session, "id desc", 0, Some(1))?;
        let domain = match last.first() {
            Some(last) => self.domain.and(Domain::leaf("id", "<=", *last)),
            None => Domain::none(),
        };
        Ok(Search { domain, ..self })
    }

    fn chunk(
        &self,
        session: &Session,
        after: i64,
        size: usize,
    ) -> Result<Ticket<Vec<i64>>, Failure> {
        let Search { model, domain, .. } = self.clone();
        session.submit(move |odoo| odoo.model(&model).search_after(domain, after, size))
    }
}

impl Ids {
    pub fn known(known: Vec<i64>) -> Ids {
        Ids { known, rest: Rest::Nothing, found: Found::Nothing }
    }

    /// Those above an id, in their order. Waits for nothing.
    pub fn above(session: &Session, search: Search, after: i64) -> Result<Ids, Failure> {
        let next = Next::Asked(search.chunk(session, after, CHUNK)?);
        let chunks = Chunks { search, next, size: CHUNK, ends_now: false };
        Ok(Ids { rest: Rest::Chunks(chunks), ..Ids::known(Vec::new()) })
    }

    /// All that are there now, in their order. Waits for nothing.
    pub fn all(session: &Session, search: Search, wants_all: bool) -> Result<Ids, Failure> {
        let size = if wants_all { CHUNK } else { FIRST_CHUNK };
        let next = Next::Asked(search.chunk(session, BEFORE_ALL, size)?);
        let chunks = Chunks { search, next, size, ends_now: true };
        Ok(Ids { rest: Rest::Chunks(chunks), ..Ids::known(Vec::new()) })
    }

    /// All that are there now, in an order of Odoo's.
    pub fn ordered(
        session: &Session,
        search: Search,
        order: &str,
        wants_all: bool,
    ) -> Result<Ids, Failure> {
        let first = (!wants_all).then_some(FIRST_CHUNK as i64);
        let known = search.ordered(session, order, 0, first)?;
        if first.is_none() || known.len() < FIRST_CHUNK {
            return Ok(Ids::known(known));
        }
        let search = search.until_now(session)?;
        let taken = known.iter().copied().collect();
        let rest = Rest::Ordered { search, order: order.to_owned(), taken };
        Ok(Ids { rest, ..Ids::known(known) })
    }

    /// Whether there are no more.
    pub fn is_over(&self) -> bool {
        self.known.is_empty() && matches!(self.rest, Rest::Nothing)
    }

    /// Whether Odoo is being asked for more.
    pub fn is_asked(&self) -> bool {
        matches!(self.rest, Rest::Chunks(Chunks { next: Next::Asked(_), .. }))
    }

    /// Whether taking some waits for nothing.
    pub fn is_ready(&mut self) -> bool {
        let rest = match &mut self.rest {
            Rest::Chunks(Chunks { next: Next::Asked(chunk), .. }) => chunk.is_ready(),
            _ => false,
        };
        rest || !self.known.is_empty()
    }

    /// The next ones; none at the end.
    pub fn take(&mut self, session: &Session) -> Result<Vec<i64>, Failure> {
        if !self.known.is_empty() {
            return Ok(mem::take(&mut self.known));
        }
        let taken = self.take_rest(session);
        if let Err(failure) = &taken {
            self.rest = Rest::Failed(failure.clone());
        }
        taken
    }

    fn take_rest(&mut self, session: &Session) -> Result<Vec<i64>, Failure> {
        match mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Nothing => Ok(Vec::new()),
            Rest::Failed(failure) => Err(failure),
            Rest::Ordered { search, order, taken } => {
                let all = search.ordered(session, &order, 0, None)?;
                Ok(all.into_iter().filter(|id| !taken.contains(id)).collect())
            }
            Rest::Chunks(chunks) => {
                let (chunk, rest) = chunks.take(session)?;
                if matches!(self.found, Found::Nothing) {
                    self.found = match rest {
                        None => Found::All(chunk.clone()),
                        Some(_) => Found::More,
                    };
                }
                self.rest = rest.map_or(Rest::Nothing, Rest::Chunks);
                Ok(chunk)
            }
        }
    }

    /// What the first chunk told, once.
    pub fn found(&mut self) -> Found {
        match self.found {
            Found::Nothing => Found::Nothing,
            _ => mem::take(&mut self.found),
        }
    }
}

impl Chunks {
    /// A chunk, and those behind it if there are any.
    fn take(mut self, session: &Session) -> Result<(Vec<i64>, Option<Chunks>), Failure> {
        let chunk = match self.next {
            Next::Asked(chunk) => chunk,
            Next::Behind(last) => self.search.chunk(session, last, self.size)?,
        };
        let ids = chunk.wait()?;
        let Some(last) = ids.last().copied().filter(|_| ids.len() >= self.size) else {
            return Ok((ids, None));
        };
        if mem::take(&mut self.ends_now) {
            self.search = self.search.until_now(session)?;
        }
        self.next = match mem::replace(&mut self.size, CHUNK) {
            CHUNK => Next::Asked(self.search.chunk(session, last, CHUNK)?),
            // Perhaps no more are wanted.
            _ => Next::Behind(last),
        };
        Ok((ids, Some(self)))
    }
}

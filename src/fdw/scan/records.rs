//! The records of a foreign table on their way, page by page.

use std::collections::{HashSet, VecDeque};

use pgrx::pg_sys::Oid;

use crate::failure::Failure;
use crate::fdw::query::plan::Plan;
use crate::fdw::scan::sessions::{self, Lease};
use crate::fdw::table::rights::refusal;
use crate::odoo::{
    self, BEFORE_ALL, Cells, Connection, Domain, Error, FaultKind, FieldType, Page, Traffic,
};
use crate::pg;
use crate::pg::fdw::Constant;
use crate::server::{Server, Ticket};

/// Ids in one answer of `search`.
const CHUNK: usize = 50_000;

/// Ids and records that are asked for at first where perhaps not all are wanted; each further
/// page is twice as long.
const FIRST_CHUNK: usize = 1_000;
const FIRST_PAGE: usize = 100;

/// Pages on their way or waiting, for each reader.
const AHEAD: usize = 2;

/// Bytes that pages may take which wait.
const BUDGET: usize = 32 << 20;

/// A scan. Dropped, it ends what is in flight.
pub struct Scan {
    lease: Lease,
    /// The foreign table's name, and of each field the column.
    table: String,
    names: Vec<(String, String)>,
    model: String,
    is_dated: bool,
    fields: Vec<(String, FieldType)>,
    /// What the columns show: the field, or `None` for the id.
    columns: Vec<Option<String>>,
    source: Source,
    ids: VecDeque<i64>,
    pages: VecDeque<(Vec<i64>, Ticket<Page>)>,
    page_size: usize,
    full_size: usize,
    /// Bytes of a record in the last page.
    bytes: usize,
    window: usize,
    full_window: usize,
    /// The current page's cells by column, and its next row.
    cells: Vec<Cells>,
    rows: usize,
    next: usize,
    before: Traffic,
    read: u64,
}

/// The row of the current page that [`Scan::next`] came to.
pub type Row = usize;

/// Where the ids come from.
enum Source {
    /// In their own order, chunk by chunk of that size.
    Chunks { domain: Domain, next: Chunk, size: usize, is_first: bool },
    /// In an order of Odoo's: the first of them were taken.
    Ordered { domain: Domain, order: String, taken: HashSet<i64> },
    /// No more.
    End,
}

enum Chunk {
    Asked(Ticket<Vec<i64>>),
    After(i64),
}

/// The domain as a scan by ids has it: where it names no id, Odoo leaves some records out of some
/// models, of `ir.attachment` those that fields hold.
pub fn all_of(domain: Domain) -> Domain {
    domain.and(odoo::ids(">", BEFORE_ALL))
}

impl Scan {
    /// Begins a scan of the plan's records, where its expressions have these values.
    pub fn begin(
        plan: &Plan,
        server: Oid,
        user: Oid,
        values: &[Constant],
    ) -> Result<Scan, Failure> {
        let server = Server::of_oid(server);
        plan.require_basis(&*sessions::fields(&server, user, &plan.model)?)?;
        let lease = Lease::take(&server, user)?;
        let full_size = server.options.batch();
        let limit = plan.path.limit.and_then(|limit| limit.count);
        // All that is asked for is wanted then.
        let is_eager = plan.is_eager || limit.is_some();
        let column = |field: &String| (field != "id").then(|| field.clone());
        let mut scan = Scan {
            before: lease.session().traffic(),
            full_window: lease.session().readers() * AHEAD,
            window: if is_eager { lease.session().readers() * AHEAD } else { 1 },
            page_size: if is_eager { full_size } else { FIRST_PAGE.min(full_size) },
            table: plan.table.clone(),
            names: plan.names(),
            model: plan.model.clone(),
            is_dated: plan.is_dated,
            fields: plan.fields(),
            columns: plan.fetched.iter().map(|fetched| column(&fetched.field)).collect(),
            source: Source::End,
            ids: VecDeque::new(),
            pages: VecDeque::new(),
            full_size,
            bytes: 0,
            cells: Vec::new(),
            rows: 0,
            next: 0,
            read: 0,
            lease,
        };
        let condition = plan.condition(values)?;
        if condition.is_never() || limit == Some(0) {
            return Ok(scan);
        }
        let domain = condition.into_domain();
        match (&plan.path.limit, &plan.path.order) {
            (Some(limit), order) => {
                let order = order.as_deref().unwrap_or("id");
                scan.ids = scan.search(domain, order, limit.offset, limit.count)?.into();
            }
            (None, Some(order)) if order != "id" => {
                let first = (!is_eager).then_some(FIRST_CHUNK as i64);
                let ids = scan.search(domain.clone(), order, 0, first)?;
                if first.is_some() && ids.len() == FIRST_CHUNK {
                    let taken = ids.iter().copied().collect();
                    let domain = scan.so_far(domain)?;
                    scan.source = Source::Ordered { domain, order: order.clone(), taken };
                }
                scan.ids = ids.into();
            }
            _ => {
                let size = if is_eager { CHUNK } else { FIRST_CHUNK };
                let next = Chunk::Asked(scan.request_chunk(&domain, BEFORE_ALL, size)?);
                scan.source = Source::Chunks { domain, next, size, is_first: true };
            }
        }
        Ok(scan)
    }

    /// A scan of `wanted` of the plan's records, picked at random, and how many there are.
    pub fn sample(
        plan: &Plan,
        server: Oid,
        user: Oid,
        wanted: usize,
    ) -> Result<(Scan, usize), Failure> {
        let mut scan = Scan::begin(plan, server, user, &[])?;
        while !matches!(scan.source, Source::End) {
            scan.take_ids()?;
        }
        let found = scan.ids.len();
        let mut ids: Vec<i64> = scan.ids.drain(..).collect();
        for place in 0..wanted.min(found) {
            let other = place + pg::random_below(found - place);
            ids.swap(place, other);
        }
        ids.truncate(wanted);
        ids.sort_unstable();
        scan.ids = ids.into();
        Ok((scan, found))
    }

    /// How many records meet the plan's domain.
    pub fn count(
        plan: &Plan,
        server: Oid,
        user: Oid,
        values: &[Constant],
    ) -> Result<(i64, Traffic), Failure> {
        let condition = plan.condition(values)?;
        if condition.is_never() {
            return Ok((0, Traffic::default()));
        }
        let server = Server::of_oid(server);
        plan.require_basis(&*sessions::fields(&server, user, &plan.model)?)?;
        let lease = Lease::take(&server, user)?;
        let before = lease.session().traffic();
        let (model, domain) = (plan.model.clone(), all_of(condition.into_domain()));
        let count = lease.session().call(move |odoo| odoo.model(&model).count(domain))?;
        let traffic = lease.session().traffic() - before;
        lease.give_back();
        Ok((count, traffic))
    }

    /// The next row; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Row>, Failure> {
        while self.next == self.rows {
            if !self.next_page()? {
                return Ok(None);
            }
        }
        self.next += 1;
        self.read += 1;
        Ok(Some(self.next - 1))
    }

    /// The current page's cells, by the plan's fetched columns.
    pub fn cells(&self) -> &[Cells] {
        &self.cells
    }

    /// What was asked of Odoo for this scan so far, and how many rows it gave.
    pub fn traffic(&self) -> (Traffic, u64) {
        (self.lease.session().traffic() - self.before, self.read)
    }

    /// Ends the scan. If nothing is in flight, the next one may have its session.
    pub fn end(self) {
        let is_busy = matches!(self.source, Source::Chunks { next: Chunk::Asked(_), .. });
        if self.pages.is_empty() && !is_busy {
            self.lease.give_back();
        }
    }

    fn next_page(&mut self) -> Result<bool, Failure> {
        if self.fields.is_empty() {
            // Nothing is to be read but the ids, which are here.
            self.take_ids()?;
            let ids: Vec<i64> = self.ids.drain(..).collect();
            self.show(ids.len(), |_| Cells::Integers(ids.iter().copied().map(Some).collect()));
            return Ok(self.rows > 0);
        }
        while self.has_room() {
            if self.ids.len() < self.page_size {
                self.take_ids()?;
            }
            if self.ids.is_empty() {
                break;
            }
            let amount = self.ids.len().min(self.page_size);
            let ids: Vec<i64> = self.ids.drain(..amount).collect();
            let page = self.request_page(ids.clone())?;
            self.pages.push_back((ids, page));
        }
        let Some((ids, page)) = self.pages.pop_front() else {
            return Ok(false);
        };
        match page.outcome()? {
            Ok(page) => {
                self.page_size = (self.page_size * 2).min(self.full_size);
                self.bytes = page.bytes() / page.rows().max(1);
                self.window = (self.window * 2).min(self.full_window);
                let nothing = |rows| Cells::empty(FieldType::Integer, rows);
                self.show(page.rows(), |field| {
                    let cells = page.column(field.unwrap_or("id"));
                    cells.cloned().unwrap_or_else(|| nothing(page.rows()))
                });
            }
            Err(error) => self.split(ids, error)?,
        }
        Ok(true)
    }

    fn has_room(&self) -> bool {
        let waiting = self.pages.iter().map(|(ids, _)| ids.len()).sum::<usize>() * self.bytes;
        self.pages.is_empty() || self.pages.len() < self.window && waiting < BUDGET
    }

    fn show(&mut self, rows: usize, cells: impl Fn(Option<&str>) -> Cells) {
        self.cells = self.columns.iter().map(|field| cells(field.as_deref())).collect();
        (self.rows, self.next) = (rows, 0);
    }

    /// Asks for a page in two halves, where Odoo could not give it whole.
    fn split(&mut self, mut ids: Vec<i64>, error: Error) -> Result<(), Failure> {
        if !error.asks_for_less() || ids.len() < 2 {
            sessions::forget();
            return Err(self.refusal(&ids, error)?);
        }
        let second = ids.split_off(ids.len() / 2);
        self.full_size = ids.len();
        self.page_size = ids.len();
        for half in [second, ids] {
            let page = self.request_page(half.clone())?;
            self.pages.push_front((half, page));
        }
        self.show(0, |_| Cells::Integers(Vec::new()));
        Ok(())
    }

    /// Why a page was refused: by name the columns that the user may not read.
    fn refusal(&self, ids: &[i64], error: Error) -> Result<Failure, Failure> {
        if error.fault_kind() != Some(&FaultKind::Access) {
            return Ok(error.into());
        }
        let names = self.names.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>();
        let (model, ids) = (self.model.clone(), ids.to_vec());
        let refused =
            self.lease.session().call(move |odoo| odoo.model(&model).refused(&ids, &names))?;
        let is_refused = |(field, _): &&(String, String)| refused.contains(field);
        let columns = self.names.iter().filter(is_refused).map(|(_, column)| column.as_str());
        Ok(refusal(&self.table, &columns.collect::<Vec<_>>(), error))
    }

    fn search(
        &self,
        domain: Domain,
        order: &str,
        offset: i64,
        limit: Option<i64>,
    ) -> Result<Vec<i64>, Failure> {
        let (model, domain, order) = (self.model.clone(), all_of(domain), order.to_owned());
        let is_dated = self.is_dated;
        self.lease.session().call(move |odoo| {
            odoo.model(&model).search_to_read(domain, Some(&order), offset, limit, is_dated)
        })
    }

    /// The domain without the records that are made from now on: a statement that makes some of
    /// the rows that it gets would never end.
    fn so_far(&self, domain: Domain) -> Result<Domain, Failure> {
        let last = self.search(domain.clone(), "id desc", 0, Some(1))?;
        Ok(match last.first() {
            Some(last) => domain.and(Domain::leaf("id", "<=", *last)),
            None => Domain::none(),
        })
    }

    fn request_chunk(
        &self,
        domain: &Domain,
        after: i64,
        size: usize,
    ) -> Result<Ticket<Vec<i64>>, Failure> {
        let (model, domain) = (self.model.clone(), domain.clone());
        self.lease
            .session()
            .submit(move |odoo: &Connection| odoo.model(&model).search_after(domain, after, size))
    }

    fn request_page(&self, ids: Vec<i64>) -> Result<Ticket<Page>, Failure> {
        let (model, fields) = (self.model.clone(), self.fields.clone());
        self.lease.session().submit(move |odoo| {
            let fields: Vec<_> = fields.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
            odoo.model(&model).read(ids, &fields)
        })
    }

    /// Takes more ids, if there are any.
    fn take_ids(&mut self) -> Result<(), Failure> {
        match std::mem::replace(&mut self.source, Source::End) {
            Source::Chunks { domain, next, size, is_first } => {
                let chunk = match next {
                    Chunk::Asked(chunk) => chunk,
                    Chunk::After(last) => self.request_chunk(&domain, last, size)?,
                };
                let ids = chunk.wait()?;
                if let (true, Some(last)) = (ids.len() == size, ids.last().copied()) {
                    let domain = if is_first { self.so_far(domain)? } else { domain };
                    let next = match size {
                        CHUNK => Chunk::Asked(self.request_chunk(&domain, last, CHUNK)?),
                        // Perhaps no more are wanted.
                        _ => Chunk::After(last),
                    };
                    self.source = Source::Chunks { domain, next, size: CHUNK, is_first: false };
                }
                self.ids.extend(ids);
            }
            // By offset a record that changes meanwhile would be skipped or come twice.
            Source::Ordered { domain, order, taken } if self.ids.is_empty() => {
                let all = self.search(domain, &order, 0, None)?;
                self.ids = all.into_iter().filter(|id| !taken.contains(id)).collect();
            }
            source => self.source = source,
        }
        Ok(())
    }
}

//! The records of a foreign table on their way, page by page.

use pgrx::pg_sys::Oid;

use crate::extract::{self, First, Ids, PageSize, Pages, Read, Search};
use crate::failure::Failure;
use crate::fdw::query::plan::Plan;
use crate::fdw::scan::known;
use crate::fdw::table::rights::refusal;
use crate::odoo::{self, BEFORE_ALL, Cells, Domain, Error, FaultKind, FieldType, Page, Traffic};
use crate::pg;
use crate::pg::fdw::Constant;
use crate::server::{Server, Session, Ticket};

/// Records in the first page where perhaps not all are wanted.
const FIRST_PAGE: usize = 100;

/// The first records of a scan that is likely to have no others, and the search for more.
struct Beginning {
    first: Ticket<First>,
    search: Search,
}

/// How pages are made.
struct Paging {
    read: Read<Page>,
    wants_all: bool,
    is_eager: bool,
    /// Records in a page.
    most: usize,
}

/// A scan. Dropped, it ends what is in flight.
pub struct Scan {
    session: Session,
    /// The foreign table's name, and of each field the column.
    table: String,
    names: Vec<(String, String)>,
    model: String,
    /// What the columns show: the field, or `None` for the id.
    columns: Vec<Option<String>>,
    /// Nothing is read but the ids.
    is_bare: bool,
    beginning: Option<Beginning>,
    pages: Pages<Page>,
    paging: Paging,
    /// The current page's cells by column, and its next row.
    cells: Vec<Cells>,
    rows: usize,
    next: usize,
    read: u64,
}

/// The row of the current page that [`Scan::next`] came to.
pub type Row = usize;

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
        plan.require_basis(&*known::fields(&server, user, &plan.model)?)?;
        let session = server.session_of(user)?;
        let (beginning, ids) = match wanted(plan, &session, values)? {
            Wanted::Ids(ids) => (None, ids),
            Wanted::Few(search) => {
                let first = extract::first(&session, &search, &plan.fields(), FIRST_PAGE)?;
                (Some(Beginning { first, search }), Ids::known(Vec::new()))
            }
        };
        let scan = Scan::of(plan, &server, session, ids);
        Ok(Scan { beginning, ..scan })
    }

    /// A scan of `wanted` of the plan's records, picked at random, and how many there are.
    pub fn sample(
        plan: &Plan,
        server: Oid,
        user: Oid,
        wanted: usize,
    ) -> Result<(Scan, usize), Failure> {
        let server = Server::of_oid(server);
        plan.require_basis(&*known::fields(&server, user, &plan.model)?)?;
        let session = server.session_of(user)?;
        let domain = plan.condition(&[])?.into_domain();
        let mut ids = extract::ids(&session, &plan.model, domain)?;
        let found = ids.len();
        for place in 0..wanted.min(found) {
            let other = place + pg::random_below(found - place);
            ids.swap(place, other);
        }
        ids.truncate(wanted);
        ids.sort_unstable();
        Ok((Scan::of(plan, &server, session, Ids::known(ids)), found))
    }

    fn of(plan: &Plan, server: &Server, session: Session, ids: Ids) -> Scan {
        let paging = Paging {
            read: extract::columns(&plan.model, plan.fields()),
            wants_all: plan.wants_all(),
            is_eager: plan.is_eager,
            most: server.options.batch(),
        };
        let pages = paging.pages(&session, ids);
        let column = |field: &String| (field != "id").then(|| field.clone());
        Scan {
            table: plan.table.clone(),
            names: plan.names(),
            model: plan.model.clone(),
            columns: plan.fetched.iter().map(|fetched| column(&fetched.field)).collect(),
            is_bare: plan.fields().is_empty(),
            beginning: None,
            pages,
            paging,
            cells: Vec::new(),
            rows: 0,
            next: 0,
            read: 0,
            session,
        }
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
        (self.session.traffic(), self.read)
    }

    fn next_page(&mut self) -> Result<bool, Failure> {
        if let Some(beginning) = self.beginning.take() {
            return self.begin_with(beginning);
        }
        let session = &self.session;
        if self.is_bare {
            let ids = self.pages.next_ids(session)?;
            self.show(ids.len(), |_| Cells::Integers(ids.iter().copied().map(Some).collect()));
            return Ok(self.rows > 0);
        }
        match self.pages.next(session)? {
            None => Ok(false),
            Some((_, Ok(page))) => {
                self.show_page(&page);
                Ok(true)
            }
            Some((ids, Err(error))) => {
                known::forget();
                Err(self.refusal(&ids, error)?)
            }
        }
    }

    /// Shows the first records. Whether there are more tells their number; what Odoo has against
    /// them shows where they are read by their ids.
    fn begin_with(&mut self, Beginning { first, search }: Beginning) -> Result<bool, Failure> {
        let rest = match first.outcome()? {
            Ok(First { page, found }) => {
                self.show_page(&page);
                let last = found.last().copied().filter(|_| found.len() >= FIRST_PAGE);
                last.map(|last| search.behind(last))
            }
            Err(error) if error.fault_kind().is_some() || error.asks_for_less() => Some(search),
            Err(error) => return Err(error.into()),
        };
        if let Some(search) = rest {
            let ids = Ids::all(&self.session, search, self.paging.is_eager)?;
            self.pages = self.paging.pages(&self.session, ids);
        }
        Ok(true)
    }

    fn show_page(&mut self, page: &Page) {
        let nothing = |rows| Cells::empty(FieldType::Integer, rows);
        self.show(page.rows(), |field| {
            let cells = page.column(field.unwrap_or("id"));
            cells.cloned().unwrap_or_else(|| nothing(page.rows()))
        });
    }

    fn show(&mut self, rows: usize, cells: impl Fn(Option<&str>) -> Cells) {
        self.cells = self.columns.iter().map(|field| cells(field.as_deref())).collect();
        (self.rows, self.next) = (rows, 0);
    }

    /// Why a page was refused: by name the columns that the user may not read.
    fn refusal(&self, ids: &[i64], error: Error) -> Result<Failure, Failure> {
        if error.fault_kind() != Some(&FaultKind::Access) {
            return Ok(error.into());
        }
        let names = self.names.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>();
        let (model, ids) = (self.model.clone(), ids.to_vec());
        let refused = self.session.call(move |odoo| odoo.model(&model).refused(&ids, &names))?;
        let is_refused = |(field, _): &&(String, String)| refused.contains(field);
        let columns = self.names.iter().filter(is_refused).map(|(_, column)| column.as_str());
        Ok(refusal(&self.table, &columns.collect::<Vec<_>>(), error))
    }
}

impl Paging {
    fn pages(&self, session: &Session, ids: Ids) -> Pages<Page> {
        let read = self.read.clone();
        match self.wants_all {
            true => Pages::new(session, ids, read, PageSize::new(Some(self.most))),
            false => {
                let size = PageSize::growing(FIRST_PAGE, self.most);
                Pages::new(session, ids, read, size).few_at_first()
            }
        }
    }
}

/// What a scan begins with.
enum Wanted {
    Ids(Ids),
    /// Likely few records.
    Few(Search),
}

/// The plan's records, where its expressions have these values.
fn wanted(plan: &Plan, session: &Session, values: &[Constant]) -> Result<Wanted, Failure> {
    let limit = &plan.path.limit;
    let condition = plan.condition(values)?;
    let is_never = condition.is_never() || limit.as_ref().is_some_and(|l| l.count == Some(0));
    if is_never {
        return Ok(Wanted::Ids(Ids::known(Vec::new())));
    }
    let domain = condition.into_domain();
    let search = Search { model: plan.model.clone(), domain, is_dated: plan.is_dated };
    let ids = match (limit, &plan.path.order) {
        _ if plan.begins_with_records() => return Ok(Wanted::Few(search)),
        (Some(limit), order) => {
            let order = order.as_deref().unwrap_or("id");
            let ids = search.ordered(session, order, limit.offset, limit.count)?;
            Ids::known(ids)
        }
        (None, Some(order)) if order != "id" => {
            Ids::ordered(session, search, order, plan.is_eager)?
        }
        _ => Ids::all(session, search, plan.is_eager)?,
    };
    Ok(Wanted::Ids(ids))
}

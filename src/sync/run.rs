//! One run: entities of one server into its schema.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Instant;

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use super::extract::{self, Scan};
use super::load::{self, Loaded, Loader};
use super::lookup::Lookups;
use super::plan::{Catalogue, Plan};
use super::progress::Progress;
use super::state::Extension;
use super::tables;
use super::transform::Rows;
use crate::backend;
use crate::failure::Failure;
use crate::odoo::{Domain, Page};
use crate::server::{Server, Session};
use crate::warehouse::{self, Dataset, Entity};

/// How a table's load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Ok,
    /// Odoo has no such model: its module is not installed.
    Absent,
    Failed,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Absent => "absent",
            Status::Failed => "failed",
        }
    }
}

/// What a run did with one table.
#[derive(Debug, Clone)]
pub struct TableReport {
    pub entity: &'static str,
    pub target: &'static str,
    pub fetched: i64,
    pub inserted: i64,
    pub updated: i64,
    /// References of the table that are NULL for lack of the record, as of the run's end.
    pub missing: i64,
    pub status: Status,
    pub error: Option<String>,
    pub seconds: f64,
}

impl TableReport {
    fn new(dataset: &Dataset) -> TableReport {
        TableReport {
            entity: warehouse::entity_of(dataset),
            target: dataset.table,
            fetched: 0,
            inserted: 0,
            updated: 0,
            missing: 0,
            status: Status::Ok,
            error: None,
            seconds: 0.0,
        }
    }

    pub fn unchanged(&self) -> i64 {
        self.fetched - self.inserted - self.updated
    }

    fn add(&mut self, fetched: usize, loaded: Loaded) {
        self.fetched += fetched as i64;
        self.inserted += loaded.inserted;
        self.updated += loaded.updated;
    }
}

/// A run in progress. It is one transaction's: an error undoes it whole.
pub struct Run<'s> {
    server: &'s Server,
    session: &'s Session,
    extension: Extension,
    catalogue: Catalogue<'s>,
    lookups: Lookups<'s>,
    targets: HashMap<&'static str, Target>,
    /// Parents that were asked for in this run, and so need not be asked for again.
    asked: HashSet<(&'static str, i64)>,
    /// Tables in the order in which they were first touched.
    reports: Vec<TableReport>,
}

/// How a table is read and written in this run; `None` where Odoo has no such model.
type Target = Option<Rc<(Plan, Loader)>>;

impl<'s> Run<'s> {
    /// Begins a run, of one entity or of several. That of one entity fails here if another
    /// session is at it, before it waits for anything.
    pub fn begin(
        server: &'s Server,
        session: &'s Session,
        entity: Option<&Entity>,
    ) -> Result<Run<'s>, Failure> {
        entity.map_or(Ok(()), |entity| lock(server, entity))?;
        tables::ensure(&server.options.schema)?;
        Ok(Run {
            server,
            session,
            extension: Extension::find()?,
            catalogue: Catalogue::new(session),
            lookups: Lookups::new(session, server.options.page_size),
            targets: HashMap::new(),
            asked: HashSet::new(),
            reports: Vec::new(),
        })
    }

    /// Loads an entity; its error undoes what this transaction did.
    pub fn sync(&mut self, entity: &'static Entity) -> Result<(), Failure> {
        lock(self.server, entity)?;
        for dataset in entity.datasets {
            self.sync_table(dataset)?;
        }
        load::heal(&self.server.options.schema)
    }

    /// Loads an entity; its error undoes this entity alone and is in the report.
    pub fn try_sync(&mut self, entity: &'static Entity) {
        let begin = Instant::now();
        let before = self.reports.clone();
        let Err(failure) = backend::subtransaction(|| self.sync(entity)) else {
            return;
        };
        self.reports = before;
        // What the entity's parents brought was undone with it.
        self.asked.clear();
        for dataset in entity.datasets {
            let report = self.report(dataset);
            report.status = Status::Failed;
            report.error = Some(failure.message.clone());
            report.seconds = begin.elapsed().as_secs_f64();
        }
    }

    /// Remembers the run and tells what it did, a line per table.
    pub fn finish(mut self) -> Result<Vec<TableReport>, Failure> {
        let missing = load::count_missing(&self.server.options.schema)?;
        self.reports.sort_by_key(|report| warehouse::position(report.target));
        for report in &mut self.reports {
            report.missing = missing.get(report.target).copied().unwrap_or(0);
            self.extension.remember(&self.server.name, report)?;
        }
        Ok(self.reports)
    }

    fn sync_table(&mut self, dataset: &'static Dataset) -> Result<(), Failure> {
        let begin = Instant::now();
        self.report(dataset);
        if let Some(target) = self.target(dataset)? {
            let (plan, loader) = &*target;
            let page_size = self.server.options.page_size;
            let mut scan =
                Scan::begin(self.session, &plan.model, Domain::all(), plan.fields(), page_size)?;
            let mut progress = Progress::begin(dataset.table, scan.total());
            let mut rows = 0;
            while let Some(page) = scan.next()? {
                rows += page.rows();
                // Records that came as parents before are not counted again.
                let again = page
                    .ids()
                    .iter()
                    .filter(|id| self.asked.contains(&(dataset.table, **id)))
                    .count();
                self.load(dataset, plan, loader, &page)?;
                self.report(dataset).fetched -= again as i64;
                progress.tell(rows);
            }
        }
        self.report(dataset).seconds += begin.elapsed().as_secs_f64();
        Ok(())
    }

    /// Loads a page, after the records that it refers to. Those of the same table join its
    /// statement: parents and children may then come in any order.
    fn load(
        &mut self,
        dataset: &'static Dataset,
        plan: &Plan,
        loader: &Loader,
        page: &Page,
    ) -> Result<(), Failure> {
        let mut rows = Rows::from_page(plan, page, &mut self.lookups)?;
        loop {
            let (own, others): (Vec<_>, Vec<_>) = loader
                .absent_parents(&rows)?
                .into_iter()
                .partition(|(parent, _)| parent.table == dataset.table);
            let own = own.into_iter().flat_map(|(_, ids)| ids).collect();
            let wanted = self.not_yet_asked(dataset, own);
            if wanted.is_empty() {
                for (parent, ids) in others {
                    self.fetch_parents(parent, ids)?;
                }
                break;
            }
            for some in wanted.chunks(self.server.options.page_size) {
                if let Some(page) = self.fetch(plan, some)? {
                    rows.append(Rows::from_page(plan, &page, &mut self.lookups)?);
                }
            }
        }
        let loaded = loader.load(&rows)?;
        self.report(dataset).add(rows.ids.len(), loaded);
        Ok(())
    }

    /// Fetches records that others refer to. What Odoo does not give stays missing.
    fn fetch_parents(&mut self, dataset: &'static Dataset, ids: Vec<i64>) -> Result<(), Failure> {
        let wanted = self.not_yet_asked(dataset, ids);
        let Some(target) = self.target(dataset)? else {
            return Ok(());
        };
        let (plan, loader) = &*target;
        for some in wanted.chunks(self.server.options.page_size) {
            if let Some(page) = self.fetch(plan, some)? {
                self.load(dataset, plan, loader, &page)?;
            }
        }
        Ok(())
    }

    fn not_yet_asked(&mut self, dataset: &Dataset, mut ids: Vec<i64>) -> Vec<i64> {
        ids.retain(|id| self.asked.insert((dataset.table, *id)));
        ids
    }

    /// Reads records by id; `None` if Odoo gives none of them.
    fn fetch(&self, plan: &Plan, ids: &[i64]) -> Result<Option<Page>, Failure> {
        let found = extract::visible(self.session, &plan.model, ids)?;
        if found.is_empty() {
            return Ok(None);
        }
        extract::read(self.session, &plan.model, found, &plan.fields())?.wait().map(Some)
    }

    /// The plan and the statements for a table, made when it is first needed.
    fn target(&mut self, dataset: &'static Dataset) -> Result<Target, Failure> {
        if let Some(target) = self.targets.get(dataset.table) {
            return Ok(target.clone());
        }
        let plan = Plan::make(dataset, &mut self.catalogue)?;
        match &plan {
            None => {
                self.report(dataset).status = Status::Absent;
                notice!(
                    "{}: Odoo has no model {}, the table stays empty",
                    dataset.table,
                    dataset.models.join(" or ")
                );
            }
            Some(plan) if !plan.absent().is_empty() => {
                notice!("{}: Odoo has no field for {}", dataset.table, plan.absent().join(", "))
            }
            Some(_) => {}
        }
        let schema = &self.server.options.schema;
        let target = plan.map(|plan| Rc::new((plan, Loader::new(dataset, schema))));
        self.targets.insert(dataset.table, target.clone());
        Ok(target)
    }

    fn report(&mut self, dataset: &Dataset) -> &mut TableReport {
        let known = self.reports.iter().position(|report| report.target == dataset.table);
        let index = known.unwrap_or_else(|| {
            self.reports.push(TableReport::new(dataset));
            self.reports.len() - 1
        });
        &mut self.reports[index]
    }
}

/// One runner per server and entity, until the transaction ends.
fn lock(server: &Server, entity: &Entity) -> Result<(), Failure> {
    let key = format!("odoo_etl {} {}", server.name, entity.name);
    let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))";
    if Spi::get_one_with_args::<bool>(sql, &[key.as_str().into()])? == Some(true) {
        return Ok(());
    }
    let holder = "SELECT pid FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted \
                  AND objsubid = 1 AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
                  AND (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0)";
    let pid: Option<i32> = Spi::get_one_with_args(holder, &[key.as_str().into()]).unwrap_or(None);
    let message =
        format!("entity \"{}\" of server \"{}\" is being synced already", entity.name, server.name);
    Err(Failure::new(State::ERRCODE_LOCK_NOT_AVAILABLE, message)
        .detail(match pid {
            Some(pid) => format!("The process with PID {pid} is at it."),
            None => "Another session is at it.".into(),
        })
        .hint("Wait for it to end."))
}

//! One run: entities of one server into its schema.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Instant;

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use super::compare::{self, Difference};
use super::delete;
use super::extract::{self, Scan};
use super::load::{self, Absent, Loaded, Loader};
use super::lookup::Lookups;
use super::plan::{Catalogue, Plan};
use super::poison::{self, Poison};
use super::progress::Progress;
use super::state::Extension;
use super::tables::{self, Widths};
use super::transform::{Context, Rows};
use crate::backend;
use crate::failure::Failure;
use crate::odoo::{Cells, Domain, Identity, Page, Value};
use crate::server::{Server, Session};
use crate::warehouse::{self, Dataset, Entity, Extent};

/// How a table's load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Ok,
    /// Some values could not be read; they are in quarantine.
    Partial,
    /// Odoo has no such model: its module is not installed.
    Absent,
    /// The Odoo user may not read the model.
    Denied,
    Failed,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Partial => "partial",
            Status::Absent => "absent",
            Status::Denied => "denied",
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
    /// Rows deleted, or marked so, because Odoo no longer has the record.
    pub deleted: i64,
    /// Values of the table in quarantine, as of the run's end.
    pub quarantined: i64,
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
            deleted: 0,
            quarantined: 0,
            missing: 0,
            status: Status::Ok,
            error: None,
            seconds: 0.0,
        }
    }

    pub fn unchanged(&self) -> i64 {
        // A row that came as a parent may be written again with the references that it lacked.
        (self.fetched - self.inserted - self.updated).max(0)
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
    /// Everything is read, whatever has changed.
    full_refresh: bool,
    identity: Identity,
    extension: Extension,
    widths: Widths,
    catalogue: Catalogue<'s>,
    lookups: Lookups<'s>,
    targets: HashMap<(&'static str, usize), Option<Rc<Target>>>,
    /// Parents that were asked for in this run, and so need not be asked for again.
    asked: HashSet<(&'static str, usize, i64)>,
    /// Records whose rows wait for their parents: those of the pages that are being loaded.
    waiting: HashSet<(&'static str, usize, i64)>,
    /// Values that were cut or cleaned: what to say of them, with `{}` for how many.
    blemishes: HashMap<String, usize>,
    /// Tables in the order in which they were first touched.
    reports: Vec<TableReport>,
}

/// How a feed of a table is read and written in this run.
struct Target {
    feed: usize,
    plan: Plan,
    loader: Loader,
}

impl<'s> Run<'s> {
    /// Begins a run, of one entity or of several. That of one entity fails here if another
    /// session is at it, before it waits for anything.
    pub fn begin(
        server: &'s Server,
        session: &'s Session,
        entity: Option<&Entity>,
        full_refresh: bool,
    ) -> Result<Run<'s>, Failure> {
        // Before anything is written, so that a wrong password does not look like a failed
        // entity.
        let identity = session.call(|odoo| odoo.identity())?;
        entity.map_or(Ok(()), |entity| lock(server, entity))?;
        let extension = Extension::find()?;
        let tables::Ready { widths, made } = tables::ensure(&server.options.schema)?;
        if !made.is_empty() {
            extension.forget_watermarks(&server.name, &made)?;
        }
        Ok(Run {
            server,
            session,
            full_refresh,
            identity,
            extension,
            widths,
            catalogue: Catalogue::new(session),
            lookups: Lookups::new(session, server.options.page_size),
            targets: HashMap::new(),
            asked: HashSet::new(),
            waiting: HashSet::new(),
            blemishes: HashMap::new(),
            reports: Vec::new(),
        })
    }

    /// Loads an entity; its error undoes what this transaction did.
    pub fn sync(&mut self, entity: &'static Entity) -> Result<(), Failure> {
        lock(self.server, entity)?;
        for dataset in entity.datasets {
            let begin = Instant::now();
            for feed in 0..dataset.feeds.len() {
                self.sync_feed(dataset, feed)?;
            }
            load::refresh(dataset, &self.server.options.schema)?;
            self.report(dataset).seconds += begin.elapsed().as_secs_f64();
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
        self.waiting.clear();
        for dataset in entity.datasets {
            let report = self.report(dataset);
            report.status = Status::Failed;
            report.error = Some(failure.message.clone());
            report.seconds = begin.elapsed().as_secs_f64();
        }
    }

    /// Remembers the run and tells what it did, a line per table.
    pub fn finish(mut self) -> Result<Vec<TableReport>, Failure> {
        let mut blemishes: Vec<_> = self.blemishes.drain().collect();
        blemishes.sort();
        for (what, count) in blemishes {
            warning!("{}", what.replace("{}", &count.to_string()));
        }
        let missing = load::count_missing(&self.server.options.schema)?;
        let quarantined = self.extension.count_quarantined(&self.server.name)?;
        self.reports.sort_by_key(|report| warehouse::position(report.target));
        for report in &mut self.reports {
            report.missing = missing.get(report.target).copied().unwrap_or(0);
            report.quarantined = quarantined.get(report.target).copied().unwrap_or(0);
            self.extension.remember(&self.server.name, report)?;
        }
        Ok(self.reports)
    }

    fn sync_feed(&mut self, dataset: &'static Dataset, feed: usize) -> Result<(), Failure> {
        let Some(target) = self.target(dataset, feed)? else {
            return Ok(());
        };
        let plan = &target.plan;
        let begin = Instant::now();
        let since = self.since(plan)?;
        let changed = since.as_deref().map(|time| plan.changed_since(time));
        let domain = match &changed {
            Some(changed) => plan.domain().and(changed.clone()),
            None => plan.domain(),
        };
        let page_size = self.server.options.page_size;
        let scan = Scan::begin(self.session, &plan.model, domain, plan.fields(), page_size);
        let mut scan = match scan {
            Err(failure) if is_denied(&failure) => {
                self.deny(dataset, feed, failure);
                return Ok(());
            }
            scan => scan?,
        };
        let mut progress = Progress::begin(dataset.table, scan.total());
        let mut rows = 0;
        let mut latest = None;
        while let Some(page) = scan.next()? {
            rows += page.rows();
            // Records that came as parents before are not counted again.
            let ids = page.ids();
            let known = |id: &&i64| self.asked.contains(&(dataset.table, feed, **id));
            let again = ids.iter().filter(known).count();
            latest = latest.max(latest_change(&page));
            self.load(dataset, &target, page)?;
            self.report(dataset).fetched -= again as i64;
            self.quarantine(&target.plan, &ids, scan.take_poison())?;
            progress.tell(rows);
        }
        let deleted = match &changed {
            None => self.delete_vanished(plan, dataset, feed)?,
            Some(changed) => self.delete_left(&target, dataset, changed.clone())?,
        };
        self.report(dataset).deleted += deleted;
        if let Some(latest) = latest {
            let back = since.is_none();
            let server = &self.server.name;
            self.extension.move_watermark(server, plan, &latest, begin.elapsed(), back)?;
        }
        Ok(())
    }

    /// When the changes to read began; `None` to read everything.
    fn since(&self, plan: &Plan) -> Result<Option<String>, Failure> {
        if self.full_refresh || plan.dataset.extent == Extent::Whole || !plan.is_dated {
            return Ok(None);
        }
        let now = self.session.call(|odoo| Ok(odoo.server_time()))?;
        let overlap = self.server.options.overlap;
        let since = self.extension.since(&self.server.name, plan, overlap, now)?;
        match since {
            Some(since) if since.is_future => {
                warning!(
                    "{}: its watermark lies ahead of Odoo's clock, which must have been set back; everything is read again",
                    plan.dataset.table
                );
                Ok(None)
            }
            since => Ok(since.map(|since| since.time)),
        }
    }

    /// After everything was read: what Odoo no longer has.
    fn delete_vanished(
        &self,
        plan: &Plan,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<i64, Failure> {
        let present = extract::ids(self.session, &plan.model, plan.domain())?;
        delete::vanished(&self.server.options.schema, dataset, feed, &present)
    }

    /// After the changes were read: records that left the table's domain, and parts that their
    /// changed owners no longer have.
    fn delete_left(
        &mut self,
        target: &Target,
        dataset: &'static Dataset,
        changed: Domain,
    ) -> Result<i64, Failure> {
        let Target { feed, plan, .. } = target;
        let schema = &self.server.options.schema;
        let mut deleted = 0;
        if plan.domain() != Domain::all() {
            let all = extract::ids(self.session, &plan.model, changed.clone())?;
            let inside: HashSet<i64> =
                extract::ids(self.session, &plan.model, plan.domain().and(changed))?
                    .into_iter()
                    .collect();
            let left: Vec<i64> = all.into_iter().filter(|id| !inside.contains(id)).collect();
            deleted += delete::rows(schema, dataset, *feed, &left)?;
        }
        let Some(owner) = dataset.owner else {
            return Ok(deleted);
        };
        let reference = load::references(dataset, *feed).into_iter().find(|r| r.column == owner);
        let Some((parent, parent_feed)) = reference.and_then(|reference| reference.target()) else {
            return Ok(deleted);
        };
        let Some(owners) = self.target(parent, parent_feed)? else {
            return Ok(deleted);
        };
        let Some(time) = self.since(plan)? else {
            return Ok(deleted);
        };
        let changed = owners.plan.domain().and(owners.plan.changed_since(&time));
        let field = plan.field_of(owner).unwrap_or(owner).to_owned();
        for some in extract::ids(self.session, &owners.plan.model, changed)?.chunks(OWNERS) {
            let those = Domain::leaf(&field, "in", some.iter().copied().collect::<Value>());
            let parts = extract::ids(self.session, &plan.model, plan.domain().and(those))?;
            deleted += delete::vanished_parts(
                &self.server.options.schema,
                dataset,
                *feed,
                owner,
                some,
                &parts,
            )?;
        }
        Ok(deleted)
    }

    fn quarantine(&mut self, plan: &Plan, ids: &[i64], poison: Vec<Poison>) -> Result<(), Failure> {
        if !poison.is_empty() {
            self.report(plan.dataset).status = Status::Partial;
        }
        self.extension.quarantine(&self.server.name, plan, ids, &poison)
    }

    /// How an entity differs from Odoo. Nothing is written.
    pub fn verify(&mut self, entity: &'static Entity) -> Result<Vec<Verdict>, Failure> {
        let mut verdicts = Vec::new();
        for dataset in entity.datasets {
            for feed in 0..dataset.feeds.len() {
                if let Some(target) = self.target(dataset, feed)? {
                    let schema = &self.server.options.schema;
                    let found = compare::compare(self.session, schema, &target.plan, feed)?;
                    verdicts.push(Verdict { dataset, feed, found });
                }
            }
        }
        Ok(verdicts)
    }

    /// Brings an entity in step with Odoo: fetches what is missing or stale, deletes what is
    /// gone.
    pub fn reconcile(&mut self, entity: &'static Entity) -> Result<(), Failure> {
        lock(self.server, entity)?;
        for Verdict { dataset, feed, found } in self.verify(entity)? {
            let begin = Instant::now();
            let Some(target) = self.target(dataset, feed)? else {
                continue;
            };
            let wanted: Vec<i64> = found.missing.iter().chain(&found.stale).copied().collect();
            for some in wanted.chunks(self.server.options.page_size) {
                if let Some(page) = self.fetch(&target.plan, some)? {
                    self.load(dataset, &target, page)?;
                }
            }
            let schema = &self.server.options.schema;
            let deleted = delete::vanished(schema, dataset, feed, &found.present)?;
            let report = self.report(dataset);
            report.deleted += deleted;
            report.seconds += begin.elapsed().as_secs_f64();
        }
        load::heal(&self.server.options.schema)
    }

    /// Loads a page, after the records that it refers to. Those of the same table join its
    /// statement: parents and children may then come in any order.
    fn load(
        &mut self,
        dataset: &'static Dataset,
        target: &Target,
        page: Page,
    ) -> Result<(), Failure> {
        let mut rows = self.transform(&target.plan, page)?;
        let keys: Vec<_> = rows.ids.iter().map(|id| (dataset.table, target.feed, *id)).collect();
        self.waiting.extend(&keys);
        loop {
            let (own, others): (Vec<_>, Vec<_>) =
                target.loader.absent_parents(&rows)?.into_iter().partition(|absent| {
                    absent.dataset.table == dataset.table && absent.feed == target.feed
                });
            let own = own.into_iter().flat_map(|absent| absent.ids).collect();
            let wanted = self.not_yet_asked(dataset, target.feed, own);
            if wanted.is_empty() {
                for absent in others {
                    self.fetch_parents(absent)?;
                }
                break;
            }
            for some in wanted.chunks(self.server.options.page_size) {
                if let Some(page) = self.fetch(&target.plan, some)? {
                    let more = self.transform(&target.plan, page)?;
                    rows.append(more);
                }
            }
        }
        keys.iter().for_each(|key| {
            self.waiting.remove(key);
        });
        let loaded = target.loader.load(&rows)?;
        self.report(dataset).add(rows.ids.len(), loaded);
        Ok(())
    }

    /// The rows of a page, fit for their table.
    fn transform(&mut self, plan: &Plan, page: Page) -> Result<Rows, Failure> {
        let page = self.with_companies(plan, page)?;
        let mut context =
            Context { lookups: &mut self.lookups, default_zone: &self.server.options.timezone };
        let mut rows = Rows::from_page(plan, &page, &mut context)?;
        let table = plan.dataset.table;
        self.blemish(format!("{table}: left out {{}} control character(s)"), page.dropped());
        for (index, planned) in plan.columns.iter().enumerate() {
            let name = planned.column.name;
            if let Some(width) = self.widths.get(&(table.to_owned(), name.to_owned())) {
                let cut = rows.narrow(index, *width);
                self.blemish(
                    format!("{table}.{name}: cut {{}} value(s) to {width} characters"),
                    cut,
                );
            }
        }
        Ok(rows)
    }

    fn blemish(&mut self, what: String, count: usize) {
        if count > 0 {
            *self.blemishes.entry(what).or_default() += count;
        }
    }

    /// Fields of which each company has its own value, read again as the record's company.
    fn with_companies(&self, plan: &Plan, mut page: Page) -> Result<Page, Failure> {
        let Some(Cells::Integers(companies)) = page.column("company_id") else {
            return Ok(page);
        };
        if plan.per_company.is_empty() {
            return Ok(page);
        }
        let ids = page.ids();
        let mut by_company: HashMap<i64, Vec<i64>> = HashMap::new();
        for (id, company) in ids.iter().zip(companies) {
            match company {
                Some(company)
                    if self.identity.companies.first() != Some(company)
                        && self.identity.companies.contains(company) =>
                {
                    by_company.entry(*company).or_default().push(*id);
                }
                _ => {}
            }
        }
        for (company, ids_of) in by_company {
            let fields = &plan.per_company;
            let own = extract::read(self.session, &plan.model, ids_of, fields, Some(company))?;
            page.overlay(&own.wait()?);
        }
        Ok(page)
    }

    /// Fetches records that others refer to. What Odoo does not give stays missing.
    fn fetch_parents(&mut self, absent: Absent) -> Result<(), Failure> {
        let Absent { dataset, feed, ids } = absent;
        let wanted = self.not_yet_asked(dataset, feed, ids);
        let Some(target) = self.target(dataset, feed)? else {
            return Ok(());
        };
        for some in wanted.chunks(self.server.options.page_size) {
            match self.fetch(&target.plan, some) {
                Ok(Some(page)) => self.load(dataset, &target, page)?,
                Ok(None) => {}
                Err(failure) if is_denied(&failure) => {
                    self.deny(dataset, feed, failure);
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    fn not_yet_asked(&mut self, dataset: &Dataset, feed: usize, mut ids: Vec<i64>) -> Vec<i64> {
        ids.retain(|id| {
            let key = (dataset.table, feed, *id);
            !self.waiting.contains(&key) && self.asked.insert(key)
        });
        ids
    }

    /// Reads records by id, if they belong to the table; `None` if Odoo gives none of them.
    fn fetch(&mut self, plan: &Plan, ids: &[i64]) -> Result<Option<Page>, Failure> {
        let found = extract::visible_in(self.session, &plan.model, ids, plan.domain())?;
        if found.is_empty() {
            return Ok(None);
        }
        let fields = plan.fields();
        let page = extract::read(self.session, &plan.model, found.clone(), &fields, None)?;
        let (page, poison) = match page.outcome()? {
            Ok(page) => (page, Vec::new()),
            Err(error) => {
                let recovered = poison::recover(self.session, &plan.model, found, &fields, error)?;
                (recovered.page, recovered.poison)
            }
        };
        self.quarantine(plan, &page.ids(), poison)?;
        Ok(Some(page))
    }

    /// The plan and the statements for a feed, made when it is first needed; `None` if it
    /// cannot be read.
    fn target(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<Rc<Target>>, Failure> {
        self.report(dataset);
        if let Some(target) = self.targets.get(&(dataset.table, feed)) {
            return Ok(target.clone());
        }
        let Some(plan) = Plan::make(dataset, feed, &mut self.catalogue)? else {
            self.targets.insert((dataset.table, feed), None);
            self.absent(dataset, feed);
            return Ok(None);
        };
        if !plan.absent().is_empty() {
            let columns = plan.absent().join(", ");
            notice!("{}: {} has no field for {columns}", dataset.table, plan.model);
        }
        self.lookups.announce(&plan);
        self.extension.remember_columns(&self.server.name, &plan)?;
        let loader = Loader::new(dataset, feed, &self.server.options.schema);
        let target = Some(Rc::new(Target { feed, plan, loader }));
        self.targets.insert((dataset.table, feed), target.clone());
        Ok(target)
    }

    /// Says that Odoo has no model for a feed.
    fn absent(&mut self, dataset: &'static Dataset, feed: usize) {
        let models = dataset.feeds[feed].models.join(" or ");
        if dataset.feeds.len() == 1 {
            self.report(dataset).status = Status::Absent;
            notice!("{}: Odoo has no model {models}, the table stays empty", dataset.table);
        } else {
            notice!("{}: Odoo has no model {models}", dataset.table);
        }
    }

    /// Says that the Odoo user may not read the model of a feed, and leaves it out from now on.
    fn deny(&mut self, dataset: &'static Dataset, feed: usize, failure: Failure) {
        self.targets.insert((dataset.table, feed), None);
        let report = self.report(dataset);
        report.status = Status::Denied;
        report.error = Some(failure.message.clone());
        let message = format!("{}: skipped, {}", dataset.table, failure.message);
        Failure { message, ..failure }.warn();
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

/// How a feed of a table differs from Odoo.
pub struct Verdict {
    pub dataset: &'static Dataset,
    pub feed: usize,
    pub found: Difference,
}

/// Owners whose parts are asked for at once.
const OWNERS: usize = 1_000;

/// The latest write_date of a page.
fn latest_change(page: &Page) -> Option<String> {
    match page.column("write_date") {
        Some(Cells::Texts(dates)) => dates.iter().flatten().max().map(str::to_owned),
        _ => None,
    }
}

/// Whether Odoo said that the user may not read a model.
fn is_denied(failure: &Failure) -> bool {
    failure.sqlstate == State::ERRCODE_INSUFFICIENT_PRIVILEGE
}

/// One runner per server and entity, until the transaction ends.
fn lock(server: &Server, entity: &Entity) -> Result<(), Failure> {
    let key = format!("odoo_etl {} {}", server.name, entity.name);
    let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))";
    if Spi::get_one_with_args::<bool>(sql, &[key.as_str().into()])? == Some(true) {
        return Ok(());
    }
    let holder = "SELECT pid FROM pg_catalog.pg_locks \
                  WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
                  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
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

//! One run: entities of one server into its schema.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use super::catalogue::Catalogue;
use super::extract;
use super::feed::FeedLoad;
use super::heal;
use super::journal::{Journal, Kind};
use super::load::{self, Absent, Loaded, Loader};
use super::lock;
use super::lookup::Lookups;
use super::memory::Memory;
use super::origin;
use super::plan::Plan;
use super::poison::{self, Poison};
use super::report::{Status, TableReport};
use super::state::Extension;
use super::tables::{self, Widths};
use super::transform::{Context, Rows};
use super::writable::require_writable;
use crate::backend;
use crate::failure::Failure;
use crate::odoo::{Cells, Identity, Page, Traffic};
use crate::server::{Server, Session};
use crate::warehouse::{self, Dataset, Entity};

/// A run in progress. It is one transaction's: an error undoes it whole.
pub struct Run {
    pub(super) server: Rc<Server>,
    pub(super) session: Rc<Session>,
    /// Everything is read, whatever has changed.
    pub(super) full_refresh: bool,
    /// Pages are committed one by one, and so remembered.
    pub(super) is_job: bool,
    pub(super) journal: Journal,
    /// What was asked of Odoo, and how long was waited, up to the last entry in a report. The
    /// login is no table's.
    seen: (Traffic, Duration),
    identity: Identity,
    pub(super) extension: Extension,
    widths: Widths,
    pub(super) catalogue: Catalogue,
    pub(super) memory: Memory,
    lookups: Lookups,
    /// The feeds of all entities of the run, in their order.
    order: Vec<(&'static Dataset, usize)>,
    /// The next of them, begun while the last pages of the one before are loaded.
    pub(super) ahead: Option<FeedLoad>,
    /// Records of models that changed since a time, as feeds found them.
    pub(super) changed: HashMap<String, (String, Vec<i64>)>,
    targets: HashMap<(&'static str, usize), Option<Rc<Target>>>,
    /// Parents that were asked for in this run, and so need not be asked for again.
    pub(super) asked: HashSet<(&'static str, usize, i64)>,
    /// Records whose rows wait for their parents: those of the pages that are being loaded.
    waiting: HashSet<(&'static str, usize, i64)>,
    /// Why records of a feed are not given, where that is known.
    reasons: HashMap<(&'static str, usize), String>,
    /// Values that were cut or cleaned: what to say of them, with `{}` for how many.
    blemishes: HashMap<String, usize>,
    /// Tables in the order in which they were first touched.
    reports: Vec<TableReport>,
}

/// How a feed of a table is read and written in this run.
pub struct Target {
    pub feed: usize,
    pub plan: Plan,
    loader: Loader,
}

/// Rows of a feed that are ready to be written.
struct Batch {
    dataset: &'static Dataset,
    target: Rc<Target>,
    rows: Rows,
    poison: Vec<Poison>,
    /// All that the rows refer to was there before.
    is_complete: bool,
}

/// Records as they came, and the values that could not be read.
pub struct Fetched {
    pub page: Page,
    pub poison: Vec<Poison>,
}

/// How often rows are written again after a deadlock.
const DEADLOCKS: usize = 3;

/// How long the rows are left to the other session before.
const AFTER_DEADLOCK: Duration = Duration::from_millis(100);

/// Why a parent is missing though Odoo has it.
const HELD: &str = "another session was writing the table; the next run of its entity brings it";

impl Run {
    /// Begins a run, of one entity or of several. That of one entity fails here if another
    /// session is at it, before it waits for anything.
    pub fn begin(
        server: Server,
        entity: Option<&Entity>,
        kind: Kind,
        full_refresh: bool,
    ) -> Result<Run, Failure> {
        require_writable()?;
        let session = Rc::new(server.session()?);
        // Before anything is written, so that a wrong password does not look like a failed
        // entity.
        let identity = session.call(|odoo| odoo.identity())?;
        session.tell_of_fall_back(&server.name);
        entity.map_or(Ok(()), |entity| lock::take(&server, entity))?;
        let extension = Extension::find()?;
        origin::check(&extension, &server, &session)?;
        let memory = Memory::of(&extension, &server.name)?;
        let tables::Ready { widths, made } =
            tables::ensure(&server.options.schema, &extension.schema)?;
        if !made.is_empty() {
            extension.forget_watermarks(&server.name, &made)?;
            memory.forget()?;
        }
        Ok(Run {
            catalogue: Catalogue::remembering(
                session.clone(),
                memory.clone(),
                full_refresh || kind == Kind::Reconcile,
            ),
            memory,
            lookups: Lookups::new(session.clone(), server.options.batch()),
            order: Vec::new(),
            ahead: None,
            changed: HashMap::new(),
            server: Rc::new(server),
            seen: (session.traffic(), session.waited()),
            session,
            full_refresh,
            is_job: false,
            journal: Journal::begin(&extension, kind)?,
            identity,
            extension,
            widths,
            targets: HashMap::new(),
            asked: HashSet::new(),
            waiting: HashSet::new(),
            reasons: HashMap::new(),
            blemishes: HashMap::new(),
            reports: Vec::new(),
        })
    }

    /// Keeps other runs from an entity, and from its rows, until the transaction ends.
    pub(super) fn lock(&self, entity: &Entity) -> Result<(), Failure> {
        lock::take(&self.server, entity)?;
        lock::take_rows(&self.server, entity)
    }

    /// Tells which entities will be loaded, in that order.
    pub fn plan_ahead(&mut self, entities: impl IntoIterator<Item = &'static Entity>) {
        self.order = entities.into_iter().flat_map(Entity::feeds).collect();
    }

    /// The feed that follows another one.
    pub(super) fn after(
        &self,
        dataset: &Dataset,
        feed: usize,
    ) -> Option<(&'static Dataset, usize)> {
        let is_it =
            |(own, number): &(&Dataset, usize)| own.table == dataset.table && *number == feed;
        let place = self.order.iter().position(is_it)?;
        self.order.get(place + 1).copied()
    }

    /// Loads an entity; its error undoes what this transaction did.
    pub fn sync(&mut self, entity: &'static Entity) -> Result<(), Failure> {
        self.lock(entity)?;
        match backend::subtransaction(|| self.load_entity(entity)) {
            Err(failure) if self.renew(entity, &failure) => self.load_entity(entity),
            done => done,
        }
    }

    /// Whether what failed may succeed once Odoo was asked for its fields again: those that are
    /// remembered may be gone, or another's by now.
    pub(super) fn renew(&mut self, entity: &Entity, failure: &Failure) -> bool {
        let is_about_fields = matches!(
            failure.sqlstate,
            State::ERRCODE_FDW_COLUMN_NAME_NOT_FOUND
                | State::ERRCODE_FDW_TABLE_NOT_FOUND
                | State::ERRCODE_INSUFFICIENT_PRIVILEGE
        );
        if !is_about_fields || !self.catalogue.is_from_memory() {
            return false;
        }
        self.catalogue.renew();
        self.reports.retain(|report| report.entity != entity.name);
        self.start_over();
        true
    }

    /// Forgets what was undone with the last error.
    fn start_over(&mut self) {
        self.ahead = None;
        self.targets.clear();
        self.asked.clear();
        self.waiting.clear();
    }

    fn load_entity(&mut self, entity: &'static Entity) -> Result<(), Failure> {
        for dataset in entity.datasets {
            for feed in 0..dataset.feeds.len() {
                if let Some(mut load) = FeedLoad::begin(self, dataset, feed)? {
                    while load.step(self)? {}
                }
            }
        }
        self.settle(entity)
    }

    /// After the pages of an entity: what depends on today's date, and on what came later.
    pub fn settle(&self, entity: &'static Entity) -> Result<(), Failure> {
        let schema = &self.server.options.schema;
        entity.datasets.iter().try_for_each(|dataset| load::refresh(dataset, schema))?;
        self.heal()
    }

    /// Restores references whose records have come.
    pub(super) fn heal(&self) -> Result<(), Failure> {
        heal::heal(&self.server.options.schema, |dataset| self.may_write(dataset))
    }

    /// Loads an entity; its error undoes this entity alone and is in the report.
    pub fn try_sync(&mut self, entity: &'static Entity) {
        let before = self.reports.clone();
        // The lock outlives the undoing: how the entity ended is to be remembered too.
        let done = self.lock(entity).and_then(|()| backend::subtransaction(|| self.sync(entity)));
        if let Err(failure) = done {
            self.reports = before;
            self.fail(entity, &failure);
        }
    }

    /// Notes that an entity failed, or is another session's, after what it did last was undone.
    pub fn fail(&mut self, entity: &'static Entity, failure: &Failure) -> Status {
        let status = match failure.sqlstate {
            State::ERRCODE_LOCK_NOT_AVAILABLE => Status::Skipped,
            _ => Status::Failed,
        };
        self.start_over();
        if status == Status::Skipped {
            notice!("{}: skipped, {}", entity.name, failure.message);
        }
        entity.datasets.iter().for_each(|dataset| self.report(dataset).end(status, failure));
        status
    }

    /// Remembers what the run did with some entities, and tells what it did, a line per table.
    pub fn finish(mut self, entities: &[&Entity]) -> Result<Vec<TableReport>, Failure> {
        entities.iter().try_for_each(|entity| self.remember(entity))?;
        self.count()?;
        Ok(self.reports)
    }

    /// Remembers what the run did with one entity. Tables that it only refers to are those of
    /// another entity's runs to tell of.
    pub fn remember(&mut self, entity: &Entity) -> Result<(), Failure> {
        self.count()?;
        let own: Vec<_> =
            self.reports.iter().filter(|report| report.entity == entity.name).collect();
        self.journal.write(&self.extension, &self.server.name, &own)
    }

    /// Does some of a table's work, and notes what it took.
    pub(super) fn timed<T>(
        &mut self,
        dataset: &Dataset,
        work: impl FnOnce(&mut Run) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let begin = Instant::now();
        let done = work(self);
        let now = (self.session.traffic(), self.session.waited());
        let (traffic, waited) = std::mem::replace(&mut self.seen, now);
        let report = self.report(dataset);
        report.seconds += begin.elapsed().as_secs_f64();
        report.waiting += (now.1 - waited).as_secs_f64();
        report.traffic += now.0 - traffic;
        done
    }

    /// Completes the reports, and tells of values that were cut or cleaned.
    fn count(&mut self) -> Result<(), Failure> {
        let mut blemishes: Vec<_> = self.blemishes.drain().collect();
        blemishes.sort();
        for (what, count) in blemishes {
            warning!("{}", what.replace("{}", &count.to_string()));
        }
        let missing = heal::count_missing(&self.server.options.schema)?;
        let quarantined = self.extension.count_quarantined(&self.server.name)?;
        self.reports.sort_by_key(|report| warehouse::position(report.target));
        for report in &mut self.reports {
            report.missing = missing.get(report.target).copied().unwrap_or(0);
            report.quarantined = quarantined.get(report.target).copied().unwrap_or(0);
            if report.quarantined > 0 && report.status == Status::Ok {
                report.status = Status::Partial;
            }
        }
        Ok(())
    }

    /// Loads a page, after the records that it refers to. Nothing is written before all of them
    /// have come, so that no row is locked while Odoo is asked.
    pub(super) fn load(
        &mut self,
        dataset: &'static Dataset,
        target: &Rc<Target>,
        fetched: Fetched,
    ) -> Result<(), Failure> {
        let mut batches = Vec::new();
        self.gather(dataset, target, fetched, &mut batches)?;
        let loaded = self.write(&batches)?;
        for (batch, loaded) in batches.iter().zip(loaded) {
            if let Some(loaded) = loaded {
                self.report(batch.dataset).add(batch.rows.ids.len(), loaded);
            }
        }
        Ok(())
    }

    /// The rows of a page, and before them those that they refer to. Those of the same table
    /// join its statement: parents and children may then come in any order.
    fn gather(
        &mut self,
        dataset: &'static Dataset,
        target: &Rc<Target>,
        fetched: Fetched,
        batches: &mut Vec<Batch>,
    ) -> Result<(), Failure> {
        let Fetched { page, mut poison } = fetched;
        let mut rows = self.transform(&target.plan, page)?;
        let keys: Vec<_> = rows.ids.iter().map(|id| (dataset.table, target.feed, *id)).collect();
        self.waiting.extend(&keys);
        let mut is_complete = true;
        loop {
            let absent = target.loader.absent_parents(&rows)?;
            is_complete &= absent.is_empty();
            let (own, others): (Vec<_>, Vec<_>) = absent.into_iter().partition(|absent| {
                absent.dataset.table == dataset.table && absent.feed == target.feed
            });
            let own = own.into_iter().flat_map(|absent| absent.ids).collect();
            let wanted = self.not_yet_asked(dataset, target.feed, own);
            if wanted.is_empty() {
                for absent in others {
                    self.gather_parents(absent, batches)?;
                }
                break;
            }
            for some in wanted.chunks(self.server.options.batch()) {
                if let Some(more) = self.fetch(&target.plan, some)? {
                    rows.append(self.transform(&target.plan, more.page)?);
                    poison.extend(more.poison);
                }
            }
        }
        keys.iter().for_each(|key| {
            self.waiting.remove(key);
        });
        batches.push(Batch { dataset, target: target.clone(), rows, poison, is_complete });
        Ok(())
    }

    /// Writes rows, all or none of them; what a transaction of another session has locked for
    /// long is left out. Two jobs that write the same parents in different orders may meet in a
    /// deadlock: the one that PostgreSQL picks writes again.
    fn write(&mut self, batches: &[Batch]) -> Result<Vec<Option<Loaded>>, Failure> {
        let mut trust = true;
        for _ in 0..DEADLOCKS {
            match backend::subtransaction(|| self.write_once(batches, trust)) {
                // Another session has added or deleted rows meanwhile.
                Err(Failure {
                    sqlstate: State::ERRCODE_UNIQUE_VIOLATION | State::ERRCODE_FOREIGN_KEY_VIOLATION,
                    ..
                }) if trust => trust = false,
                // The other one has to wake up to take what it waited for.
                Err(failure) if failure.sqlstate == State::ERRCODE_T_R_DEADLOCK_DETECTED => {
                    backend::sleep(AFTER_DEADLOCK)
                }
                done => return done,
            }
        }
        backend::subtransaction(|| self.write_once(batches, false))
    }

    /// `trust` is for what was seen of the rows before.
    fn write_once(
        &mut self,
        batches: &[Batch],
        trust: bool,
    ) -> Result<Vec<Option<Loaded>>, Failure> {
        let mut loaded = Vec::new();
        for (index, batch) in batches.iter().enumerate() {
            let Batch { dataset, target, rows, poison, is_complete } = batch;
            let is_parent = index + 1 < batches.len();
            if !self.may_write(dataset)? {
                if !is_parent {
                    return Err(lock::rows_taken(&self.server, warehouse::entity_of(dataset)));
                }
                self.reasons.insert((dataset.table, target.feed), HELD.into());
                loaded.push(None);
                continue;
            }
            self.reasons.remove(&(dataset.table, target.feed));
            let reason = |table, feed| self.reasons.get(&(table, feed)).cloned();
            loaded.push(Some(match trust && *is_complete && target.loader.is_new(rows)? {
                true => target.loader.insert(rows)?,
                false => target.loader.load(rows, reason)?,
            }));
            self.extension.quarantine(&self.server.name, &target.plan, &rows.ids, poison)?;
            if !poison.is_empty() {
                self.report(dataset).status = Status::Partial;
            }
        }
        Ok(loaded)
    }

    /// Whether rows of a table may be written without waiting for somebody's transaction.
    pub(super) fn may_write(&self, dataset: &Dataset) -> Result<bool, Failure> {
        lock::may_write(&self.server, warehouse::entity_of(dataset), self.is_job)
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
            let own = extract::read(&self.session, &plan.model, ids_of, fields, Some(company))?;
            page.overlay(&own.wait()?);
        }
        Ok(page)
    }

    /// The rows of records that others refer to. What Odoo does not give stays missing.
    fn gather_parents(&mut self, absent: Absent, batches: &mut Vec<Batch>) -> Result<(), Failure> {
        let Absent { dataset, feed, ids } = absent;
        let wanted = self.not_yet_asked(dataset, feed, ids);
        let Some(target) = self.target(dataset, feed)? else {
            return Ok(());
        };
        for some in wanted.chunks(self.server.options.batch()) {
            match self.fetch(&target.plan, some) {
                Ok(Some(fetched)) => self.gather(dataset, &target, fetched, batches)?,
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
    pub(super) fn fetch(&self, plan: &Plan, ids: &[i64]) -> Result<Option<Fetched>, Failure> {
        let found = extract::visible_in(&self.session, &plan.model, ids, plan.domain())?;
        if found.is_empty() {
            return Ok(None);
        }
        let fields = plan.fields();
        let page = extract::read(&self.session, &plan.model, found.clone(), &fields, None)?;
        match page.outcome()? {
            Ok(page) => Ok(Some(Fetched { page, poison: Vec::new() })),
            Err(error) if error.is_about_fields() && self.catalogue.is_from_memory() => {
                Err(error.into())
            }
            Err(error) => {
                poison::recover(&self.session, &plan.model, found, &fields, error).map(Some)
            }
        }
    }

    /// The plan and the statements for a feed, made when it is first needed; `None` if it
    /// cannot be read.
    pub(super) fn target(
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
        self.extension.remember_columns(&self.server.name, &plan, || self.may_write(dataset))?;
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
    pub(super) fn deny(&mut self, dataset: &'static Dataset, feed: usize, failure: Failure) {
        self.targets.insert((dataset.table, feed), None);
        self.reasons.insert((dataset.table, feed), failure.message.clone());
        self.report(dataset).end(Status::Denied, &failure);
        let message = format!("{}: skipped, {}", dataset.table, failure.message);
        Failure { message, ..failure }.warn();
    }

    pub(super) fn report(&mut self, dataset: &Dataset) -> &mut TableReport {
        let known = self.reports.iter().position(|report| report.target == dataset.table);
        let index = known.unwrap_or_else(|| {
            self.reports.push(TableReport::new(dataset));
            self.reports.len() - 1
        });
        &mut self.reports[index]
    }
}

/// Whether Odoo said that the user may not read a model.
pub(super) fn is_denied(failure: &Failure) -> bool {
    failure.sqlstate == State::ERRCODE_INSUFFICIENT_PRIVILEGE
}

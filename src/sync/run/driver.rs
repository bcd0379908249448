//! One run: entities of one server into its schema.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use pgrx::PgSqlErrorCode as State;

use crate::failure::{Cause, Failure, notice, warning};
use crate::odoo::{BEFORE_ALL, FieldType, Identity, Traffic};
use crate::pg;
use crate::pg::writable::require_writable;
use crate::server::lock;
use crate::server::{Server, Session};
use crate::state::additions;
use crate::state::cache::Memory;
use crate::state::store::Extension;
use crate::sync::load::loader::{self, Loader};
use crate::sync::load::restore;
use crate::sync::mapping::catalogue::Catalogue;
use crate::sync::mapping::feed::Plan;
use crate::sync::mapping::lineage::lineage;
use crate::sync::mapping::refused::Refused;
use crate::sync::mirror::follow;
use crate::sync::run::journal::{self, Journal, Kind};
use crate::sync::run::report::{Status, TableReport};
use crate::sync::run::table_load::FeedLoad;
use crate::sync::tables::origin;
use crate::sync::tables::ready::{self, Ready, Widths};
use crate::sync::transform::related::Lookups;
use crate::sync::transform::zones::Zones;
use crate::warehouse::{self, Dataset, Entity, Warehouse};

/// A run in progress. It is one transaction's: an error undoes it whole.
pub struct Run {
    pub(in crate::sync) server: Rc<Server>,
    /// The tables that it fills.
    pub warehouse: Warehouse,
    pub(in crate::sync) session: Rc<Session>,
    /// Everything is read, whatever has changed.
    pub(in crate::sync) full_refresh: bool,
    /// Pages are committed one by one, and so remembered.
    pub(in crate::sync) is_job: bool,
    pub(in crate::sync) journal: Journal,
    /// What was asked of Odoo, and how long was waited, up to the last entry in a report. The
    /// login is no table's.
    seen: (Traffic, Duration),
    pub(in crate::sync) identity: Identity,
    pub(in crate::sync) extension: Extension,
    pub(in crate::sync) widths: Widths,
    /// Why mirrors cannot be loaded.
    broken: HashMap<&'static str, Failure>,
    pub(in crate::sync) catalogue: Catalogue,
    pub(in crate::sync) memory: Memory,
    pub(in crate::sync) lookups: Lookups,
    /// The feeds of all entities of the run, in their order.
    order: Vec<(&'static Dataset, usize)>,
    /// The next of them, begun while the last pages of the one before are loaded.
    pub(in crate::sync) ahead: Option<FeedLoad>,
    /// Records of models that changed since a time, as feeds found them.
    pub(in crate::sync) changed: HashMap<String, (String, Vec<i64>)>,
    targets: HashMap<(&'static str, usize), Option<Rc<Target>>>,
    /// Parents that were asked for in this run, and so need not be asked for again.
    pub(in crate::sync) asked: HashSet<(&'static str, usize, i64)>,
    /// Records whose rows wait for their parents: those of the pages that are being loaded.
    pub(in crate::sync) waiting: HashSet<(&'static str, usize, i64)>,
    /// Why records of a feed are not given, where that is known.
    pub(in crate::sync) reasons: HashMap<(&'static str, usize), String>,
    /// Values that were cut or cleaned: what to say of them, with `{}` for how many.
    pub(in crate::sync) blemishes: HashMap<String, usize>,
    pub(in crate::sync) zones: Zones,
    /// Tables in the order in which they were first touched.
    reports: Vec<TableReport>,
    /// What every entity fails for that has not come yet.
    pub(in crate::sync) end: Option<Failure>,
}

/// How a feed of a table is read and written in this run.
pub struct Target {
    pub feed: usize,
    pub plan: Plan,
    pub loader: Loader,
}

impl Run {
    /// Begins a run, of one entity or of several. That of one entity fails here if another
    /// session is at it, before it waits for anything.
    pub fn begin(
        server: Server,
        entity: Option<&str>,
        kind: Kind,
        full_refresh: bool,
    ) -> Result<Run, Failure> {
        require_writable()?;
        let extension = Extension::find()?;
        if let Some(entity) = entity {
            entity_named(&additions::warehouse_of(&server.name)?, entity)?;
        }
        let session = Rc::new(server.session()?);
        // Before anything is written, so that a wrong password does not look like a failed
        // entity.
        let identity = session.call(|odoo| odoo.identity())?;
        session.tell_of_fall_back(&server.name);
        entity.map_or(Ok(()), |entity| lock::take(&server, entity))?;
        origin::check(&extension, &server, &session)?;
        let memory = Memory::of(&extension, &server.name)?;
        let is_fresh = full_refresh || kind == Kind::Reconcile;
        let mut catalogue = Catalogue::remembering(session.clone(), memory.clone(), is_fresh);
        let warehouse = follow::refresh(&extension, &server, entity, &mut catalogue)?;
        let Ready { widths, broken } = ready::make_ready(&warehouse, &extension, &server)?;
        Ok(Run {
            warehouse,
            catalogue,
            memory,
            lookups: Lookups::new(session.clone(), server.options.batch()),
            order: Vec::new(),
            ahead: None,
            changed: HashMap::new(),
            zones: Zones::new(&server.options.timezone),
            server: Rc::new(server),
            seen: (session.traffic(), session.waited()),
            session,
            full_refresh,
            is_job: false,
            journal: Journal::begin(&extension, kind)?,
            identity,
            extension,
            widths,
            broken,
            targets: HashMap::new(),
            asked: HashSet::new(),
            waiting: HashSet::new(),
            reasons: HashMap::new(),
            blemishes: HashMap::new(),
            reports: Vec::new(),
            end: None,
        })
    }

    /// Keeps other runs from an entity, and from its rows, until the transaction ends.
    pub(in crate::sync) fn lock(&self, entity: &Entity) -> Result<(), Failure> {
        lock::take(&self.server, entity.name)?;
        lock::take_rows(&self.server, entity.name)
    }

    /// Tells which entities will be loaded, in that order.
    pub fn plan_ahead(&mut self, entities: impl IntoIterator<Item = &'static Entity>) {
        self.order = entities.into_iter().flat_map(Entity::feeds).collect();
    }

    /// The feed that follows another one.
    pub(in crate::sync) fn after(
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
        self.attempt(entity, Run::load_entity)
    }

    /// Does something with an entity, and again where its failure taught what to do without.
    pub(in crate::sync) fn attempt(
        &mut self,
        entity: &'static Entity,
        work: impl Fn(&mut Run, &'static Entity) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.lock(entity)?;
        loop {
            // Its columns may be others since the last failure.
            let entity = self.warehouse.entity(entity.name).unwrap_or(entity);
            match pg::subtransaction(|| work(self, entity)) {
                Err(failure) => self.renew(entity, failure)?,
                Ok(()) => return Ok(()),
            }
        }
    }

    /// Makes ready for another try with an entity: with fields that Odoo was asked for again, as
    /// those that are remembered may be gone or another's by now; or without what Odoo refuses.
    ///
    /// # Errors
    /// The failure, if it taught nothing new.
    pub(in crate::sync) fn renew(
        &mut self,
        entity: &Entity,
        failure: Failure,
    ) -> Result<(), Failure> {
        let is_about_fields = failure.is_denied()
            || matches!(
                failure.sqlstate,
                State::ERRCODE_FDW_COLUMN_NAME_NOT_FOUND | State::ERRCODE_FDW_TABLE_NOT_FOUND
            );
        let has_learned = match &failure.cause {
            _ if is_about_fields && self.catalogue.is_from_memory() => {
                self.catalogue.renew();
                true
            }
            Cause::Fields(unreadable) => {
                let fields = unreadable.fields.iter().cloned().collect();
                self.catalogue.leave_out(&unreadable.model, Refused::of_fields(fields))?
            }
            Cause::Request | Cause::Denied => self.leave_out_relations(entity)?,
            _ => false,
        };
        if !has_learned {
            return Err(failure);
        }
        let known = follow::losses(&self.extension, &self.server, &mut self.catalogue)?;
        let current = |dataset: &'static Dataset| known.dataset(dataset.table).unwrap_or(dataset);
        self.order.iter_mut().for_each(|(dataset, _)| *dataset = current(dataset));
        self.warehouse = known;
        if !self.is_job {
            self.reports.retain(|report| report.entity != entity.name);
        }
        self.start_over();
        Ok(())
    }

    /// Leaves out the relations that Odoo refuses to search an entity's records by, if it can
    /// search them at all.
    fn leave_out_relations(&mut self, entity: &Entity) -> Result<bool, Failure> {
        let mut has_learned = false;
        for (dataset, feed) in entity.feeds() {
            let Some(Some(target)) = self.targets.get(&(dataset.table, feed)).cloned() else {
                continue;
            };
            let model = &target.plan.model;
            let mut relations = BTreeMap::new();
            for relation in &target.plan.also {
                if let Err(error) = self.catalogue.can_search(model, relation)? {
                    relations.insert((*relation).to_owned(), error.to_string());
                }
            }
            if !relations.is_empty() && self.shows_some(&target.plan).is_ok() {
                has_learned |= self.catalogue.leave_out(model, Refused::of_relations(relations))?;
            }
        }
        Ok(has_learned)
    }

    /// Whether the user may search and read the records of a plan.
    fn shows_some(&self, plan: &Plan) -> Result<(), Failure> {
        let (model, domain) = (plan.model.clone(), plan.domain());
        self.session.call(move |odoo| {
            let ids = odoo.model(&model).search_after(domain, BEFORE_ALL, 1)?;
            odoo.model(&model).read(ids, &[("id", FieldType::Integer)]).map(drop)
        })
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
        entity.datasets.iter().try_for_each(|dataset| loader::refresh(dataset, schema))?;
        self.heal()
    }

    /// Restores references whose records have come.
    pub(in crate::sync) fn heal(&self) -> Result<(), Failure> {
        restore::heal(&self.server.options.schema, |dataset| self.may_write(dataset))
    }

    /// Whether a mirror was dropped since the run began.
    pub(in crate::sync) fn is_dropped(&self, entity: &Entity) -> Result<bool, Failure> {
        let is_mirror = self.warehouse.mirrors().any(|mirror| mirror.table == entity.name);
        let (extension, server) = (&self.extension, &self.server.name);
        Ok(is_mirror && !additions::is_declared(extension, server, entity.name)?)
    }

    /// Loads an entity; its error undoes this entity alone and is in the report.
    pub fn try_sync(&mut self, entity: &'static Entity) {
        self.try_attempt(entity, Run::load_entity);
    }

    pub(in crate::sync) fn try_attempt(
        &mut self,
        entity: &'static Entity,
        work: impl Fn(&mut Run, &'static Entity) -> Result<(), Failure>,
    ) {
        let before = self.reports.clone();
        let done = match self.end.clone() {
            Some(failure) => Err(failure),
            // The lock outlives the undoing: how the entity ended is to be remembered too.
            None => self.lock(entity).and_then(|()| match self.is_dropped(entity)? {
                true => Ok(()),
                false => pg::subtransaction(|| self.attempt(entity, work)),
            }),
        };
        if let Err(failure) = done {
            self.undo(before);
            self.fail(entity, &failure);
        }
    }

    /// What the tables' reports are after an error undid what was done since.
    pub(in crate::sync) fn undo(&mut self, before: Vec<TableReport>) {
        let undone = std::mem::replace(&mut self.reports, before);
        for report in &mut self.reports {
            if let Some(after) = undone.iter().find(|after| after.target == report.target) {
                *report = after.undone(report);
            }
        }
    }

    pub(in crate::sync) fn reports(&self) -> Vec<TableReport> {
        self.reports.clone()
    }

    /// Notes that an entity failed, or is another session's, after what it did last was undone.
    pub fn fail(&mut self, entity: &'static Entity, failure: &Failure) -> Status {
        let status = match failure.cause {
            Cause::Taken => Status::Skipped,
            _ => Status::Failed,
        };
        if failure.cause.ends_a_run() {
            self.end = Some(failure.clone());
        }
        self.start_over();
        if status == Status::Skipped {
            notice!("{}: skipped, {}", entity.name, failure.message);
        }
        entity.datasets.iter().for_each(|dataset| self.report(dataset).end(status, failure));
        status
    }

    /// Shows to others that a table's turn has come, or what was done with it up to here.
    /// Returns whether that is new.
    pub(in crate::sync) fn show(&mut self, dataset: &Dataset) -> Result<bool, Failure> {
        let report = self.report(dataset).clone();
        self.journal.show(&self.extension, &self.server.name, &report)
    }

    /// Remembers what the run did with some entities, and tells what it did, a line per table.
    pub fn finish(mut self, entities: &[&Entity]) -> Result<Vec<TableReport>, Failure> {
        journal::close_interrupted(&self.extension, &self.server.name)?;
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
    pub(in crate::sync) fn timed<T>(
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
        let missing = restore::count_missing(&self.server.options.schema)?;
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

    /// The plan and the statements for a feed, made when it is first needed; `None` if it
    /// cannot be read.
    pub(in crate::sync) fn target(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<Rc<Target>>, Failure> {
        self.report(dataset);
        if let Some(failure) = self.broken.get(dataset.table) {
            return Err(failure.clone());
        }
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
        // Of a table that is known the run of its own entity tells what has changed.
        let (extension, key) = (&self.extension, plan.key(&self.server.name));
        if !extension.knows_columns(key)? {
            extension.remember_columns(key, &lineage(&plan), || self.may_write(dataset))?;
        }
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
    ///
    /// # Errors
    /// What is the matter instead: the server's options, or no more than a part of the model.
    pub(in crate::sync) fn deny(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
        failure: Failure,
    ) -> Result<(), Failure> {
        self.session.call(|odoo| odoo.check_options())?;
        if let Some(target) = self.target(dataset, feed)? {
            match self.shows_some(&target.plan) {
                Err(denied) if denied.is_denied() => {}
                _ => return Err(failure),
            }
        }
        self.targets.insert((dataset.table, feed), None);
        self.reasons.insert((dataset.table, feed), failure.message.clone());
        self.report(dataset).end(Status::Denied, &failure);
        let message = format!("{}: skipped, {}", dataset.table, failure.message);
        Failure { message, ..failure }.warn();
        Ok(())
    }

    pub(in crate::sync) fn report(&mut self, dataset: &Dataset) -> &mut TableReport {
        let known = self.reports.iter().position(|report| report.target == dataset.table);
        let index = known.unwrap_or_else(|| {
            self.reports.push(TableReport::new(dataset));
            self.reports.len() - 1
        });
        &mut self.reports[index]
    }
}

/// What stands for every entity, and so is no name of one.
pub const ALL: &str = "all";

/// The entities that a name stands for.
pub fn entities_named(warehouse: &Warehouse, name: &str) -> Result<Vec<&'static Entity>, Failure> {
    match name {
        ALL => Ok(warehouse.entities().to_vec()),
        name => Ok(vec![entity_named(warehouse, name)?]),
    }
}

/// The entity of that name.
pub fn entity_named(warehouse: &Warehouse, name: &str) -> Result<&'static Entity, Failure> {
    warehouse.entity(name).ok_or_else(|| {
        let names: Vec<_> = warehouse.entities().iter().map(|entity| entity.name).collect();
        Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, format!("unknown entity \"{name}\""))
            .hint(format!(
                "Entities: {}. All of them: SELECT * FROM odoo_sync_all();",
                names.join(", ")
            ))
    })
}

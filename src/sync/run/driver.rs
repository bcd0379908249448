//! One run: entities of one server into its schema.

use std::collections::HashSet;
use std::rc::Rc;

use pgrx::PgSqlErrorCode as State;

use crate::failure::{Cause, Failure, notice};
use crate::pg;
use crate::query::require_writable;
use crate::server::Server;
use crate::server::lock;
use crate::state::{Store, warehouse_of};
use crate::sync::feed::table_load::TableLoad;
use crate::sync::load::own::{calendar, history};
use crate::sync::load::{loader, restore};
use crate::sync::mapping::catalogue::Catalogue;
use crate::sync::mapping::refused::Refused;
use crate::sync::mirror::follow;
use crate::sync::mirror::optional::off;
use crate::sync::run::journal::{self, Journal, Kind};
use crate::sync::run::queue::Queue;
use crate::sync::tables::origin;
use crate::sync::tables::ready::{self, Ready};
use crate::sync::work::context::Context;
use crate::sync::work::day_names;
use crate::sync::work::fetching::Fetching;
use crate::sync::work::parts::Work;
use crate::sync::work::report::Reports;
use crate::sync::work::report::{Status, TableReport};
use crate::sync::work::targets::Targets;
use crate::warehouse::{ALL, Dataset, Entity, OPTIONAL, Warehouse};

/// How a run is begun.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The only one, or none for several. That of one entity fails at the beginning if another
    /// session is at it, before it waits for anything.
    pub entity: Option<&'a str>,
    pub kind: Kind,
    pub full_refresh: bool,
    /// It commits page by page.
    pub is_job: bool,
    /// The number of the whole run to which it adds what is new, for a job that follows: who the
    /// user is, and what the server leads to, has just been asked.
    pub adds_to: Option<i64>,
}

/// A run in progress. It is one transaction's, but for a job's: an error undoes it whole.
pub struct Run {
    work: Work,
    journal: Journal,
    queue: Queue,
    /// What every entity fails for that has not come yet.
    end: Option<Failure>,
    /// Tables that are loaded for the first time, and so still lack keys.
    pub(super) first_loads: HashSet<String>,
}

impl Run {
    pub fn begin(server: Server, order: Order<'_>) -> Result<Run, Failure> {
        require_writable()?;
        let Order { entity, kind, full_refresh, is_job, adds_to } = order;
        let store = Store::find()?;
        if let Some(entity) = entity {
            entity_named(&warehouse_of(&server.name)?, entity)?;
        }
        let session = Rc::new(server.session()?);
        // Before anything is written, so that a wrong password does not look like a failed
        // entity.
        let cache = store.cache(&server.name)?;
        let is_fresh = full_refresh || kind == Kind::Reconcile;
        let mut catalogue = Catalogue::remembering(session.clone(), cache.clone(), is_fresh);
        let (identity, warehouse) = match adds_to {
            Some(_) => (session.call(|odoo| odoo.identity())?, warehouse_of(&server.name)?),
            None => {
                let identity = session.call(|odoo| odoo.identity_now())?;
                server.keep_user(&session, &identity, &cache)?;
                session.tell_of_fall_back(&server.name);
                entity.map_or(Ok(()), |entity| lock::take(&server, entity))?;
                origin::check(&store, &server, &session)?;
                (identity, follow::refresh(&store, &server, entity, &mut catalogue)?)
            }
        };
        let Ready { widths, broken, first_loads, let_go } =
            ready::make_ready(&warehouse, &store, &server)?;
        let journal = match adds_to {
            Some(run) => Journal::adding(run, kind),
            None => Journal::begin(&store, kind)?,
        };
        let work = Work {
            targets: Targets::new(warehouse, catalogue, broken, let_go),
            fetching: Fetching::new(&server, &session),
            reports: Reports::new(&session),
            context: Context {
                server,
                session,
                identity,
                store,
                cache,
                widths,
                full_refresh,
                is_job,
                only_news: adds_to.is_some(),
            },
        };
        Ok(Run { work, journal, queue: Queue::default(), end: None, first_loads })
    }

    /// The tables that the server fills.
    pub fn warehouse(&self) -> &Warehouse {
        self.work.targets.warehouse()
    }

    pub fn context(&self) -> &Context {
        &self.work.context
    }

    pub fn work(&mut self) -> &mut Work {
        &mut self.work
    }

    pub fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// What every entity fails for that has not come yet.
    pub fn end(&self) -> Option<&Failure> {
        self.end.as_ref()
    }

    /// Has every entity fail that has not come yet.
    pub fn end_by(&mut self, failure: Failure) {
        self.end = Some(failure);
    }

    /// Tells which entities will be loaded, in that order.
    pub fn plan_ahead(&mut self, entities: impl IntoIterator<Item = &'static Entity>) {
        self.queue = Queue::of(entities.into_iter().flat_map(Entity::feeds));
    }

    /// Begins to load a feed, or goes on with what was begun ahead; `None` if it cannot be read.
    pub fn open(
        &mut self,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<TableLoad>, Failure> {
        self.queue.open(&mut self.work, dataset, feed)
    }

    /// Loads the next page; `false` after the last one.
    pub fn step(&mut self, load: &mut TableLoad) -> Result<bool, Failure> {
        self.queue.step(&mut self.work, load)
    }

    /// Does something with an entity, and again where its failure taught what to do without; its
    /// error undoes what this transaction did.
    pub fn attempt(
        &mut self,
        entity: &'static Entity,
        work: impl Fn(&mut Run, &'static Entity) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.work.context.lock(entity)?;
        entity.datasets.iter().try_for_each(|dataset| self.open_first_load(dataset))?;
        loop {
            // Its columns may be others since the last failure.
            let entity = self.warehouse().entity(entity.name).unwrap_or(entity);
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
    pub fn renew(&mut self, entity: &Entity, failure: Failure) -> Result<(), Failure> {
        if !self.learn(entity, &failure)? {
            return Err(failure);
        }
        let Work { context, targets, reports, .. } = &mut self.work;
        targets.follow_losses(context)?;
        self.queue.renew(targets.warehouse());
        if !context.is_job {
            reports.forget(entity);
        }
        self.start_over();
        Ok(())
    }

    /// Whether a failure teaches something new.
    fn learn(&mut self, entity: &Entity, failure: &Failure) -> Result<bool, Failure> {
        let Work { context, targets, .. } = &mut self.work;
        let is_about_fields = failure.is_denied()
            || matches!(
                failure.sqlstate,
                State::ERRCODE_FDW_COLUMN_NAME_NOT_FOUND | State::ERRCODE_FDW_TABLE_NOT_FOUND
            );
        match &failure.cause {
            _ if is_about_fields && targets.is_from_memory() => {
                targets.catalogue().renew();
                Ok(true)
            }
            Cause::Fields(unreadable) => {
                let fields = unreadable.fields.iter().cloned().collect();
                targets.catalogue().leave_out(&unreadable.model, Refused::of_fields(fields))
            }
            Cause::Request | Cause::Denied => targets.leave_out_relations(context, entity),
            _ => Ok(false),
        }
    }

    /// Forgets what was undone with the last error.
    fn start_over(&mut self) {
        self.queue.drop_ahead();
        self.work.start_over();
    }

    pub fn load_entity(&mut self, entity: &'static Entity) -> Result<(), Failure> {
        for (dataset, feed) in entity.feeds() {
            if let Some(mut load) = self.open(dataset, feed)? {
                while self.step(&mut load)? {}
            }
        }
        self.settle(entity)
    }

    /// After the pages of an entity: what depends on today's date, and on what came later.
    pub fn settle(&self, entity: &'static Entity) -> Result<(), Failure> {
        let context = self.context();
        for dataset in entity.datasets {
            loader::refresh(dataset, context.schema())?;
            if context.clock_of_history(dataset)?.is_some() {
                history::follow(context.schema(), dataset)?;
            }
        }
        self.keep_days(entity)?;
        self.restore()
    }

    /// Adds the days of new business dates to the warehouse's.
    pub fn keep_days(&self, entity: &'static Entity) -> Result<(), Failure> {
        if !entity.datasets.iter().any(calendar::has_days) {
            return Ok(());
        }
        let dated = self.warehouse().datasets().filter(|dataset| calendar::has_days(dataset));
        day_names::keep_days(self.context(), &dated.collect::<Vec<_>>())
    }

    /// Restores references whose records have come.
    pub fn restore(&self) -> Result<(), Failure> {
        let context = self.context();
        restore::restore_all(context.schema(), |dataset| context.may_write(dataset))
    }

    /// Whether a mirror was dropped since the run began.
    pub fn is_dropped(&self, entity: &Entity) -> Result<bool, Failure> {
        let is_mirror = self.warehouse().mirrors().any(|mirror| mirror.table == entity.name);
        let Context { store, server, .. } = self.context();
        Ok(is_mirror && !store.has_mirror(&server.name, entity.name)?)
    }

    /// The same; its error undoes this entity alone and is in the report.
    pub fn try_attempt(
        &mut self,
        entity: &'static Entity,
        work: impl Fn(&mut Run, &'static Entity) -> Result<(), Failure>,
    ) {
        let before = self.reports();
        let done = match self.end.clone() {
            Some(failure) => Err(failure),
            // The lock outlives the undoing: how the entity ended is to be remembered too.
            None => self.context().lock(entity).and_then(|()| match self.is_dropped(entity)? {
                true => Ok(()),
                false => pg::subtransaction(|| self.attempt(entity, work)),
            }),
        };
        if let Err(failure) = done {
            self.undo(before);
            self.fail(entity, &failure);
        }
    }

    pub fn reports(&self) -> Vec<TableReport> {
        self.work.reports.all().to_vec()
    }

    /// What the tables' reports are after an error undid what was done since.
    pub fn undo(&mut self, before: Vec<TableReport>) {
        self.work.reports.undo(before);
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
        let reports = &mut self.work.reports;
        entity.datasets.iter().for_each(|dataset| reports.of(dataset).end(status, failure));
        status
    }

    /// Shows to others that a table's turn has come, or what was done with it up to here.
    /// Returns whether that is new.
    pub fn show(&mut self, dataset: &Dataset) -> Result<bool, Failure> {
        let Work { context, reports, .. } = &mut self.work;
        self.journal.show(&context.store, &context.server.name, reports.of(dataset))
    }

    /// Remembers what the run did with some entities, and tells what it did, a line per table.
    pub fn finish(mut self, entities: &[&Entity]) -> Result<Vec<TableReport>, Failure> {
        let Context { store, server, .. } = self.context();
        journal::close_interrupted(store, &server.name)?;
        let mut lacking = self.lacking_of_others(entities)?;
        while self.make_next_of_others(&mut lacking)? {}
        entities.iter().try_for_each(|entity| self.remember(entity))?;
        let Work { context, mut reports, .. } = self.work;
        reports.complete(&context)?;
        Ok(reports.into_all())
    }

    /// Remembers what the run did with one entity.
    pub fn remember(&mut self, entity: &Entity) -> Result<(), Failure> {
        let Work { context, reports, .. } = &mut self.work;
        reports.complete(context)?;
        let own = reports.of_entity(entity);
        self.journal.write(&context.store, &context.server.name, &own)
    }
}

/// The entities that a name stands for.
pub fn entities_named(warehouse: &Warehouse, name: &str) -> Result<Vec<&'static Entity>, Failure> {
    match name {
        ALL => Ok(warehouse.entities().to_vec()),
        name => Ok(vec![entity_named(warehouse, name)?]),
    }
}

/// The entity of that name.
pub fn entity_named(warehouse: &Warehouse, name: &str) -> Result<&'static Entity, Failure> {
    if warehouse.entity(name).is_none() && OPTIONAL.iter().any(|entity| entity.name == name) {
        return Err(off(name));
    }
    warehouse.entity(name).ok_or_else(|| {
        let names: Vec<_> = warehouse.entities().iter().map(|entity| entity.name).collect();
        Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, format!("unknown entity \"{name}\""))
            .hint(format!(
                "Entities: {}. All of them: SELECT * FROM odoo_sync_all();",
                names.join(", ")
            ))
    })
}

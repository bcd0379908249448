//! A run that commits page by page: a step at a time, between which the caller commits.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::failure::{Cause, Failure, notice};
use crate::pg;
use crate::query::require_writable;
use crate::server::Server;
use crate::server::lock;
use crate::settings;
use crate::state::{Store, warehouse_of};
use crate::sync::feed::table_load::TableLoad;
use crate::sync::load::own::deleted;
use crate::sync::run::driver::{Order, Run, entities_named};
use crate::sync::run::first_loads::Lacking;
use crate::sync::run::journal::{self, Kind};
use crate::sync::schedule::schedules::{self, Hold};
use crate::sync::work::context::Context;
use crate::sync::work::parts::Work;
use crate::sync::work::report::{Status, TableReport};
use crate::warehouse::{Dataset, Entity};

/// What a job is asked to do.
#[derive(Debug, Clone, Copy)]
pub struct JobOptions<'a> {
    /// An entity's name, or `all`.
    pub entity: &'a str,
    pub full_refresh: bool,
    pub reconcile: bool,
    /// A scheduler started it: entities that failed may have to wait.
    pub scheduled: bool,
}

/// A job in progress. Its session and the pages on their way live across the commits.
pub struct Job {
    /// `None` if the run could not begin.
    run: Option<Run>,
    reconcile: bool,
    entities: VecDeque<&'static Entity>,
    /// The feeds of the current entity that are still to be loaded.
    feeds: VecDeque<(&'static Dataset, usize)>,
    current: Option<TableLoad>,
    /// What the current entity's tables lack, once they are loaded.
    lacking: Option<Lacking>,
    /// All entities, and what other tables lack, once these are loaded.
    all: Vec<&'static Entity>,
    others: Option<Lacking>,
    /// The entities that failed, and why.
    failures: Vec<(&'static str, Failure)>,
    /// Those, and the ones that another session was at.
    unloaded: BTreeSet<&'static str>,
    /// Why the run could not begin.
    obstacle: Option<Failure>,
    is_scheduled: bool,
}

/// How a job goes about its entities.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    pub kind: Kind,
    pub full_refresh: bool,
    /// Entities that fail will wait, for so long that it does not come too often, and a refused login
    /// holds back what a scheduler starts.
    pub is_scheduled: bool,
    pub interval: Option<Duration>,
    /// A login was refused, and has not succeeded since.
    pub is_refused: bool,
    /// The whole run to which it adds what is new.
    pub adds_to: Option<i64>,
}

impl Job {
    /// Begins. If Odoo cannot be reached or refuses the login, that is remembered as the failure
    /// of every entity; an error here is one of the call itself.
    pub fn begin(server: Server, options: JobOptions) -> Result<Job, Failure> {
        require_writable()?;
        let store = Store::find()?;
        let known = warehouse_of(&server.name)?;
        let mut entities = entities_named(&known, options.entity)?;
        let mut hold = Hold::default();
        if options.scheduled {
            hold = schedules::find_hold(&store, &server.name)?;
            if let Some(until) = &hold.until {
                notice!("skipped, Odoo refused the login, which is tried again after {until}");
                entities.clear();
            }
            let waiting = store.waiting(&server.name)?;
            entities.retain(|entity| match waiting.get(entity.name) {
                Some(until) => {
                    notice!("{}: skipped, it failed and waits until {until}", entity.name);
                    false
                }
                None => true,
            });
        }
        // A reconcile, which runs once a night, has none: other jobs shall not wait for it.
        let interval = match options.scheduled && !options.reconcile {
            true => schedules::interval(&store, &server.name, options.entity)?,
            false => None,
        };
        let manner = Manner {
            kind: if options.reconcile { Kind::Reconcile } else { Kind::Job },
            full_refresh: options.full_refresh,
            is_scheduled: options.scheduled,
            interval,
            is_refused: hold.is_refused,
            adds_to: None,
        };
        Job::start(&store, server, entities, manner)
    }

    /// The same for some entities.
    pub fn start(
        store: &Store,
        server: Server,
        mut entities: Vec<&'static Entity>,
        manner: Manner,
    ) -> Result<Job, Failure> {
        if entities.is_empty() {
            return Ok(Job::idle(manner));
        }
        let Manner { kind, full_refresh, interval, adds_to, .. } = manner;
        let name = server.name.clone();
        let order = Order { entity: None, kind, full_refresh, is_job: true, adds_to };
        let begun = pg::subtransaction(|| {
            let run = Run::begin(server, order)?;
            // Their fields may be others by now.
            let current = entities.iter().filter_map(|one| run.warehouse().entity(one.name));
            entities = current.collect();
            Ok(run)
        });
        journal::close_interrupted(store, &name)?;
        let mut run = match begun {
            Ok(run) => run,
            Err(failure) => return Job::obstructed(store, &name, &entities, manner, failure),
        };
        if kind != Kind::Reconcile {
            run.plan_ahead(entities.iter().copied());
        }
        run.journal().set_interval(interval);
        if adds_to.is_none() {
            run.journal().begin_showing(store)?;
        }
        let mut job = Job { run: Some(run), ..Job::idle(manner) };
        job.entities = entities.iter().copied().collect();
        job.all = entities;
        job.open_entity();
        Ok(job)
    }

    /// One whose run could not begin, which every entity remembers as its failure.
    pub fn obstructed(
        store: &Store,
        server: &str,
        entities: &[&Entity],
        manner: Manner,
        failure: Failure,
    ) -> Result<Job, Failure> {
        let mut journal = journal::Journal::begin(store, manner.kind)?;
        journal.set_interval(manner.interval);
        for entity in entities {
            let mut reports: Vec<_> = entity.datasets.iter().map(TableReport::new).collect();
            reports.iter_mut().for_each(|report| report.end(Status::Failed, &failure));
            journal.write(store, server, &reports.iter().collect::<Vec<_>>())?;
        }
        let failure = match failure.cause {
            Cause::Login if manner.is_refused => schedules::why_refused(server).unwrap_or(failure),
            _ => failure,
        };
        if manner.is_scheduled {
            hold_back(store, server, &failure)?;
        }
        Ok(Job { obstacle: Some(failure), ..Job::idle(manner) })
    }

    /// One with nothing to do.
    fn idle(manner: Manner) -> Job {
        Job {
            run: None,
            reconcile: manner.kind == Kind::Reconcile,
            entities: VecDeque::new(),
            feeds: VecDeque::new(),
            current: None,
            lacking: None,
            all: Vec::new(),
            others: None,
            failures: Vec::new(),
            unloaded: BTreeSet::new(),
            obstacle: None,
            is_scheduled: manner.is_scheduled,
        }
    }

    /// The number of its run, if that could begin.
    pub fn run(&mut self) -> Option<i64> {
        self.run.as_mut().map(|run| run.journal().run())
    }

    /// The parts of its run.
    pub fn work(&mut self) -> Option<&mut Work> {
        self.run.as_mut().map(Run::work)
    }

    /// Looks at Odoo before anything is read, once the transaction has ended in which its tables were
    /// made: nobody waits for their locks meanwhile. What fails is every entity's failure.
    pub fn look<T>(
        &mut self,
        look: impl FnOnce(&mut Work, &[&'static Entity]) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let Some(run) = self.run.as_mut() else {
            return Ok(None);
        };
        let before = run.reports();
        let failure = match pg::subtransaction(|| look(run.work(), &self.all)) {
            Ok(seen) => return Ok(Some(seen)),
            Err(failure) => failure,
        };
        run.undo(before);
        if self.is_scheduled {
            let Context { store, server, .. } = run.context();
            hold_back(store, &server.name, &failure)?;
        }
        run.end_by(failure);
        Ok(None)
    }

    /// The entities that failed, or that another session was at.
    pub fn unloaded(&self) -> &BTreeSet<&'static str> {
        &self.unloaded
    }

    /// Whether Odoo refused the login.
    pub fn is_refused(&self) -> bool {
        let all = self.failures.iter().map(|(_, failure)| failure).chain(&self.obstacle);
        all.into_iter().any(is_refused)
    }

    /// Loads a page, or ends an entity. `false` when all is done. An error is the entity's: it
    /// undoes the step, is remembered, and the next entity follows.
    pub fn step(&mut self) -> Result<bool, Failure> {
        let Some(run) = self.run.as_mut() else {
            return Ok(false);
        };
        let Some(entity) = self.entities.front().copied() else {
            if self.others.is_none() {
                self.others = Some(run.lacking_of_others(&self.all)?);
            }
            return self
                .others
                .as_mut()
                .map_or(Ok(false), |others| run.make_next_of_others(others));
        };
        if run.is_dropped(entity)? {
            self.entities.pop_front();
            self.open_entity();
            return Ok(true);
        }
        let step = Step {
            reconcile: self.reconcile,
            feeds: &mut self.feeds,
            current: &mut self.current,
            lacking: &mut self.lacking,
        };
        let before = run.reports();
        let done = match run.end().cloned() {
            Some(failure) => Err(failure),
            None => pg::subtransaction(|| step.go(run, entity)),
        };
        match done {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(failure) => {
                run.undo(before);
                let Err(failure) = run.renew(entity, failure) else {
                    self.open_entity();
                    return Ok(true);
                };
                let is_first = run.end().is_none();
                self.unloaded.insert(entity.name);
                if run.fail(entity, &failure) == Status::Failed {
                    if is_first && self.is_scheduled {
                        let Context { store, server, .. } = run.context();
                        hold_back(store, &server.name, &failure)?;
                    }
                    self.failures.push((entity.name, failure));
                }
            }
        }
        run.remember(entity)?;
        self.entities.pop_front();
        self.open_entity();
        Ok(true)
    }

    /// Ends the job.
    pub fn end(self) -> Result<(), Failure> {
        if let Some(failure) = self.obstacle {
            return Err(failure);
        }
        let Some((_, first)) = self.failures.first() else {
            return self.prune();
        };
        let names: Vec<_> = self.failures.iter().map(|(entity, _)| *entity).collect();
        let reasons =
            self.failures.iter().map(|(entity, why)| format!("{entity}: {}", why.message));
        Err(Failure::new(first.sqlstate, format!("could not sync {}", names.join(", ")))
            .detail(reasons.collect::<Vec<_>>().join("\n"))
            .hint("What was loaded before is committed. SELECT * FROM odoo_check() looks for the cause."))
    }

    /// Deletes what is kept for a while, and is older.
    fn prune(&self) -> Result<(), Failure> {
        journal::prune(&Store::find()?)?;
        match &self.run {
            Some(run) => deleted::prune(run.context().schema(), settings::deleted_retention()),
            None => Ok(()),
        }
    }

    fn open_entity(&mut self) {
        self.current = None;
        self.lacking = None;
        if let (Some(run), Some(entity)) = (&self.run, self.entities.front_mut()) {
            // Its columns may be others since a failure.
            *entity = run.warehouse().entity(entity.name).unwrap_or(entity);
        }
        let feeds = self.entities.front().map(|entity| entity.feeds());
        self.feeds = feeds.into_iter().flatten().collect();
    }
}

/// One transaction's share of an entity.
struct Step<'a> {
    reconcile: bool,
    feeds: &'a mut VecDeque<(&'static Dataset, usize)>,
    current: &'a mut Option<TableLoad>,
    lacking: &'a mut Option<Lacking>,
}

impl Step<'_> {
    /// `false` when the entity is loaded.
    fn go(self, run: &mut Run, entity: &'static Entity) -> Result<bool, Failure> {
        // The lock ended with the last transaction.
        lock::take(&run.context().server, entity.name)?;
        if self.current.is_none() {
            if let Some((dataset, _)) = self.feeds.front()
                && !run.journal().shows(dataset.table)
            {
                // Others see it before anything is waited for.
                run.open_first_load(dataset)?;
                return run.show(dataset);
            }
            match self.feeds.pop_front() {
                Some((dataset, feed)) if self.reconcile => {
                    run.work().reconcile(dataset, feed)?;
                    run.show(dataset)?;
                    return Ok(true);
                }
                Some((dataset, feed)) => *self.current = run.open(dataset, feed)?,
                None => return self.complete(run, entity),
            }
        }
        if let Some(load) = self.current {
            let is_over = !run.step(load)?;
            run.show(load.dataset())?;
            if is_over {
                if load.is_resumed() {
                    // What had been read before may have changed since the scan began.
                    self.feeds.push_front((load.dataset(), load.feed()));
                }
                *self.current = None;
            }
        }
        Ok(true)
    }

    /// What follows the pages: the keys of a first load, one by one.
    fn complete(self, run: &mut Run, entity: &'static Entity) -> Result<bool, Failure> {
        if self.lacking.is_none() {
            run.settle(entity)?;
            let lacking = self.lacking.insert(run.lacking(entity)?);
            return Ok(!lacking.is_empty());
        }
        self.lacking.as_mut().map_or(Ok(false), |lacking| run.make_next(lacking))
    }
}

fn is_refused(failure: &Failure) -> bool {
    matches!(failure.cause, Cause::Login | Cause::CoolDown)
}

/// Keeps scheduled jobs from a login that Odoo refuses, which may lock the user out.
fn hold_back(store: &Store, server: &str, failure: &Failure) -> Result<(), Failure> {
    if is_refused(failure) && schedules::hold_back(store, server, failure)? {
        journal::alert("stopped", server, None, Some(&failure.message))?;
    }
    Ok(())
}

//! A job that stays: it looks again and again whether something has changed, and loads that.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::failure::{Cause, Failure, notice};
use crate::pg::SessionLock;
use crate::query::require_writable;
use crate::server::{Access, Server, ServerOptions, lock};
use crate::state::Store;
use crate::sync::run::driver::entities_named;
use crate::sync::run::job::{Job, Manner};
use crate::sync::run::journal::Kind;
use crate::sync::run::watch::{Look, News, Watch};
use crate::sync::schedule::schedules;
use crate::sync::work::fetching::Related;
use crate::warehouse::{ALL, Additions, Entity, Warehouse};

/// How long a signal may go unnoticed.
const PAUSE: Duration = Duration::from_millis(200);

/// How soon after a signal another poll comes: Odoo may have sent it before it committed.
const AGAIN: Duration = Duration::from_secs(1);

/// How often a whole run comes between the looks.
const WHOLE: Duration = Duration::from_secs(60);

/// How often the state of tables that did not change says so: a row that is written costs more than a
/// look.
const NOTED: Duration = Duration::from_secs(10);

/// What a job that follows is asked to do.
#[derive(Debug, Clone, Copy)]
pub struct FollowOptions<'a> {
    /// An entity's name, or `all`.
    pub entity: &'a str,
    /// From the beginning of a poll to that of the next one.
    pub every: Duration,
    /// After so long no more polls are begun.
    pub until: Duration,
}

/// A job that follows. Between its steps the caller commits.
pub struct Follow {
    server: String,
    entity: String,
    every: Duration,
    end: Instant,
    next: Instant,
    /// Held while it follows: of two the second waits.
    turn: Option<SessionLock>,
    is_waiting: bool,
    /// What the last whole run knew.
    known: Option<Known>,
    lacked_time: bool,
    /// The run in progress, and what it is to be remembered by.
    job: Option<(Job, Purpose)>,
    /// Why the last poll failed.
    failure: Option<Failure>,
}

/// What a whole run was given; where that is another one by now, another run comes.
#[derive(PartialEq)]
struct Place {
    options: ServerOptions,
    access: Access,
    additions: Additions,
}

struct Known {
    place: Place,
    began: Instant,
    /// It was a first load: from now on there is a time to read from.
    is_due: bool,
    /// The number of the run.
    run: i64,
    watch: Watch,
    /// Related records that were read since. Where one has changed meanwhile, the next whole run
    /// reads the rows again.
    related: Related,
    noted: Instant,
}

/// What a run in progress is for.
enum Purpose {
    Whole {
        place: Box<Place>,
        began: Instant,
        /// `None` before the first look.
        watch: Option<Watch>,
    },
    /// Entities with news that others are at are left to the next whole run.
    News { access: Access, news: News, left: BTreeSet<&'static str> },
}

/// What comes next.
pub enum Step {
    /// More, at once.
    Go,
    /// Nothing for so long.
    Rest(Duration),
    Over,
}

impl Follow {
    pub fn begin(server: &Server, options: FollowOptions) -> Result<Follow, Failure> {
        require_writable()?;
        let FollowOptions { entity, every, until } = options;
        entities_named(&Warehouse::with(&Store::find()?.additions(&server.name)?), entity)?;
        let now = Instant::now();
        Ok(Follow {
            server: server.name.clone(),
            entity: entity.to_owned(),
            every,
            end: now + until,
            next: now,
            turn: None,
            is_waiting: false,
            known: None,
            lacked_time: false,
            job: None,
            failure: None,
        })
    }

    /// Loads a page, looks, or finds that there is nothing to do yet. An error ends it; what fails in
    /// Odoo does not, but for a refused login.
    pub fn step(&mut self) -> Result<Step, Failure> {
        if let Some((job, purpose)) = self.job.take() {
            self.go_on(job, purpose)?;
            return Ok(Step::Go);
        }
        let now = Instant::now();
        if now >= self.end {
            return Ok(Step::Over);
        }
        let store = Store::find()?;
        if !self.has_turn(&store)? {
            return Ok(Step::Rest(PAUSE.min(self.end - now)));
        }
        let is_woken = store.take_wakes(&self.server, &self.entity)?;
        if !is_woken && now < self.next {
            return Ok(Step::Rest(PAUSE.min(self.next.min(self.end) - now)));
        }
        self.next = now + if is_woken { self.every.min(AGAIN) } else { self.every };
        self.poll(&store, is_woken)?;
        Ok(Step::Go)
    }

    /// Ends it; the error is that of the last poll.
    pub fn end(self) -> Result<(), Failure> {
        self.failure.map_or(Ok(()), Err)
    }

    /// Of two jobs that follow the same the second waits for its turn, in which there is no gap.
    fn has_turn(&mut self, store: &Store) -> Result<bool, Failure> {
        if self.turn.is_none() {
            self.turn = store.hold_following(&self.server, &self.entity)?;
            if self.turn.is_none() && !self.is_waiting {
                self.is_waiting = true;
                notice!(
                    "{} is being followed already; this job waits for that one's end",
                    self.entity
                );
            }
        }
        Ok(self.turn.is_some())
    }

    /// Looks whether there is something to load, and begins to.
    fn poll(&mut self, store: &Store, is_woken: bool) -> Result<(), Failure> {
        let server = Server::named_or_only(Some(&self.server))?;
        let additions = store.additions(&server.name)?;
        let mut entities = entities_named(&Warehouse::with(&additions), &self.entity)?;
        let hold = schedules::find_hold(store, &server.name)?;
        if hold.until.is_some() {
            return Ok(());
        }
        if !is_woken {
            let waiting = store.waiting(&server.name)?;
            entities.retain(|entity| !waiting.contains_key(entity.name));
        }
        let manner = Manner {
            kind: Kind::Follow,
            full_refresh: false,
            is_scheduled: true,
            interval: Some(self.every),
            is_refused: hold.is_refused,
            adds_to: None,
        };
        let place = Place { options: server.options.clone(), access: server.access(), additions };
        let is_current = |known: &&mut Known| {
            known.place == place && known.began.elapsed() < WHOLE && !known.is_due
        };
        let Some(known) = self.known.as_mut().filter(is_current) else {
            return self.begin_whole(store, server, entities, manner, place);
        };
        let begin = Instant::now();
        match server.session().and_then(|session| known.watch.look(&session, is_woken)) {
            Ok(Look::Same) if known.noted.elapsed() < NOTED => Ok(()),
            Ok(Look::Same) => {
                known.noted = Instant::now();
                entities.retain(|entity| known.watch.told().contains(entity.name));
                // Nobody else is writing the state of those.
                free(&server, &mut entities)?;
                let told: Vec<_> = entities.iter().map(|entity| entity.name).collect();
                store.note_success(&server.name, &told, begin.elapsed())
            }
            Ok(Look::New(news)) => {
                entities.retain(|entity| news.entities.contains(entity.name));
                let manner = Manner { adds_to: Some(known.run), ..manner };
                free(&server, &mut entities)?;
                if entities.is_empty() {
                    return Ok(());
                }
                let is_left = |name: &&str| entities.iter().all(|entity| entity.name != *name);
                let left = news.entities.iter().copied().filter(is_left).collect();
                let Known { watch, related, .. } = known;
                let mut job = Job::start(store, server, entities, manner)?;
                if let Some(work) = job.work() {
                    watch.tell(work, &news);
                    work.fetching.exchange_related(related);
                }
                self.job = Some((job, Purpose::News { access: place.access, news, left }));
                Ok(())
            }
            Ok(Look::Unclear) => self.begin_whole(store, server, entities, manner, place),
            Err(failure) => {
                self.finish(Job::obstructed(store, &server.name, &entities, manner, failure)?)
            }
        }
    }

    fn begin_whole(
        &mut self,
        store: &Store,
        server: Server,
        mut entities: Vec<&'static Entity>,
        manner: Manner,
        place: Place,
    ) -> Result<(), Failure> {
        free(&server, &mut entities)?;
        if entities.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let job = Job::start(store, server, entities, manner)?;
        self.job = Some((job, Purpose::Whole { place: Box::new(place), began, watch: None }));
        Ok(())
    }

    /// A step of the run in progress.
    fn go_on(&mut self, mut job: Job, mut purpose: Purpose) -> Result<(), Failure> {
        let access = match &purpose {
            Purpose::Whole { place, .. } => &place.access,
            Purpose::News { access, .. } => access,
        };
        if !access.is_current() {
            // The next poll asks by what right there is now, or fails for want of one.
            self.next = Instant::now();
            return Ok(());
        }
        let is_going_on = match &mut purpose {
            Purpose::Whole { watch: watch @ None, .. } => {
                *watch = Some(job.look(Watch::begin)?.unwrap_or_default());
                true
            }
            _ => job.step()?,
        };
        if is_going_on {
            self.job = Some((job, purpose));
            return Ok(());
        }
        let mut related = Related::new();
        if let Some(work) = job.work() {
            work.fetching.exchange_related(&mut related);
        }
        match purpose {
            Purpose::Whole { place, began, watch } => {
                self.failure = None;
                let watch = watch.unwrap_or_default();
                let is_first = !std::mem::replace(&mut self.lacked_time, watch.lacks_time);
                let is_due = is_first && watch.lacks_time;
                let noted = Instant::now();
                let known =
                    |run| Known { place: *place, began, is_due, run, watch, related, noted };
                self.known = job.run().map(known);
            }
            Purpose::News { news, left, .. } => {
                if let Some(known) = &mut self.known {
                    known.related = related;
                    known.watch.take(news);
                    known.watch.leave(&left);
                }
            }
        }
        self.finish(job)
    }

    /// Remembers how a run ended. After a refused login there is no other.
    fn finish(&mut self, mut job: Job) -> Result<(), Failure> {
        let has_begun = job.run().is_some();
        let unloaded = job.unloaded();
        if !has_begun || !unloaded.is_empty() {
            self.known.take_if(|known| !has_begun || !known.watch.leave(unloaded));
        }
        if job.is_refused() {
            self.end = Instant::now();
        }
        // What failed in a whole run is not loaded by news of something else.
        self.failure = job.end().err().or(self.failure.take());
        Ok(())
    }
}

/// Leaves out entities that other sessions are at: what these load, the next poll sees.
fn free(server: &Server, entities: &mut Vec<&'static Entity>) -> Result<(), Failure> {
    let mut free = Vec::new();
    for entity in entities.drain(..) {
        match lock::take(server, entity.name) {
            Ok(()) => free.push(entity),
            Err(failure) if failure.cause == Cause::Taken => {}
            Err(failure) => return Err(failure),
        }
    }
    *entities = free;
    Ok(())
}

/// Has whoever follows an entity look at once. Returns whether there is such a job. It lends no right:
/// whoever may use the server may do it.
pub fn wake(server: &Server, entity: &str) -> Result<bool, Failure> {
    require_writable()?;
    let store = Store::find()?;
    entities_named(&Warehouse::with(&store.additions(&server.name)?), entity)?;
    store.wake(&server.name, &[entity, ALL])
}

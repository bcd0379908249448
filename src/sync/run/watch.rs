//! What has changed in Odoo since a job that follows looked last. A look asks for the ids and the
//! dates of all that has changed since the time from which the last whole run read, be its
//! transaction a late one, and compares them with what it saw before: no record is read again.
//!
//! Two writes of a record that are dated by the same second look alike, and values without a date of
//! their own show nothing. So whole runs come between the looks.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use crate::failure::{Cause, Failure};
use crate::odoo::Domain;
use crate::server::{Session, Ticket};
use crate::sync::feed::window::shared;
use crate::sync::mapping::feed::Mapping;
use crate::sync::work::changes::{Answer, Moment};
use crate::sync::work::parts::Work;
use crate::warehouse::Entity;

/// A model of which more has changed is left to the whole runs: the answer would be no small one.
const MANY: usize = 10_000;

/// What is looked at for some entities.
#[derive(Default)]
pub struct Watch {
    models: Vec<Watched>,
    /// The entities of which a look tells everything that a run would see.
    told: BTreeSet<&'static str>,
    /// Tables are read from a time on once a first load has given them one.
    pub lacks_time: bool,
}

/// A model whose changes are looked for.
struct Watched {
    name: String,
    since: String,
    /// Whether its changed records are what the runs of its tables ask for.
    is_plain: bool,
    /// The entities whose tables show it.
    entities: BTreeSet<&'static str>,
    seen: Dated,
}

/// Records with their write_date.
type Dated = HashSet<(i64, String)>;

type Answered = Ticket<Vec<(i64, String)>>;

/// What a look saw.
pub enum Look {
    Same,
    New(News),
    /// Odoo refuses by now what was looked at.
    Unclear,
}

/// What is new in the models that are watched, in their order.
pub struct News {
    pub entities: BTreeSet<&'static str>,
    asked: Moment,
    seen: Vec<Dated>,
    new: Vec<Vec<i64>>,
}

impl Watch {
    /// Looks for the first time, before a whole run reads what has changed: the run takes the
    /// answers over.
    pub fn begin(work: &mut Work, entities: &[&'static Entity]) -> Result<Watch, Failure> {
        let mut watch = Watch::default();
        for entity in entities {
            watch.told.insert(entity.name);
            for (dataset, feed) in entity.feeds() {
                match work.target(dataset, feed) {
                    Ok(Some(target)) => {
                        watch.add(work, &target.mapping, (entity.name, feed))?;
                    }
                    Ok(None) => {}
                    Err(failure) if failure.cause.ends_a_run() => return Err(failure),
                    // The run will tell.
                    Err(_) => watch.doubt(entity.name),
                }
            }
        }
        let session = work.context.session.clone();
        let asked = Moment::now(&session);
        for mut model in std::mem::take(&mut watch.models) {
            match dated(model.ask(&session)?)? {
                Some(seen) => model.seen = seen,
                None => {
                    model.entities.iter().for_each(|entity| watch.doubt(entity));
                    continue;
                }
            }
            let ids = model.seen.iter().map(|(id, _)| *id).collect();
            model.tell(work, ids, asked);
            watch.models.push(model);
        }
        Ok(watch)
    }

    /// Looks again: by one connection, or where somebody waits for it by several.
    pub fn look(&self, session: &Session, at_once: bool) -> Result<Look, Failure> {
        let asked = Moment::now(session);
        let tickets = self.models.iter().map(|model| model.ask(session));
        let answers: Result<Vec<_>, _> = match at_once {
            true => tickets.collect::<Result<Vec<_>, _>>()?.into_iter().map(dated).collect(),
            false => tickets.map(|ticket| dated(ticket?)).collect(),
        };
        let (mut entities, mut all, mut new) = (BTreeSet::new(), Vec::new(), Vec::new());
        for (model, answer) in self.models.iter().zip(answers?) {
            let Some(seen) = answer else {
                return Ok(Look::Unclear);
            };
            let news: Vec<i64> = seen.difference(&model.seen).map(|(id, _)| *id).collect();
            if !news.is_empty() {
                entities.extend(&model.entities);
            }
            all.push(seen);
            new.push(news);
        }
        Ok(match entities.is_empty() {
            true => Look::Same,
            false => Look::New(News { entities, asked, seen: all, new }),
        })
    }

    /// Has a run read what is new, and nothing else where that can be told.
    pub fn tell(&self, work: &mut Work, news: &News) {
        for (model, new) in self.models.iter().zip(&news.new) {
            model.tell(work, new.clone(), news.asked);
        }
    }

    /// What was new has been loaded.
    pub fn take(&mut self, news: News) {
        for (model, seen) in self.models.iter_mut().zip(news.seen) {
            model.seen = seen;
        }
    }

    /// Leaves entities to the next whole run; `false` if no other is watched.
    pub fn leave(&mut self, entities: &BTreeSet<&'static str>) -> bool {
        self.told.retain(|entity| !entities.contains(entity));
        self.models
            .iter_mut()
            .for_each(|model| model.entities.retain(|one| !entities.contains(one)));
        self.models.retain(|model| !model.entities.is_empty());
        !self.models.is_empty()
    }

    /// The entities of which a look that saw nothing new tells that they are up to date.
    pub fn told(&self) -> &BTreeSet<&'static str> {
        &self.told
    }

    fn add(
        &mut self,
        work: &mut Work,
        mapping: &Mapping,
        (entity, feed): (&'static str, usize),
    ) -> Result<(), Failure> {
        let tells_all = mapping.feed.silent.is_empty() && mapping.feed.unsettled.is_none();
        if mapping.is_read_whole() {
            self.doubt(entity);
            return Ok(());
        }
        let mark = work.mark(mapping, work.context.session.server_time())?;
        let Some(since) = mark.since.filter(|_| !mark.is_future) else {
            self.lacks_time = true;
            self.doubt(entity);
            return Ok(());
        };
        if !tells_all {
            self.doubt(entity);
        }
        let shared = shared(work, mapping, feed)?;
        let is_plain = shared.len() == mapping.also.len() && mapping.feed.unsettled.is_none();
        self.watch(&mapping.model, &since, is_plain, entity);
        let fields = work.targets.catalogue().fields(&mapping.model)?;
        for relation in &mapping.also {
            let field = fields.as_ref().and_then(|fields| fields.get(relation));
            match field.and_then(|field| field.relation.as_ref()) {
                Some(model) => self.watch(model, &since, true, entity),
                None => self.doubt(entity),
            }
        }
        Ok(())
    }

    fn watch(&mut self, name: &str, since: &str, is_plain: bool, entity: &'static str) {
        let known = self.models.iter().position(|model| model.name == name);
        let index = known.unwrap_or_else(|| {
            self.models.push(Watched {
                name: name.to_owned(),
                since: since.to_owned(),
                is_plain,
                entities: BTreeSet::new(),
                seen: Dated::new(),
            });
            self.models.len() - 1
        });
        let model = &mut self.models[index];
        model.since = model.since.as_str().min(since).to_owned();
        model.is_plain &= is_plain;
        model.entities.insert(entity);
    }

    /// A look does not tell all of an entity.
    fn doubt(&mut self, entity: &str) {
        self.told.remove(entity);
    }
}

impl Watched {
    /// Asks what has changed of it, and waits for nothing.
    fn ask(&self, session: &Session) -> Result<Answered, Failure> {
        let changed = Domain::leaf("write_date", ">=", self.since.as_str());
        let name = self.name.clone();
        session.submit(move |odoo| odoo.model(&name).dated(changed, MANY + 1))
    }

    /// Spares a run the question.
    fn tell(&self, work: &mut Work, ids: Vec<i64>, asked: Moment) {
        if self.is_plain {
            let answer = Answer { since: self.since.clone(), ids: Some(Rc::from(ids)), asked };
            work.fetching.changes.learn(&self.name, answer);
        }
    }
}

/// What has changed of a model; `None` if that is too much, or Odoo refuses the question.
fn dated(answered: Answered) -> Result<Option<Dated>, Failure> {
    match answered.wait() {
        Ok(found) if found.len() <= MANY => Ok(Some(found.into_iter().collect())),
        Err(failure) if !matches!(failure.cause, Cause::Denied | Cause::Request) => Err(failure),
        _ => Ok(None),
    }
}

//! Which records of a model have changed: Odoo is asked once in a run, whichever tables need it.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use crate::extract::CHUNK;
use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Domain, Error};
use crate::server::{Session, Ticket};
use crate::state::Cache;

/// How long an answer serves those who come later.
const FRESH: Duration = Duration::from_secs(60);

/// Searches that find more take their time for that.
const FEW: usize = 1_000;

/// How many times are kept of a model: the least of them counts, as Odoo may be busy.
const TIMES: usize = 3;

/// When a search was made, here and by Odoo's clock. A table that takes its answer reads on from
/// then.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub here: Instant,
    pub in_odoo: Option<DateTime<Utc>>,
}

impl Moment {
    pub fn now(session: &Session) -> Moment {
        Moment { here: Instant::now(), in_odoo: session.server_time() }
    }

    /// The earlier one of two.
    pub fn min(self, other: Moment) -> Moment {
        let in_odoo = self.in_odoo.zip(other.in_odoo).map(|(one, other)| one.min(other));
        Moment {
            here: self.here.min(other.here),
            in_odoo: in_odoo.or(self.in_odoo).or(other.in_odoo),
        }
    }
}

/// The answers of a run, by model.
#[derive(Default)]
pub struct Changes {
    known: HashMap<String, Answer>,
    /// How long Odoo took to find few records or none.
    seconds: HashMap<String, f64>,
}

/// The records of a model that have changed since a time.
#[derive(Clone)]
pub struct Answer {
    pub since: String,
    /// `None` if they are too many to keep.
    pub ids: Option<Rc<[i64]>>,
    pub asked: Moment,
}

/// What Odoo is asked for, or was for another table.
pub enum Question {
    Asked { model: String, since: String, asked: Moment, found: Ticket<(Vec<i64>, Duration)> },
    Known(Answer),
}

/// The ids that meet a domain, as many as are kept, and how long Odoo took.
pub fn search(
    session: &Session,
    model: &str,
    domain: Domain,
) -> Result<Ticket<(Vec<i64>, Duration)>, Failure> {
    let model = model.to_owned();
    session.submit(move |odoo| {
        let begin = Instant::now();
        let found = odoo.model(&model).search_after(domain, BEFORE_ALL, CHUNK)?;
        Ok((found, begin.elapsed()))
    })
}

impl Changes {
    /// Asks for a model's records that have changed since a time, which meet a domain, and waits for
    /// nothing.
    pub fn ask(
        &self,
        session: &Session,
        model: &str,
        since: &str,
        domain: Domain,
    ) -> Result<Question, Failure> {
        if let Some(answer) = self.known(model, since) {
            return Ok(Question::Known(answer.clone()));
        }
        let asked = Moment::now(session);
        let found = search(session, model, domain)?;
        Ok(Question::Asked { model: model.to_owned(), since: since.to_owned(), asked, found })
    }

    /// Takes note of what somebody else has asked for: a model's records that have changed since a
    /// time.
    pub fn learn(&mut self, model: &str, answer: Answer) {
        self.known.insert(model.to_owned(), answer);
    }

    /// An answer that serves a question after changes since a time.
    pub fn known(&self, model: &str, since: &str) -> Option<&Answer> {
        let is_fit = |answer: &&Answer| {
            answer.since.as_str() <= since && answer.asked.here.elapsed() < FRESH
        };
        self.known.get(model).filter(is_fit)
    }

    /// Waits for an answer.
    pub fn wait(&mut self, question: Question) -> Result<Result<Answer, Error>, Failure> {
        let (model, since, asked, found) = match question {
            Question::Known(answer) => return Ok(Ok(answer)),
            Question::Asked { model, since, asked, found } => (model, since, asked, found),
        };
        let (ids, took) = match found.outcome()? {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        if ids.len() < FEW {
            self.seconds.insert(model.clone(), took.as_secs_f64());
        }
        let ids = Some(ids).filter(|ids| ids.len() < CHUNK).map(Rc::from);
        let answer = Answer { since, ids, asked };
        self.known.insert(model, answer.clone());
        Ok(Ok(answer))
    }

    /// Keeps how long Odoo took to find the few changes of a model, for [`poll_time`].
    pub fn keep_time(&mut self, cache: &Cache, model: &str) -> Result<(), Failure> {
        let Some(seconds) = self.seconds.remove(model) else {
            return Ok(());
        };
        let mut times = times(cache, model)?;
        times.insert(0, seconds);
        times.truncate(TIMES);
        cache.keep_unless_busy(&name(model), times.into())
    }
}

/// How many seconds Odoo takes to find the few changes of a model, if that was seen often enough.
pub fn poll_time(cache: &Cache, model: &str) -> Result<Option<f64>, Failure> {
    let times = times(cache, model)?;
    let is_known = times.len() >= TIMES;
    Ok(times.into_iter().reduce(f64::min).filter(|_| is_known))
}

fn times(cache: &Cache, model: &str) -> Result<Vec<f64>, Failure> {
    let known = cache.recall(&name(model), None)?;
    let times = known.as_ref().and_then(Json::as_array);
    Ok(times.into_iter().flatten().filter_map(Json::as_f64).collect())
}

fn name(model: &str) -> String {
    format!("poll {model}")
}

//! What the scans of one backend share: sessions within a transaction, and for a while what
//! models are like.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use pgrx::PgXactCallbackEvent::{Abort, Commit};
use pgrx::pg_sys::Oid;

use crate::backend;
use crate::failure::Failure;
use crate::odoo::{Domain, Fields};
use crate::server::{Server, ServerOptions, Session};

/// Whose session it is; another one is made where an option differs.
#[derive(Clone, PartialEq)]
struct Key {
    server: Oid,
    user: Oid,
    options: ServerOptions,
    mapping: Vec<(String, String)>,
}

/// A session that a scan has for itself. Dropped, it ends what is in flight; given back, it
/// serves the transaction's next scan, which needs no login then.
pub struct Lease {
    key: Key,
    session: Session,
}

/// What is known of models, by server, user and model.
type Known<T> = RefCell<HashMap<(Oid, Oid, String), (Instant, ServerOptions, T)>>;

thread_local! {
    static IDLE: RefCell<Vec<Lease>> = RefCell::default();
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
    static FIELDS: Known<Rc<Fields>> = RefCell::default();
    static COUNTS: Known<i64> = RefCell::default();
}

/// How long a plan may rely on what a model was like. A field that is gone is an error that says
/// so; a count is an estimate.
const FIELDS_LAST: Duration = Duration::from_secs(300);
const COUNTS_LAST: Duration = Duration::from_secs(60);

/// So many are remembered.
const MAX_KNOWN: usize = 500;

impl Lease {
    pub fn take(server: &Server, user: Oid) -> Result<Lease, Failure> {
        let key = Key {
            server: server.oid,
            user,
            options: server.options.clone(),
            mapping: backend::user_mapping_options(server.oid, Some(user)),
        };
        let idle = IDLE.with_borrow_mut(|idle| {
            let index = idle.iter().position(|lease| lease.key == key)?;
            Some(idle.swap_remove(index))
        });
        match idle {
            Some(lease) => Ok(lease),
            None => Ok(Lease { session: server.session_with(user, key.mapping.clone())?, key }),
        }
    }

    /// Leaves the session to the transaction's next scan. Nothing may be in flight.
    pub fn give_back(self) {
        IDLE.with_borrow_mut(|idle| idle.push(self));
        if !IS_WATCHED.replace(true) {
            let end = || {
                IS_WATCHED.set(false);
                drop(IDLE.take());
            };
            pgrx::register_xact_callback(Commit, end);
            pgrx::register_xact_callback(Abort, end);
        }
    }

    pub fn session(&self) -> &Session {
        &self.session
    }
}

fn remember<T: Clone>(
    known: &Known<T>,
    server: &Server,
    key: (Oid, Oid, String),
    lasts: Duration,
    ask: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    if let Some((since, options, value)) = known.borrow().get(&key)
        && since.elapsed() < lasts
        && *options == server.options
    {
        return Ok(value.clone());
    }
    let value = ask()?;
    let mut known = known.borrow_mut();
    if known.len() >= MAX_KNOWN {
        known.clear();
    }
    known.insert(key, (Instant::now(), server.options.clone(), value.clone()));
    Ok(value)
}

/// The fields of a model that the user may read.
pub fn fields(server: &Server, user: Oid, model: &str) -> Result<Rc<Fields>, Failure> {
    let key = (server.oid, user, model.to_owned());
    let ask = || {
        let lease = Lease::take(server, user)?;
        let name = model.to_owned();
        let fields = lease.session.call(move |odoo| odoo.model(&name).fields_in_full())?;
        lease.give_back();
        Ok(Rc::new(fields))
    };
    FIELDS.with(|known| remember(known, server, key, FIELDS_LAST, ask))
}

/// How many records meet a domain, or met it a moment ago.
pub fn count(server: &Server, user: Oid, model: &str, domain: Domain) -> Result<i64, Failure> {
    let text = format!("{model} {}", domain.clone().into_value().into_json());
    let ask = || {
        let lease = Lease::take(server, user)?;
        let name = model.to_owned();
        let count = lease.session.call(move |odoo| odoo.model(&name).count(domain))?;
        lease.give_back();
        Ok(count)
    };
    COUNTS.with(|known| remember(known, server, (server.oid, user, text), COUNTS_LAST, ask))
}

/// Forgets what models were like: an error may come from it.
pub fn forget() {
    FIELDS.with_borrow_mut(HashMap::clear);
    COUNTS.with_borrow_mut(HashMap::clear);
}

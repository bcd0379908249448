//! What the scans of one backend share: sessions within a transaction, and for a while what
//! models are like.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use pgrx::PgXactCallbackEvent::{Abort, Commit};
use pgrx::pg_sys::Oid;

use crate::failure::Failure;
use crate::odoo::{Domain, Fields};
use crate::pg;
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
    /// Servers that did not tell a count.
    static SILENT: Known<()> = RefCell::default();
}

/// How long a scan may rely on what a model was like, and a plan on a count. EXPLAIN, which scans
/// nothing, relies on what the session knows, however old.
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
            mapping: pg::user_mapping_options(server.oid, Some(user)),
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

/// What is known of a model, if it is no older than `lasts`.
fn recall<T: Clone>(
    known: &Known<T>,
    server: &Server,
    key: &(Oid, Oid, String),
    lasts: Duration,
) -> Option<T> {
    let known = known.borrow();
    let (since, options, value) = known.get(key)?;
    (since.elapsed() < lasts && *options == server.options).then(|| value.clone())
}

fn remember<T>(known: &Known<T>, server: &Server, key: (Oid, Oid, String), value: T) {
    let mut known = known.borrow_mut();
    if known.len() >= MAX_KNOWN {
        known.clear();
    }
    known.insert(key, (Instant::now(), server.options.clone(), value));
}

/// The fields of a model that the user may read, as a scan sees them.
pub fn fields(server: &Server, user: Oid, model: &str) -> Result<Rc<Fields>, Failure> {
    fields_since(server, user, model, FIELDS_LAST)
}

/// The same as the session has once seen them. What a plan makes of them is checked by its scan.
pub fn fields_known(server: &Server, user: Oid, model: &str) -> Result<Rc<Fields>, Failure> {
    fields_since(server, user, model, Duration::MAX)
}

fn fields_since(
    server: &Server,
    user: Oid,
    model: &str,
    lasts: Duration,
) -> Result<Rc<Fields>, Failure> {
    let key = (server.oid, user, model.to_owned());
    if let Some(fields) = FIELDS.with(|known| recall(known, server, &key, lasts)) {
        return Ok(fields);
    }
    let lease = Lease::take(server, user)?;
    let name = model.to_owned();
    let fields = Rc::new(lease.session.call(move |odoo| odoo.model(&name).fields_in_full())?);
    lease.give_back();
    FIELDS.with(|known| remember(known, server, key, fields.clone()));
    Ok(fields)
}

/// About how many records meet a domain; `None` if Odoo does not tell, or did not a moment ago: a
/// plan needs no count.
pub fn count(server: &Server, user: Oid, model: &str, domain: Domain) -> Option<i64> {
    let key = |text| (server.oid, user, text);
    let own = key(format!("{model} {}", domain.clone().into_value().into_json()));
    let silence = key(String::new());
    let counted = COUNTS.with(|known| recall(known, server, &own, COUNTS_LAST));
    let is_silent = || SILENT.with(|known| recall(known, server, &silence, COUNTS_LAST)).is_some();
    if counted.is_some() {
        return counted;
    }
    if is_silent() {
        return COUNTS.with(|known| recall(known, server, &own, Duration::MAX));
    }
    match ask_count(server, user, model, domain) {
        Ok(count) => {
            COUNTS.with(|known| remember(known, server, own, count));
            Some(count)
        }
        Err(_) => {
            SILENT.with(|known| remember(known, server, silence, ()));
            COUNTS.with(|known| recall(known, server, &own, Duration::MAX))
        }
    }
}

fn ask_count(server: &Server, user: Oid, model: &str, domain: Domain) -> Result<i64, Failure> {
    let lease = Lease::take(server, user)?;
    let name = model.to_owned();
    let count = lease.session.call(move |odoo| odoo.model(&name).count(domain))?;
    lease.give_back();
    Ok(count)
}

/// Forgets what models were like: an error may come from it.
pub fn forget() {
    FIELDS.with_borrow_mut(HashMap::clear);
    COUNTS.with_borrow_mut(HashMap::clear);
    SILENT.with_borrow_mut(HashMap::clear);
}

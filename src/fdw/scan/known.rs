//! What the scans of one backend know of models, for a while.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use pgrx::pg_sys::Oid;

use crate::failure::Failure;
use crate::odoo::{Domain, Fields};
use crate::server::{Server, ServerOptions};

/// What is known of models, by server, user and model.
type Known<T> = RefCell<HashMap<(Oid, Oid, String), (Instant, ServerOptions, T)>>;

thread_local! {
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
    let (session, name) = (server.session_of(user)?, model.to_owned());
    let fields = Rc::new(session.call(move |odoo| odoo.model(&name).fields_in_full())?);
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
    let (session, name) = (server.session_of(user)?, model.to_owned());
    session.call(move |odoo| odoo.model(&name).count(domain))
}

/// Forgets what models were like: an error may come from it.
pub fn forget() {
    FIELDS.with_borrow_mut(HashMap::clear);
    COUNTS.with_borrow_mut(HashMap::clear);
    SILENT.with_borrow_mut(HashMap::clear);
}

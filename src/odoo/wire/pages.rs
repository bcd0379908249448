//! Pages of records by the web client's protocol, where the user is known by another one already: of
//! a long read it takes Odoo so much less time that a second login is soon won back.
//!
//! Not without a look first: an administrator's login over `/web` writes the system parameter
//! `web.base.url`, which the links in Odoo's mails begin with. Of a user with a second factor, to whom
//! Odoo writes of each such login, the password is no use by another protocol, so it does not come here.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::odoo::error::Error;
use crate::odoo::fault::FaultKind;
use crate::odoo::sink::Sink;
use crate::odoo::value::{Value, ValueSink};
use crate::odoo::wire::http::exchange::Http;
use crate::odoo::wire::request::{Credentials, ForPages, Request, Transport};
use crate::odoo::wire::web::{Web, WebSession};

/// So many records read cost about as much more by the other protocols as a login: a login takes 0.3
/// to 0.8 s, a record of a dozen fields some 40 µs less.
const WON_BACK: usize = 20_000;

pub struct Pages {
    web: Web,
    url: String,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
enum State {
    /// So many records were read by the other protocol.
    Counting(usize),
    /// A reader logs in; the others do not wait for it.
    Beginning,
    On,
    Off,
}

impl Pages {
    pub fn new(http: &Http, session: &WebSession) -> Pages {
        Pages {
            web: Web::new(http.clone(), session, true),
            url: http.url().to_owned(),
            state: Mutex::new(State::Counting(0)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a page. `None` if it is the other protocol's, which says what the user may do.
    pub fn read(
        &self,
        other: &dyn Transport,
        credentials: &Credentials,
        uid: i64,
        request: &Request,
        sink: &mut dyn Sink,
    ) -> Option<Result<(), Error>> {
        if !is_page(request) || matches!(*self.lock(), State::Off) {
            return None;
        }
        let done = match self.is_due(other, credentials, uid, request) {
            true => self.web.execute(credentials, uid, request, sink),
            // One of an earlier read may serve a short one too, as long as it lasts.
            false => self.web.attempt(uid, request, sink)?,
        };
        let is_over = matches!(done, Err(Error::Malformed { .. }));
        let is_other = done.as_ref().is_err_and(has_no_way);
        if is_over || is_other {
            *self.lock() = State::Off;
        }
        (!is_other).then_some(done)
    }

    fn is_due(
        &self,
        other: &dyn Transport,
        credentials: &Credentials,
        uid: i64,
        request: &Request,
    ) -> bool {
        let mut state = self.lock();
        match *state {
            State::On => true,
            State::Beginning | State::Off => false,
            State::Counting(before) => {
                let read = before + request.ids.as_ref().map_or(0, Vec::len);
                if read < WON_BACK {
                    *state = State::Counting(read);
                    return false;
                }
                *state = State::Beginning;
                drop(state);
                let is_on = self.begin(other, credentials, uid);
                *self.lock() = if is_on { State::On } else { State::Off };
                is_on
            }
        }
    }

    fn begin(&self, other: &dyn Transport, credentials: &Credentials, uid: i64) -> bool {
        self.outlook(other, credentials, uid) == ForPages::Web
            && self.web.login(credentials).is_ok_and(|user| user == uid)
    }

    /// Whether a login would be in vain, or change Odoo.
    pub fn outlook(&self, other: &dyn Transport, credentials: &Credentials, uid: i64) -> ForPages {
        if is_like_a_key(&credentials.secret) || self.web.version().is_err() {
            return ForPages::Same;
        }
        let mut sink = ValueSink::default();
        match other.execute(credentials, uid, &parameters(), &mut sink) {
            Ok(()) if leaves_base_url(&sink.finish(), &self.url) => ForPages::Web,
            Ok(()) => ForPages::Administrator,
            // None but administrators may read them.
            Err(error) if error.fault_kind() == Some(&FaultKind::Access) => ForPages::Web,
            Err(_) => ForPages::Same,
        }
    }
}

fn is_page(request: &Request) -> bool {
    matches!(request.method.as_str(), "read" | "search_read")
}

/// Whether it ends for lack of a session, or of the address, before the sink is told anything.
fn has_no_way(error: &Error) -> bool {
    let is_refused = |kind: &FaultKind| {
        matches!(kind, FaultKind::Denied | FaultKind::CoolDown | FaultKind::Database)
    };
    matches!(error, Error::Sessionless(_) | Error::Denied { .. } | Error::Redirect { .. })
        || error.fault_kind().is_some_and(is_refused)
        || matches!(error, Error::Status { .. }) && !error.is_transient()
}

/// API keys may be given as passwords; no session is given for them.
fn is_like_a_key(secret: &str) -> bool {
    secret.len() == 40 && secret.bytes().all(|byte| byte.is_ascii_hexdigit())
}

const BASE_URL: &str = "web.base.url";
const FROZEN: &str = "web.base.url.freeze";

fn parameters() -> Request {
    let names: Value = [BASE_URL, FROZEN].into_iter().collect();
    let leaf = Value::Array(vec!["key".into(), "in".into(), names]);
    let fields: Value = ["key", "value"].into_iter().collect();
    Request {
        model: "ir.config_parameter".into(),
        method: "search_read".into(),
        ids: None,
        args: vec![("domain", Value::Array(vec![leaf]))],
        kwargs: vec![("fields".to_owned(), fields)],
        changes: false,
    }
}

/// Whether an administrator's login at `url` leaves the parameter as it is.
fn leaves_base_url(parameters: &Value, url: &str) -> bool {
    let value = |key: &str| {
        let rows = parameters.as_array().unwrap_or_default();
        let row = rows.iter().find(|row| row.get("key").and_then(Value::as_str) == Some(key))?;
        row.get("value").and_then(Value::as_str)
    };
    value(FROZEN).is_some() || value(BASE_URL) == Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_form() {
        assert!(is_like_a_key("0123456789abcdef0123456789abcdef01234567"));
        assert!(!is_like_a_key("admin") && !is_like_a_key(&"x".repeat(40)));
    }

    #[test]
    fn an_administrator_may_log_in_where_that_changes_nothing() {
        let row = |key: &str, value: Value| -> Value {
            [("key".to_owned(), key.into()), ("value".to_owned(), value)].into_iter().collect()
        };
        let rows = |rows: Vec<Value>| leaves_base_url(&Value::Array(rows), "http://x");
        assert!(!rows(vec![]));
        assert!(!rows(vec![row(BASE_URL, "http://y".into())]));
        assert!(rows(vec![row(BASE_URL, "http://x".into())]));
        assert!(rows(vec![row(FROZEN, "True".into()), row(BASE_URL, "http://y".into())]));
        assert!(!rows(vec![row(FROZEN, false.into()), row(BASE_URL, "http://y".into())]));
    }
}

//! What Odoo's own web client speaks, of 14 on: a session that `/web/session/authenticate` gives for a
//! password, calls at `/web/dataset/call_kw/<model>/<method>` in the envelope of JSON-RPC, and the
//! cookie of the session. `execute_kw` walks each result once more to find lazy values; this does not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::odoo::error::{Error, Sessionless};
use crate::odoo::fault::{Fault, FaultKind};
use crate::odoo::sink::Sink;
use crate::odoo::value::{Value, ValueSink};
use crate::odoo::wire::http::cookie::Cookie;
use crate::odoo::wire::http::exchange::{Http, Message};
use crate::odoo::wire::json::{Answer, decode_answer};
use crate::odoo::wire::jsonrpc::{envelope, fault};
use crate::odoo::wire::protocol::Protocol;
use crate::odoo::wire::request::{Credentials, NOBODY, Request, Transport};

/// How long the end of a session may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Of an error that says that Odoo does not know the session (`SessionExpiredException`, and
/// `AuthenticationError` up to 15).
const EXPIRED: i64 = 100;

/// The session that Odoo may keep for a user; clones are the same. Who holds the lock logs in.
#[derive(Clone, Default)]
pub struct WebSession(Arc<Mutex<Option<Open>>>);

#[derive(Clone)]
struct Open {
    id: String,
    uid: i64,
    /// What it may be given back through.
    http: Arc<Http>,
}

impl WebSession {
    pub fn is_open(&self) -> bool {
        self.lock().is_some()
    }

    /// Gives it back, which takes a second at most. One that Odoo does not hear of expires by itself.
    pub fn end(&self) {
        let Some(open) = self.lock().take() else {
            return;
        };
        let call = Call {
            path: "/web/session/destroy".into(),
            params: Vec::new(),
            label: "destroy",
            limit: Some(FAREWELL),
            is_once: false,
        };
        let _ = call.send(&open.http, &Cookie::of(&open.id), &mut ());
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Web {
    http: Arc<Http>,
    session: WebSession,
    takes_secret: bool,
}

/// What is sent, but for the cookie.
struct Call<'c> {
    path: String,
    params: Vec<(&'c str, Value)>,
    label: &'c str,
    limit: Option<Duration>,
    is_once: bool,
}

impl Web {
    pub fn new(http: Http, session: &WebSession, takes_secret: bool) -> Web {
        Web { http: Arc::new(http), session: session.clone(), takes_secret }
    }

    /// The session, or a new one: in place of `lost`, if another thread has not seen to it.
    fn session(&self, credentials: &Credentials, lost: Option<&str>) -> Result<Open, Error> {
        let mut known = self.session.lock();
        if let Some(open) = known.as_mut().filter(|open| Some(&*open.id) != lost) {
            if open.http.is_cancelled() {
                open.http = self.http.clone();
            }
            return Ok(open.clone());
        }
        *known = None;
        Ok(known.insert(self.authenticate(credentials)?).clone())
    }

    fn authenticate(&self, credentials: &Credentials) -> Result<Open, Error> {
        if !self.takes_secret {
            return Err(Error::Sessionless(Sessionless::Key));
        }
        let call = Call {
            path: "/web/session/authenticate".into(),
            params: vec![
                ("db", credentials.database.as_str().into()),
                ("login", credentials.login.as_str().into()),
                ("password", credentials.secret.as_str().into()),
            ],
            label: "authenticate",
            limit: None,
            is_once: false,
        };
        let (cookie, mut sink) = (Cookie::default(), ValueSink::default());
        call.send(&self.http, &cookie, &mut sink).map_err(|error| refused(error, credentials))?;
        let login = || credentials.login.clone();
        // The password was right: a wrong one is a fault.
        let uid = sink.finish().get("uid").and_then(Value::as_int);
        let uid =
            uid.ok_or_else(|| Error::Sessionless(Sessionless::SecondFactor { login: login() }))?;
        let id = cookie.set().ok_or_else(|| {
            let url = self.http.url().to_owned();
            Error::Sessionless(Sessionless::NoCookie { url })
        })?;
        Ok(Open { id, uid, http: self.http.clone() })
    }

    /// Calls a method in a session.
    fn call_kw(&self, session: &Open, request: &Request, sink: &mut dyn Sink) -> Result<(), Error> {
        let ids = request.ids.iter().map(|ids| ids.iter().copied().collect());
        let args = request.args.iter().map(|(_, value)| value.clone());
        let call = Call {
            path: format!("/web/dataset/call_kw/{}/{}", request.model, request.method),
            params: vec![
                ("model", request.model.as_str().into()),
                ("method", request.method.as_str().into()),
                ("args", Value::Array(ids.chain(args).collect())),
                ("kwargs", Value::Struct(request.kwargs.clone())),
            ],
            label: &request.label(),
            limit: None,
            is_once: request.changes,
        };
        let cookie = Cookie::of(&session.id);
        let done = call.send(&self.http, &cookie, sink);
        if !done.as_ref().is_err_and(is_lost) {
            self.follow(session, cookie);
        }
        done.map_err(|error| of_unknown_model(error, &request.model))
    }

    /// Odoo renames a session every few hours (18 on).
    fn follow(&self, session: &Open, cookie: Cookie) {
        let mut known = self.session.lock();
        if let (Some(known), Some(id)) = (known.as_mut(), cookie.set())
            && known.id == session.id
        {
            known.id = id;
        }
    }

    /// Calls a method in the session that is there, if there is one and Odoo knows it.
    pub fn attempt(
        &self,
        uid: i64,
        request: &Request,
        sink: &mut dyn Sink,
    ) -> Option<Result<(), Error>> {
        let open = self.session.lock().clone().filter(|open| open.uid == uid)?;
        let done = self.call_kw(&open, request, sink);
        if !done.as_ref().is_err_and(is_lost) {
            return Some(done);
        }
        self.session.lock().take_if(|known| known.id == open.id);
        None
    }
}

impl Call<'_> {
    fn send(self, http: &Http, cookie: &Cookie, sink: &mut dyn Sink) -> Result<(), Error> {
        let body = envelope(self.params);
        let message = Message {
            path: self.path,
            content_type: "application/json",
            headers: Vec::new(),
            body: Some(&body),
            protocol: Protocol::Web,
            explains_errors: false,
            cookie: Some(cookie),
            limit: self.limit,
            is_once: self.is_once,
        };
        match http.exchange(&message, |_, reader| decode_answer(reader, sink))? {
            Answer::Result => Ok(()),
            Answer::Error(error) if error["code"] == EXPIRED => {
                Err(Error::Sessionless(Sessionless::Lost { url: http.url().to_owned() }))
            }
            Answer::Error(error) => Err(Error::Fault(fault(&error, self.label.to_owned()))),
        }
    }
}

/// Whether Odoo does not know the session, and so did nothing. With several databases it then does
/// not know which one is meant either, and has no such address.
fn is_lost(error: &Error) -> bool {
    matches!(error, Error::Sessionless(Sessionless::Lost { .. })) || error.is_not_there()
}

/// What a fault of a login means: that of a database which the host's name does not lead to (dbfilter)
/// is an `AccessError`.
fn refused(error: Error, credentials: &Credentials) -> Error {
    match error {
        Error::Fault(Fault { kind: FaultKind::Denied, .. }) => Error::Denied {
            login: credentials.login.clone(),
            database: credentials.database.clone(),
        },
        Error::Fault(fault) if fault.kind == FaultKind::Access => {
            Error::Fault(Fault { kind: FaultKind::Database, ..fault })
        }
        error => error,
    }
}

/// Up to 18 a model that is not there is a `KeyError`; `execute_kw` tells it as an error of the user's.
fn of_unknown_model(error: Error, model: &str) -> Error {
    match error {
        Error::Fault(fault) if fault.message == format!("KeyError: '{model}'") => {
            Error::Fault(Fault { kind: FaultKind::User, ..fault })
        }
        error => error,
    }
}

impl Transport for Web {
    fn protocol(&self) -> Protocol {
        Protocol::Web
    }

    fn version(&self) -> Result<Value, Error> {
        let call = Call {
            path: "/web/webclient/version_info".into(),
            params: Vec::new(),
            label: "version_info",
            limit: None,
            is_once: false,
        };
        let mut sink = ValueSink::default();
        call.send(&self.http, &Cookie::default(), &mut sink)?;
        Ok(sink.finish())
    }

    fn login(&self, credentials: &Credentials) -> Result<i64, Error> {
        Ok(self.session(credentials, None)?.uid)
    }

    fn execute(
        &self,
        credentials: &Credentials,
        uid: i64,
        request: &Request,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let session = self.session(credentials, None)?;
        if uid != NOBODY && uid != session.uid {
            return Err(Error::Fault(Fault::of_other_user(request.label())));
        }
        match self.call_kw(&session, request, sink) {
            Err(error) if is_lost(&error) => {
                let session = self.session(credentials, Some(&session.id))?;
                self.call_kw(&session, request, sink)
            }
            done => done,
        }
    }
}

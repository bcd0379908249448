//! One user's connection with one database of an Odoo server.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::odoo::client::login::{Confirmed, Identity, Login};
use crate::odoo::client::version::Version;
use crate::odoo::error::Error;
use crate::odoo::fault::FaultKind;
use crate::odoo::sink::Sink;
use crate::odoo::value::{Value, ValueSink};
use crate::odoo::wire::auto::transport;
use crate::odoo::wire::http::exchange::{Clock, Http};
use crate::odoo::wire::http::hosts::AllowedHosts;
use crate::odoo::wire::http::line::{Endpoint, Line};
use crate::odoo::wire::protocol::Protocol;
use crate::odoo::wire::request::{Credentials, ForPages, Request, Transport};
use crate::odoo::wire::traffic::{Meter, Traffic};

/// Everything that a connection is made of. Who has the same may go on with another's.
#[derive(PartialEq)]
pub struct Settings {
    /// `https://host[:port][/prefix]`
    pub url: String,
    /// `None` for the fastest that the server offers.
    pub protocol: Option<Protocol>,
    pub credentials: Credentials,
    /// Whether the secret is known to be an API key: JSON-2 takes no password.
    pub secret_is_key: bool,
    /// The language of translated texts, e.g. `fr_FR`; `None` for the source's.
    pub language: Option<String>,
    /// The companies to see, the first one as the current company; none for all of the user's.
    pub companies: Vec<i64>,
    /// How often a request that failed for a passing reason is made again.
    pub retries: u32,
    /// Before the first of these; each one more waits twice as long.
    pub retry_delay: Duration,
    /// For the first byte of an answer, and again for its body.
    pub timeout: Duration,
    /// Bytes that an answer may have, after decompression.
    pub max_response: u64,
    /// The PEM text of the certificates to trust besides the system's.
    pub ca: Option<String>,
    pub allowed: AllowedHosts,
}

/// What several threads may ask through at once, as long as a statement of the caller's lasts. The
/// login and the line may be those of an earlier one.
pub struct Connection {
    pub(super) settings: Arc<Settings>,
    pub(super) login: Arc<Login>,
    pub(super) transport: Box<dyn Transport>,
    line: Line,
    clock: Clock,
    meter: Meter,
    /// The protocol that the server was last asked in.
    known: Option<Protocol>,
    pub(super) begun: Instant,
    /// Whether Odoo has let the user in since.
    is_welcome: AtomicBool,
}

impl Connection {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Tls`] for certificates that cannot be read.
    pub fn new(
        settings: Arc<Settings>,
        login: Arc<Login>,
        line: Option<Line>,
    ) -> Result<Connection, Error> {
        let meter = Meter::default();
        let endpoint = Endpoint {
            url: settings.url.clone(),
            timeout: settings.timeout,
            max_response: settings.max_response,
            ca: settings.ca.clone(),
            allowed: settings.allowed.clone(),
            meter: meter.clone(),
        };
        let line = line.map_or_else(|| Line::new(&endpoint), Ok)?;
        let http = Http::new(endpoint, line.clone());
        let known = match settings.protocol {
            None => known_protocols().get(&settings.place()).copied(),
            Some(_) => None,
        };
        Ok(Connection {
            transport: transport(
                &http,
                settings.protocol,
                settings.secret_is_key,
                known,
                &login.session,
            ),
            clock: http.clock(),
            settings,
            login,
            line,
            meter,
            known,
            begun: Instant::now(),
            is_welcome: AtomicBool::new(false),
        })
    }

    /// What ends this connection's requests from another thread, and may serve another one when
    /// none is in flight.
    pub fn line(&self) -> Line {
        self.line.clone()
    }

    /// What all connections of the user share.
    pub fn shared(&self) -> &Arc<Login> {
        &self.login
    }

    /// Whether the login is this very one.
    pub fn shares(&self, login: &Arc<Login>) -> bool {
        Arc::ptr_eq(&self.login, login)
    }

    pub fn login(&self) -> &str {
        &self.settings.credentials.login
    }

    pub fn protocol(&self) -> Protocol {
        self.transport.protocol()
    }

    /// The protocol that this process used before, if the server was found without it.
    pub fn fell_back_from(&self) -> Option<Protocol> {
        self.known.filter(|known| *known != self.protocol())
    }

    /// What this connection has done so far.
    pub fn traffic(&self) -> Traffic {
        self.meter.read()
    }

    /// The time by Odoo's clock, as its last answer told it.
    pub fn server_time(&self) -> Option<DateTime<Utc>> {
        self.clock.read()
    }

    /// Odoo's release. Asked for without a login.
    pub fn version(&self) -> Result<Version, Error> {
        let answer = self.patiently(|| self.transport.version())?;
        Version::from_value(&answer).ok_or_else(|| Error::Malformed {
            protocol: self.protocol(),
            status: 200,
            content_type: "(decoded)".into(),
            reason: "common.version() returned no version of Odoo".into(),
            beginning: answer.into_json().to_string().chars().take(200).collect(),
        })
    }

    /// Whether `search_read` takes `load`, as it does since 15.
    pub fn has_search_read(&self) -> Result<bool, Error> {
        Ok(self.major()? >= 15)
    }

    /// Odoo's release, as far as it decides how Odoo is asked.
    pub fn major(&self) -> Result<u32, Error> {
        // JSON-2 came with 19.
        if self.protocol() == Protocol::Json2 {
            return Ok(19);
        }
        if let Some(release) = self.login.release.get() {
            return Ok(release.major);
        }
        let release = self.version()?;
        Ok(self.login.release.get_or_init(|| release).major)
    }

    /// Calls a method, which must be one that only reads, and hands its result to a sink.
    ///
    /// A request that fails for a passing reason is made again, with a new sink.
    pub fn read<S: Sink>(&self, request: &Request, sink: impl Fn() -> S) -> Result<S, Error> {
        self.as_user(|_, _| true, |uid| self.call_as(uid, request, &sink))
    }

    /// Calls a method that may change something, and returns its result. It is asked once: a
    /// request that has left may have been carried out, whatever became of the answer.
    pub fn write(&self, request: &Request) -> Result<Value, Error> {
        let once = |uid| {
            let mut sink = ValueSink::default();
            self.execute(uid, request, &mut sink)?;
            Ok(sink.finish())
        };
        // The method itself may have refused it, which it would do again.
        let was_not_let_in = |error: &Error, is_other| is_other || error.is_not_there();
        self.as_user(was_not_let_in, |uid| self.again_if(Error::is_unsent, || once(uid)))
    }

    /// Asks as the user. If Odoo does not let it in by what an earlier connection learnt, there is
    /// one login more; and one question more, if `may_repeat` says so of the error and of whether
    /// the user is another one now.
    fn as_user<T>(
        &self,
        may_repeat: impl Fn(&Error, bool) -> bool,
        ask: impl Fn(i64) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Confirmed { identity: Identity { uid, .. }, at, .. } = self.confirmed()?;
        match ask(uid) {
            Err(error) if at < self.begun && self.may_log_in(&error) => {
                let now = self.confirmed_after(at)?.identity.uid;
                if may_repeat(&error, now != uid) { ask(now) } else { Err(error) }
            }
            done => done,
        }
    }

    /// Whether a login may help against an error. Over `web` one that was refused was made just now,
    /// in the place of a session that had ended.
    pub(super) fn may_log_in(&self, error: &Error) -> bool {
        let is_refused_now =
            self.protocol() == Protocol::Web && matches!(error, Error::Denied { .. });
        error.asks_for_login() && !is_refused_now
    }

    /// Makes a request, and notes what Odoo's answer says of the login.
    fn execute(&self, uid: i64, request: &Request, sink: &mut dyn Sink) -> Result<(), Error> {
        let done = self.transport.execute(&self.settings.credentials, uid, request, sink);
        match &done {
            Ok(()) => self.is_welcome.store(true, Relaxed),
            // So Odoo refuses a user that was deleted.
            Err(error) if error.fault_kind() == Some(&FaultKind::User) && !self.is_welcome() => {
                self.login.doubt();
            }
            Err(error) if error.fault_kind() == Some(&FaultKind::Access) => self.login.doubt(),
            Err(_) => {}
        }
        done
    }

    pub(super) fn call_as<S: Sink>(
        &self,
        uid: i64,
        request: &Request,
        sink: impl Fn() -> S,
    ) -> Result<S, Error> {
        let execute = || {
            let mut sink = sink();
            let done = self.execute(uid, request, &mut sink);
            match done.map_err(|error| self.after(error)) {
                // Too slow for so many records it will be again; the caller asks for fewer.
                Err(error @ Error::Timeout { .. }) if request.can_shrink() => Ok(Err(error)),
                done => done.map(|()| Ok(sink)),
            }
        };
        self.again_if(Error::is_transient, execute)?
    }

    /// Tries again, later and later, what failed for a passing reason.
    pub(super) fn patiently<T>(&self, request: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
        self.again_if(Error::is_transient, || request().map_err(|error| self.after(error)))
    }

    /// What an error means: after a time-out something small is asked once. If that is not
    /// answered either, more tries would only wait.
    fn after(&self, error: Error) -> Error {
        match error {
            Error::Timeout { url, limit, .. }
                if self.transport.ping().is_err_and(|error| error.is_silence()) =>
            {
                Error::Away { url, limit }
            }
            error => error,
        }
    }

    /// Whether the secret is known to be an API key.
    pub fn secret_is_key(&self) -> bool {
        self.settings.secret_is_key
    }

    /// By what pages of a long read come.
    pub fn for_pages(&self) -> Result<ForPages, Error> {
        let uid = self.identity()?.uid;
        Ok(self.transport.for_pages(&self.settings.credentials, uid))
    }

    /// Whether Odoo has let the user in since the connection began.
    pub fn is_welcome(&self) -> bool {
        self.is_welcome.load(Relaxed)
    }

    fn again_if<T>(
        &self,
        may_pass: impl Fn(&Error) -> bool,
        request: impl Fn() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut delay = self.settings.retry_delay;
        for _ in 0..self.settings.retries {
            match request() {
                Err(error) if may_pass(&error) => {
                    // Readers that failed together shall not come back together.
                    let wait = error.retry_after().unwrap_or(delay).min(MAX_DELAY);
                    if !self.line.sleep(wait.mul_f64(1.0 + random())) {
                        return Err(Error::Cancelled);
                    }
                    self.meter.retry();
                    delay = (delay * 2).min(MAX_DELAY);
                }
                done => return done,
            }
        }
        request()
    }

    /// The context of every call: the values of fields that depend on the company are those of
    /// `company`, or else of the current one.
    pub fn context(&self, company: Option<i64>) -> Result<Vec<(String, Value)>, Error> {
        let mut companies = self.identity()?.companies;
        if let Some(company) = company {
            companies.retain(|id| *id != company);
            companies.insert(0, company);
        }
        let mut context = vec![("allowed_company_ids".to_owned(), companies.into_iter().collect())];
        if let Some(language) = &self.settings.language {
            context.push(("lang".to_owned(), language.as_str().into()));
        }
        Ok(context)
    }
}

impl Settings {
    pub(super) fn place(&self) -> Place {
        (self.url.clone(), self.credentials.database.clone(), self.secret_is_key)
    }
}

/// URL, database, and whether the secret is an API key.
pub(super) type Place = (String, String, bool);

type Protocols = HashMap<Place, Protocol>;

/// In which protocol this process last asked each server and database.
pub(super) fn known_protocols() -> MutexGuard<'static, Protocols> {
    static KNOWN: LazyLock<Mutex<Protocols>> = LazyLock::new(Mutex::default);
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// No wait between two tries is longer, before its jitter.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// A number from 0 to 1; the standard library has randomness for its hash maps alone.
fn random() -> f64 {
    let hash = RandomState::new().build_hasher().finish();
    (hash >> 11) as f64 / (1u64 << 53) as f64
}

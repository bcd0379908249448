//! One user's session with one database of an Odoo server.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::odoo::client::version::Version;
use crate::odoo::error::Error;
use crate::odoo::sink::Sink;
use crate::odoo::value::{Value, ValueSink};
use crate::odoo::wire::auto::transport;
use crate::odoo::wire::http::exchange::{Canceller, Clock, Endpoint, Http};
use crate::odoo::wire::http::hosts::AllowedHosts;
use crate::odoo::wire::protocol::Protocol;
use crate::odoo::wire::request::{Credentials, ForPages, NOBODY, Request, Transport};
use crate::odoo::wire::traffic::{Meter, Traffic};

/// Everything that a connection is made of.
#[derive(Clone)]
pub struct Settings {
    /// `https://host[:port][/prefix]`
    pub url: String,
    pub database: String,
    /// `None` for the fastest that the server offers.
    pub protocol: Option<Protocol>,
    pub login: String,
    /// A password or an API key.
    pub secret: String,
    /// Whether it is known to be an API key: JSON-2 takes no password.
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

/// A session that several threads may use at once; they share its login.
pub struct Connection {
    transport: Box<dyn Transport>,
    place: Place,
    /// The protocol that the server was last asked in.
    known: Option<Protocol>,
    canceller: Canceller,
    clock: Clock,
    meter: Meter,
    credentials: Credentials,
    language: Option<String>,
    companies: Vec<i64>,
    retries: u32,
    retry_delay: Duration,
    identity: Mutex<Option<Identity>>,
    release: OnceLock<Version>,
}

/// Who the login turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub uid: i64,
    /// The companies to see; the first one is the current company.
    pub companies: Vec<i64>,
}

impl Connection {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Tls`] for certificates that cannot be read.
    pub fn new(settings: Settings) -> Result<Connection, Error> {
        let meter = Meter::default();
        let http = Http::new(Endpoint {
            url: settings.url.clone(),
            timeout: settings.timeout,
            max_response: settings.max_response,
            ca: settings.ca,
            allowed: settings.allowed,
            meter: meter.clone(),
        })?;
        let place = (settings.url, settings.database.clone(), settings.secret_is_key);
        let known = match settings.protocol {
            None => known_protocols().get(&place).copied(),
            Some(_) => None,
        };
        Ok(Connection {
            canceller: http.canceller(),
            clock: http.clock(),
            meter,
            transport: transport(&http, settings.protocol, settings.secret_is_key, known),
            place,
            known,
            credentials: Credentials {
                database: settings.database,
                login: settings.login,
                secret: settings.secret,
            },
            language: settings.language,
            companies: settings.companies,
            retries: settings.retries,
            retry_delay: settings.retry_delay,
            identity: Mutex::new(None),
            release: OnceLock::new(),
        })
    }

    /// What ends this connection's requests from another thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    pub fn login(&self) -> &str {
        &self.credentials.login
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
        // JSON-2 came with 19.
        if self.protocol() == Protocol::Json2 {
            return Ok(true);
        }
        if let Some(release) = self.release.get() {
            return Ok(release.major >= 15);
        }
        let release = self.version()?;
        Ok(self.release.get_or_init(|| release).major >= 15)
    }

    /// The user and its companies, after a login that is made once: Odoo hashes the password
    /// for it, which takes it half a second.
    pub fn identity(&self) -> Result<Identity, Error> {
        let mut known = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = &*known {
            return Ok(identity.clone());
        }
        let uid = self.patiently(|| self.transport.login(&self.credentials))?;
        known_protocols().insert(self.place.clone(), self.protocol());
        let companies = self.companies_of(uid)?;
        self.check_language(uid)?;
        Ok(known.insert(Identity { uid, companies }).clone())
    }

    /// Whether the companies are still the user's, and the language is still installed: what
    /// Odoo says of other companies is what it says where a right is missing.
    pub fn check_options(&self) -> Result<(), Error> {
        let uid = self.identity()?.uid;
        self.companies_of(uid)?;
        self.check_language(uid)
    }

    /// The companies to see, the current one first: those that were asked for, or all of the
    /// user's. Without a context Odoo leaves out archived ones, which nobody may name.
    fn companies_of(&self, uid: i64) -> Result<Vec<i64>, Error> {
        let fields: Value = ["company_id", "company_ids"].into_iter().collect();
        let kwargs = vec![("fields", fields), ("load", "".into())];
        let answer = self.ask_at_login(uid, ("res.users", "read"), Some(vec![uid]), kwargs)?;
        let user = answer.as_array().and_then(<[Value]>::first);
        let current = user.and_then(|user| user.get("company_id")).and_then(Value::as_int);
        let all = user.and_then(|user| user.get("company_ids")).and_then(Value::as_array);
        let others = all.unwrap_or_default().iter().filter_map(Value::as_int);
        let own: Vec<i64> =
            current.into_iter().chain(others.filter(|id| Some(*id) != current)).collect();
        let lacking = self.companies.iter().copied().filter(|id| !own.contains(id));
        let lacking: Vec<i64> = lacking.collect();
        match (self.companies.is_empty(), lacking.is_empty()) {
            (true, _) => Ok(own),
            (false, true) => Ok(self.companies.clone()),
            _ => Err(Error::Companies { login: self.login().to_owned(), lacking, own }),
        }
    }

    /// Releases before 19 ignore a language that is not installed. Every user may ask which ones
    /// are: partners choose among them.
    fn check_language(&self, uid: i64) -> Result<(), Error> {
        let Some(language) = self.language.as_ref().filter(|language| *language != SOURCE) else {
            return Ok(());
        };
        let list = |name: &str| [name].into_iter().collect();
        let kwargs = vec![("allfields", list("lang")), ("attributes", list("selection"))];
        let answer = self.ask_at_login(uid, ("res.partner", "fields_get"), None, kwargs)?;
        let choice = answer.get("lang").and_then(|lang| lang.get("selection")?.as_array());
        let installed: Vec<String> = choice
            .unwrap_or_default()
            .iter()
            .filter_map(|pair| Some(pair.as_array()?.first()?.as_str()?.to_owned()))
            .collect();
        match choice.is_none() || installed.contains(language) {
            true => Ok(()),
            false => Err(Error::Language { language: language.clone(), installed }),
        }
    }

    /// Asks without a context, which the answer is needed for.
    fn ask_at_login(
        &self,
        uid: i64,
        (model, method): (&str, &str),
        ids: Option<Vec<i64>>,
        kwargs: Vec<(&str, Value)>,
    ) -> Result<Value, Error> {
        let request = Request {
            model: model.into(),
            method: method.into(),
            ids,
            args: Vec::new(),
            kwargs: kwargs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        Ok(self.call_as(uid, &request, ValueSink::default)?.finish())
    }

    /// Calls a method, which must be one that only reads, and hands its result to a sink.
    ///
    /// A request that fails for a passing reason is made again, with a new sink.
    pub fn read<S: Sink>(&self, request: &Request, sink: impl Fn() -> S) -> Result<S, Error> {
        self.call_as(self.identity()?.uid, request, sink)
    }

    /// Calls a method that may change something, and returns its result. It is asked once: a
    /// request that has left may have been carried out, whatever became of the answer.
    pub fn write(&self, request: &Request) -> Result<Value, Error> {
        let uid = self.identity()?.uid;
        let once = || {
            let mut sink = ValueSink::default();
            self.transport.execute(&self.credentials, uid, request, &mut sink)?;
            Ok(sink.finish())
        };
        self.again_if(Error::is_unsent, once)
    }

    fn call_as<S: Sink>(
        &self,
        uid: i64,
        request: &Request,
        sink: impl Fn() -> S,
    ) -> Result<S, Error> {
        let execute = || {
            let mut sink = sink();
            let done = self.transport.execute(&self.credentials, uid, request, &mut sink);
            match done.map_err(|error| self.after(error)) {
                // Too slow for so many records it will be again; the caller asks for fewer.
                Err(error @ Error::Timeout { .. }) if request.can_shrink() => Ok(Err(error)),
                done => done.map(|()| Ok(sink)),
            }
        };
        self.again_if(Error::is_transient, execute)?
    }

    /// Tries again, later and later, what failed for a passing reason.
    fn patiently<T>(&self, request: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
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

    /// Why a login is refused, where Odoo tells: `authenticate` has no words, while a call of a
    /// method, as nobody, has. A wrong secret counts once more.
    pub fn refusal(&self) -> Result<(), Error> {
        let request = Request {
            model: "res.users".into(),
            method: "context_get".into(),
            ids: None,
            args: Vec::new(),
            kwargs: Vec::new(),
        };
        self.transport.execute(&self.credentials, NOBODY, &request, &mut ValueSink::default())
    }

    /// Whether the secret is known to be an API key.
    pub fn secret_is_key(&self) -> bool {
        self.place.2
    }

    /// By what pages of a long read come.
    pub fn for_pages(&self) -> Result<ForPages, Error> {
        Ok(self.transport.for_pages(&self.credentials, self.identity()?.uid))
    }

    /// Whether Odoo keeps a session for this connection.
    pub fn has_session(&self) -> bool {
        self.transport.has_session()
    }

    /// Gives the session back, which takes a second at most.
    pub fn end(&self) {
        self.transport.end();
    }

    /// Whether a login has succeeded.
    pub fn is_logged_in(&self) -> bool {
        // Whoever holds the lock is logging in.
        self.identity.try_lock().is_ok_and(|identity| identity.is_some())
    }

    fn again_if<T>(
        &self,
        may_pass: impl Fn(&Error) -> bool,
        request: impl Fn() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut delay = self.retry_delay;
        for _ in 0..self.retries {
            match request() {
                Err(error) if may_pass(&error) => {
                    // Readers that failed together shall not come back together.
                    let wait = error.retry_after().unwrap_or(delay).min(MAX_DELAY);
                    if !self.canceller.sleep(wait.mul_f64(1.0 + random())) {
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
        if let Some(language) = &self.language {
            context.push(("lang".to_owned(), language.as_str().into()));
        }
        Ok(context)
    }
}

/// The language of texts that are not translated; it needs no installation.
const SOURCE: &str = "en_US";

/// URL, database, and whether the secret is an API key.
type Place = (String, String, bool);

type Protocols = HashMap<Place, Protocol>;

/// In which protocol this process last asked each server and database.
fn known_protocols() -> MutexGuard<'static, Protocols> {
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

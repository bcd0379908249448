//! Who the user is, and when Odoo is asked.
//!
//! Odoo hashes the password for a login, which takes it half a second; calls of methods carry the
//! user's id and the password, which its workers remember. So a login is made where nobody knows the
//! id, or where Odoo says that it is a wrong one.

use std::time::Instant;

use crate::odoo::client::connection::{Connection, known_protocols};
use crate::odoo::client::login::{Confirmed, Identity, Known};
use crate::odoo::error::Error;
use crate::odoo::fault::FaultKind;
use crate::odoo::value::{Value, ValueSink};
use crate::odoo::wire::protocol::Protocol;
use crate::odoo::wire::request::{NOBODY, Request};

/// What Odoo tells of a user.
struct User {
    login: String,
    /// The current one first.
    companies: Vec<i64>,
}

impl Connection {
    /// The user and its companies, after a login if nothing is known of it.
    pub fn identity(&self) -> Result<Identity, Error> {
        Ok(self.confirmed()?.identity)
    }

    /// The same as Odoo says it now.
    pub fn identity_now(&self) -> Result<Identity, Error> {
        let mut known = self.login.lock();
        if matches!(&*known, Known::Confirmed(confirmed) if confirmed.at < self.begun) {
            known.expire();
        }
        Ok(self.confirm(&mut known)?.identity)
    }

    /// The user's id, and the protocol that it was told in, if that is known without a question.
    pub fn user(&self) -> Option<(i64, Protocol)> {
        self.login.user()
    }

    /// Spares a login: the user's id, as an earlier one of the same name told it in a protocol.
    pub fn remember(&self, uid: i64, protocol: Protocol) {
        if self.login.remember(uid, protocol) {
            self.transport.begin_with(protocol);
        }
    }

    pub(super) fn confirmed(&self) -> Result<Confirmed, Error> {
        self.confirm(&mut self.login.lock())
    }

    /// What Odoo says after a login that is made once more, because what it said earlier is
    /// outdated; unless another thread has just had it made.
    pub(super) fn confirmed_after(&self, earlier: Instant) -> Result<Confirmed, Error> {
        let mut known = self.login.lock();
        if matches!(&*known, Known::Confirmed(now) if now.at == earlier) {
            *known = Known::Nothing;
        }
        self.confirm(&mut known)
    }

    fn confirm(&self, known: &mut Known) -> Result<Confirmed, Error> {
        let identity = match *known {
            Known::Confirmed(ref confirmed) => return Ok(confirmed.clone()),
            Known::Uid(uid, _) => self.identity_of(uid)?,
            Known::Nothing => None,
        };
        // Whoever is refused is nobody.
        *known = Known::Nothing;
        let identity = identity.map_or_else(|| self.log_in(), Ok)?;
        let (at, protocol) = (Instant::now(), self.protocol());
        let confirmed = Confirmed { identity, at, protocol };
        *known = Known::Confirmed(confirmed.clone());
        Ok(confirmed)
    }

    fn log_in(&self) -> Result<Identity, Error> {
        let uid = self.patiently(|| self.transport.login(&self.settings.credentials))?;
        known_protocols().insert(self.settings.place(), self.protocol());
        self.identity_from(uid, self.described(uid)?)
    }

    /// The user with an id that was remembered; `None` if it is another one by now, or nobody.
    fn identity_of(&self, uid: i64) -> Result<Option<Identity>, Error> {
        // Of JSON-2 Odoo asks no id, and a login costs it nothing.
        if self.protocol() == Protocol::Json2 {
            return Ok(None);
        }
        match self.described(uid) {
            Ok(user) if user.login == self.login() => self.identity_from(uid, user).map(Some),
            Ok(_) => Ok(None),
            Err(error) if error.fault_kind() == Some(&FaultKind::CoolDown) => Err(error),
            // Of an id that is nobody's each release says something else.
            Err(error) if self.may_log_in(&error) || error.fault_kind().is_some() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn identity_from(&self, uid: i64, user: User) -> Result<Identity, Error> {
        let companies = self.chosen_companies(user.companies)?;
        self.check_language(uid)?;
        Ok(Identity { uid, companies })
    }

    /// Whether the companies are still the user's, and the language is still installed: what
    /// Odoo says of other companies is what it says where a right is missing.
    pub fn check_options(&self) -> Result<(), Error> {
        let uid = self.identity()?.uid;
        self.chosen_companies(self.described(uid)?.companies)?;
        self.check_language(uid)
    }

    /// Without a context Odoo leaves out archived companies, which nobody may name.
    fn described(&self, uid: i64) -> Result<User, Error> {
        let fields: Value = ["login", "company_id", "company_ids"].into_iter().collect();
        let kwargs = vec![("fields", fields), ("load", "".into())];
        let answer = self.ask_at_login(uid, ("res.users", "read"), Some(vec![uid]), kwargs)?;
        let user = answer.as_array().and_then(<[Value]>::first);
        let get = |name| user.and_then(|user| user.get(name));
        let current = get("company_id").and_then(Value::as_int);
        let all = get("company_ids").and_then(Value::as_array).unwrap_or_default();
        let others = all.iter().filter_map(Value::as_int).filter(|id| Some(*id) != current);
        let login = get("login").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(User { login, companies: current.into_iter().chain(others).collect() })
    }

    /// The companies to see: those that were asked for, or all of the user's.
    fn chosen_companies(&self, own: Vec<i64>) -> Result<Vec<i64>, Error> {
        let chosen = &self.settings.companies;
        let lacking: Vec<i64> = chosen.iter().copied().filter(|id| !own.contains(id)).collect();
        match (chosen.is_empty(), lacking.is_empty()) {
            (true, _) => Ok(own),
            (false, true) => Ok(chosen.clone()),
            _ => Err(Error::Companies { login: self.login().to_owned(), lacking, own }),
        }
    }

    /// Releases before 19 ignore a language that is not installed. Every user may ask which ones
    /// are: partners choose among them.
    fn check_language(&self, uid: i64) -> Result<(), Error> {
        let language = self.settings.language.as_ref();
        let Some(language) = language.filter(|language| *language != SOURCE) else {
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
        let kwargs = kwargs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let request = Request { ids, kwargs, ..Request::asking(model, method) };
        Ok(self.call_as(uid, &request, ValueSink::default)?.finish())
    }

    /// Why a login is refused, where Odoo tells: `authenticate` has no words, while a call of a
    /// method, as nobody, has. A wrong secret counts once more.
    pub fn refusal(&self) -> Result<(), Error> {
        let request = Request::asking("res.users", "context_get");
        let credentials = &self.settings.credentials;
        self.transport.execute(credentials, NOBODY, &request, &mut ValueSink::default())
    }
}

/// The language of texts that are not translated; it needs no installation.
const SOURCE: &str = "en_US";

//! A call of one of Odoo's methods, and what sends it.

use crate::odoo::error::Error;
use crate::odoo::sink::Sink;
use crate::odoo::value::Value;
use crate::odoo::wire::protocol::Protocol;

/// The id of no user.
pub const NOBODY: i64 = 0;

/// Who calls, and in which database.
#[derive(Clone, PartialEq)]
pub struct Credentials {
    pub database: String,
    pub login: String,
    /// A password or an API key: Odoo takes either in the same place.
    pub secret: String,
}

/// A call of a model's method.
#[derive(Debug, Clone)]
pub struct Request {
    pub model: String,
    pub method: String,
    /// The records that the method is called on; `None` for a method of the model.
    pub ids: Option<Vec<i64>>,
    /// In the method's own order. XML-RPC and JSON-RPC send them by position, because some
    /// names changed between releases; JSON-2 sends them by name.
    pub args: Vec<(&'static str, Value)>,
    /// Sent by name everywhere.
    pub kwargs: Vec<(String, Value)>,
    /// Whether it may change something. It is sent once then.
    pub changes: bool,
}

impl Request {
    /// A call of a method that only reads, without arguments.
    pub fn asking(model: &str, method: &str) -> Request {
        Request {
            model: model.to_owned(),
            method: method.to_owned(),
            ids: None,
            args: Vec::new(),
            kwargs: Vec::new(),
            changes: false,
        }
    }

    /// How errors name the call.
    pub fn label(&self) -> String {
        format!("{}.{}", self.model, self.method)
    }

    /// Whether the same could be asked for fewer records.
    pub fn can_shrink(&self) -> bool {
        self.ids.as_ref().is_some_and(|ids| ids.len() > 1)
    }
}

impl Credentials {
    /// The arguments of `common.authenticate`.
    pub fn for_login(&self) -> Vec<Value> {
        let texts = [&self.database, &self.login, &self.secret].map(|text| text.as_str().into());
        texts.into_iter().chain([Value::Struct(Vec::new())]).collect()
    }
}

/// The user that `common.authenticate` answers with: `false` for a wrong login, never a fault.
pub fn authenticated(answer: &Value, credentials: &Credentials) -> Result<i64, Error> {
    answer.as_int().filter(|uid| *uid > 0).ok_or_else(|| Error::Denied {
        login: credentials.login.clone(),
        database: credentials.database.clone(),
    })
}

/// The arguments of `object.execute_kw`.
pub fn arguments(credentials: &Credentials, uid: i64, request: &Request) -> Vec<Value> {
    let ids = request.ids.iter().map(|ids| ids.iter().copied().collect());
    let args = request.args.iter().map(|(_, value)| value.clone());
    vec![
        credentials.database.as_str().into(),
        uid.into(),
        credentials.secret.as_str().into(),
        request.model.as_str().into(),
        request.method.as_str().into(),
        Value::Array(ids.chain(args).collect()),
        Value::Struct(request.kwargs.clone()),
    ]
}

/// By what pages of a long read come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForPages {
    /// By the same protocol as all else.
    Same,
    /// By the web client's.
    Web,
    /// By the same, as a login by that of an administrator changes Odoo.
    Administrator,
}

/// A client of one of Odoo's protocols.
pub trait Transport: Send + Sync {
    fn protocol(&self) -> Protocol;

    /// The struct of `common.version()`, or of `/json/version`; needs no login.
    fn version(&self) -> Result<Value, Error>;

    /// Asks something small, in the protocol that is in use.
    fn ping(&self) -> Result<(), Error> {
        self.version().map(drop)
    }

    /// The id of the user, or [`Error::Denied`].
    fn login(&self, credentials: &Credentials) -> Result<i64, Error>;

    /// Begins with a protocol that the server was asked in before, where there is a choice.
    fn begin_with(&self, _protocol: Protocol) {}

    /// Calls a method and hands its result to the sink.
    fn execute(
        &self,
        credentials: &Credentials,
        uid: i64,
        request: &Request,
        sink: &mut dyn Sink,
    ) -> Result<(), Error>;

    /// By what pages of a long read come.
    fn for_pages(&self, _credentials: &Credentials, _uid: i64) -> ForPages {
        ForPages::Same
    }
}

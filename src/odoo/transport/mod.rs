//! How a request reaches Odoo and its answer comes back.

mod authorities;
pub mod hosts;
pub mod http;
mod interruptible;
pub mod xmlrpc;

use super::error::Error;
use super::sink::Sink;
use super::value::Value;

/// Who calls, and in which database.
#[derive(Clone)]
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
}

impl Request {
    /// How errors name the call.
    pub fn label(&self) -> String {
        format!("{}.{}", self.model, self.method)
    }

    /// Whether the same could be asked for fewer records.
    pub fn can_shrink(&self) -> bool {
        self.ids.as_ref().is_some_and(|ids| ids.len() > 1)
    }
}

/// One of Odoo's protocols.
pub trait Transport: Send + Sync {
    /// The struct of `common.version()`; needs no login.
    fn version(&self) -> Result<Value, Error>;

    /// The id of the user, or [`Error::Denied`].
    fn login(&self, credentials: &Credentials) -> Result<i64, Error>;

    /// Calls a method and hands its result to the sink.
    fn execute(
        &self,
        credentials: &Credentials,
        uid: i64,
        request: &Request,
        sink: &mut dyn Sink,
    ) -> Result<(), Error>;
}

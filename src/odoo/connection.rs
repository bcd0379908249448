//! One user's session with one database of an Odoo server.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::error::Error;
use super::model::Model;
use super::sink::Sink;
use super::transport::http::{Canceller, Endpoint, Http};
use super::transport::xmlrpc::XmlRpc;
use super::transport::{Credentials, Request, Transport};
use super::value::Value;
use super::version::Version;

/// Everything that a connection is made of.
#[derive(Clone)]
pub struct Settings {
    /// `https://host[:port][/prefix]`
    pub url: String,
    pub database: String,
    pub login: String,
    /// A password or an API key.
    pub secret: String,
    /// The language of translated texts, e.g. `fr_FR`; `None` for the source's.
    pub language: Option<String>,
    /// For the first byte of an answer, and again for its body.
    pub timeout: Duration,
    /// Bytes that an answer may have, after decompression.
    pub max_response: u64,
    /// The PEM text of the certificates to trust instead of the system's.
    pub ca: Option<String>,
}

/// A session that several threads may use at once; they share its login.
pub struct Connection {
    transport: Box<dyn Transport>,
    canceller: Canceller,
    credentials: Credentials,
    language: Option<String>,
    uid: Mutex<Option<i64>>,
}

impl Connection {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Tls`] for certificates that cannot be read.
    pub fn new(settings: Settings) -> Result<Connection, Error> {
        let http = Http::new(Endpoint {
            url: settings.url,
            timeout: settings.timeout,
            max_response: settings.max_response,
            ca: settings.ca,
        })?;
        Ok(Connection {
            canceller: http.canceller(),
            transport: Box::new(XmlRpc::new(http)),
            credentials: Credentials {
                database: settings.database,
                login: settings.login,
                secret: settings.secret,
            },
            language: settings.language,
            uid: Mutex::new(None),
        })
    }

    /// What ends this connection's requests from another thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// Odoo's release. Asked for without a login.
    pub fn version(&self) -> Result<Version, Error> {
        let answer = self.transport.version()?;
        Version::from_value(&answer).ok_or_else(|| Error::Malformed {
            status: 200,
            content_type: "text/xml".into(),
            reason: "common.version() returned no version of Odoo".into(),
            beginning: answer.into_json().to_string().chars().take(200).collect(),
        })
    }

    /// The id of the user, after a login that is made once: Odoo hashes the password for it,
    /// which takes it half a second.
    pub fn uid(&self) -> Result<i64, Error> {
        let mut uid = self.uid.lock().unwrap_or_else(PoisonError::into_inner);
        match *uid {
            Some(uid) => Ok(uid),
            None => Ok(*uid.insert(self.transport.login(&self.credentials)?)),
        }
    }

    /// Calls a method and hands its result to the sink.
    pub fn execute(&self, request: &Request, sink: &mut dyn Sink) -> Result<(), Error> {
        let uid = self.uid()?;
        self.transport.execute(&self.credentials, uid, request, sink)
    }

    pub fn model<'c>(&'c self, name: &'c str) -> Model<'c> {
        Model::new(self, name)
    }

    /// The context of every call: archived records are records too.
    pub fn context(&self) -> Value {
        let mut context = vec![("active_test".to_owned(), Value::Bool(false))];
        if let Some(language) = &self.language {
            context.push(("lang".to_owned(), language.as_str().into()));
        }
        Value::Struct(context)
    }
}

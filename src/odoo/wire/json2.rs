//! JSON-2, of Odoo 19 on: `/json/2/<model>/<method>`, arguments by name, an API key as bearer
//! token, and errors that have an HTTP status of their own (`Json2Dispatcher` in `odoo/http.py`).

use crate::odoo::error::Error;
use crate::odoo::fault::Fault;
use crate::odoo::sink::Sink;
use crate::odoo::value::{Value, ValueSink};
use crate::odoo::wire::http::exchange::{Http, Message};
use crate::odoo::wire::json::{decode_error, decode_value, encode};
use crate::odoo::wire::protocol::Protocol;
use crate::odoo::wire::request::{Credentials, Request, Transport};

pub struct Json2 {
    http: Http,
}

impl Json2 {
    pub fn new(http: Http) -> Json2 {
        Json2 { http }
    }

    fn send(
        &self,
        message: &Message<'_>,
        label: &str,
        credentials: Option<&Credentials>,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let answer = self.http.exchange(message, |status, reader| match status {
            200 => decode_value(reader, sink).map(Ok),
            status => decode_error(reader).map(|error| Err((status, error))),
        })?;
        answer.map_err(|(status, error)| {
            let text = |name: &str| error[name].as_str().unwrap_or_default();
            match (status, credentials) {
                (401, Some(credentials)) => Error::Denied {
                    login: credentials.login.clone(),
                    database: credentials.database.clone(),
                },
                // No error of JSON-2: 14 and 15 say so in JSON-RPC's words, having no such address.
                _ if text("name").is_empty() => {
                    self.http.unexplained(&message.path, status, &error)
                }
                _ => Error::Fault(Fault::from_exception(
                    text("name"),
                    text("message"),
                    text("debug"),
                    label.to_owned(),
                )),
            }
        })
    }
}

impl Transport for Json2 {
    fn protocol(&self) -> Protocol {
        Protocol::Json2
    }

    fn version(&self) -> Result<Value, Error> {
        let message = Message {
            path: "/json/version".into(),
            content_type: "application/json",
            headers: Vec::new(),
            body: None,
            protocol: self.protocol(),
            explains_errors: true,
            cookie: None,
            limit: None,
            is_once: false,
        };
        let mut sink = ValueSink::default();
        self.send(&message, "version", None, &mut sink)?;
        let answer = sink.finish();
        let member = |name: &str| answer.get(name).cloned().unwrap_or(Value::Null);
        Ok([
            ("server_version".to_owned(), member("version")),
            ("server_version_info".to_owned(), member("version_info")),
        ]
        .into_iter()
        .collect())
    }

    /// The key says who it is; the login of the user mapping is not sent.
    fn login(&self, credentials: &Credentials) -> Result<i64, Error> {
        let request = Request::asking("res.users", "context_get");
        let mut sink = ValueSink::default();
        self.execute(credentials, 0, &request, &mut sink)?;
        let context = sink.finish();
        context.get("uid").and_then(Value::as_int).ok_or_else(|| Error::Denied {
            login: credentials.login.clone(),
            database: credentials.database.clone(),
        })
    }

    fn execute(
        &self,
        credentials: &Credentials,
        _uid: i64,
        request: &Request,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let ids = request.ids.iter().map(|ids| ("ids".to_owned(), ids.iter().copied().collect()));
        let args = request.args.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let body = encode(&ids.chain(args).chain(request.kwargs.iter().cloned()).collect());
        let message = Message {
            path: format!("/json/2/{}/{}", request.model, request.method),
            content_type: "application/json",
            headers: vec![
                ("Authorization", format!("bearer {}", credentials.secret)),
                ("X-Odoo-Database", credentials.database.clone()),
            ],
            body: Some(&body),
            protocol: self.protocol(),
            explains_errors: true,
            cookie: None,
            limit: None,
            is_once: request.changes,
        };
        self.send(&message, &request.label(), Some(credentials), sink)
    }
}

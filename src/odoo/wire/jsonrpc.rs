//! JSON-RPC as Odoo 14 to 21 speaks it: `/jsonrpc`, with the services and positions of XML-RPC.

use crate::odoo::error::Error;
use crate::odoo::fault::Fault;
use crate::odoo::sink::Sink;
use crate::odoo::value::{Value, ValueSink};
use crate::odoo::wire::http::exchange::{Http, Message};
use crate::odoo::wire::json::{Answer, decode_answer, encode};
use crate::odoo::wire::protocol::Protocol;
use crate::odoo::wire::request::{Credentials, Request, Transport, arguments, authenticated};

pub struct JsonRpc {
    http: Http,
}

impl JsonRpc {
    pub fn new(http: Http) -> JsonRpc {
        JsonRpc { http }
    }

    fn call(
        &self,
        service: &str,
        method: &str,
        args: Vec<Value>,
        request: Option<&Request>,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let body = envelope(vec![
            ("service", service.into()),
            ("method", method.into()),
            ("args", Value::Array(args)),
        ]);
        let message = Message {
            path: "/jsonrpc".into(),
            content_type: "application/json",
            headers: Vec::new(),
            body: Some(&body),
            protocol: self.protocol(),
            explains_errors: false,
            cookie: None,
            limit: None,
            is_once: request.is_some_and(|request| request.changes),
        };
        match self.http.exchange(&message, |_, reader| decode_answer(reader, sink))? {
            Answer::Result => Ok(()),
            Answer::Error(error) => {
                Err(Error::Fault(fault(&error, request.map_or(method.to_owned(), Request::label))))
            }
        }
    }

    fn common(&self, method: &str, args: Vec<Value>) -> Result<Value, Error> {
        let mut sink = ValueSink::default();
        self.call("common", method, args, None, &mut sink)?;
        Ok(sink.finish())
    }
}

/// The body of a request.
pub fn envelope(params: Vec<(&str, Value)>) -> Vec<u8> {
    let named = |members: Vec<(&str, Value)>| -> Value {
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    };
    let params = named(params);
    encode(&named(vec![("jsonrpc", "2.0".into()), ("method", "call".into()), ("params", params)]))
}

/// What the member `error` of an answer tells.
pub fn fault(error: &serde_json::Value, call: String) -> Fault {
    let text = |name: &str| error["data"][name].as_str().unwrap_or_default();
    let message = match text("message") {
        "" => error["message"].as_str().unwrap_or_default(),
        message => message,
    };
    let whole = error.to_string();
    let message = if message.is_empty() { &whole } else { message };
    Fault::from_exception(text("name"), message, text("debug"), call)
}

impl Transport for JsonRpc {
    fn protocol(&self) -> Protocol {
        Protocol::JsonRpc
    }

    fn version(&self) -> Result<Value, Error> {
        self.common("version", Vec::new())
    }

    fn login(&self, credentials: &Credentials) -> Result<i64, Error> {
        let answer = self.common("authenticate", credentials.for_login())?;
        authenticated(&answer, credentials)
    }

    fn execute(
        &self,
        credentials: &Credentials,
        uid: i64,
        request: &Request,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let args = arguments(credentials, uid, request);
        self.call("object", "execute_kw", args, Some(request), sink)
    }
}

//! XML-RPC as Odoo 14 to 21 speaks it, `/xmlrpc/2/common` and `/xmlrpc/2/object`: in, a call, and a
//! body as it comes; out, a body, and what a sink is told. May call the errors, values and sinks of
//! [`crate::odoo`] alone.

mod decode;
mod encode;

pub use decode::{Answer, decode};

use crate::odoo::error::Error;
use crate::odoo::fault::Fault;
use crate::odoo::sink::Sink;
use crate::odoo::value::{Value, ValueSink};
use crate::odoo::wire::http::exchange::{Http, Message};
use crate::odoo::wire::protocol::Protocol;
use crate::odoo::wire::request::{Credentials, Request, Transport, arguments, authenticated};

pub struct XmlRpc {
    http: Http,
}

impl XmlRpc {
    pub fn new(http: Http) -> XmlRpc {
        XmlRpc { http }
    }

    fn call(
        &self,
        service: &str,
        method: &str,
        params: &[Value],
        request: Option<&Request>,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let body =
            encode::method_call(method, params).map_err(|encode::Unsendable(character)| {
                Error::Character { character, protocol: self.protocol() }
            })?;
        let message = Message {
            path: format!("/xmlrpc/2/{service}"),
            content_type: "text/xml",
            headers: Vec::new(),
            body: Some(body.as_bytes()),
            protocol: self.protocol(),
            explains_errors: false,
            cookie: None,
            limit: None,
            is_once: request.is_some_and(|request| request.changes),
        };
        let answer = self.http.exchange(&message, |_, reader| decode(reader, sink))?;
        match answer {
            Answer::Result => Ok(()),
            Answer::Fault { code, text } => {
                let call = request.map_or(method.to_owned(), Request::label);
                Err(Error::Fault(Fault::from_xmlrpc(code, &text, call)))
            }
        }
    }

    fn common(&self, method: &str, params: &[Value]) -> Result<Value, Error> {
        let mut sink = ValueSink::default();
        self.call("common", method, params, None, &mut sink)?;
        Ok(sink.finish())
    }
}

impl Transport for XmlRpc {
    fn protocol(&self) -> Protocol {
        Protocol::XmlRpc
    }

    fn version(&self) -> Result<Value, Error> {
        self.common("version", &[])
    }

    fn login(&self, credentials: &Credentials) -> Result<i64, Error> {
        let answer = self.common("authenticate", &credentials.for_login())?;
        authenticated(&answer, credentials)
    }

    fn execute(
        &self,
        credentials: &Credentials,
        uid: i64,
        request: &Request,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let params = arguments(credentials, uid, request);
        self.call("object", "execute_kw", &params, Some(request), sink)
    }
}

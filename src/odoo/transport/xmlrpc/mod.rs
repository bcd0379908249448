//! XML-RPC as Odoo 14 to 21 speaks it: `/xmlrpc/2/common` and `/xmlrpc/2/object`.

mod decode;
mod encode;

pub use decode::{Answer, decode};

use super::http::Http;
use super::{Credentials, Request, Transport};
use crate::odoo::error::{Error, Fault};
use crate::odoo::sink::Sink;
use crate::odoo::value::{Value, ValueSink};

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
        label: &str,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let body = encode::method_call(method, params);
        let path = format!("/xmlrpc/2/{service}");
        let answer =
            self.http.post(&path, "text/xml", body.as_bytes(), |reader| decode(reader, sink))?;
        match answer {
            Answer::Result => Ok(()),
            Answer::Fault { code, text } => {
                Err(Error::Fault(Fault::from_xmlrpc(code, &text, label.to_owned())))
            }
        }
    }

    fn common(&self, method: &str, params: &[Value]) -> Result<Value, Error> {
        let mut sink = ValueSink::default();
        self.call("common", method, params, method, &mut sink)?;
        Ok(sink.finish())
    }
}

impl Transport for XmlRpc {
    fn version(&self) -> Result<Value, Error> {
        self.common("version", &[])
    }

    fn login(&self, credentials: &Credentials) -> Result<i64, Error> {
        let answer = self.common(
            "authenticate",
            &[
                credentials.database.as_str().into(),
                credentials.login.as_str().into(),
                credentials.secret.as_str().into(),
                Value::Struct(Vec::new()),
            ],
        )?;
        // False for a wrong login, never a fault.
        answer.as_int().filter(|uid| *uid > 0).ok_or_else(|| Error::Denied {
            login: credentials.login.clone(),
            database: credentials.database.clone(),
        })
    }

    fn execute(
        &self,
        credentials: &Credentials,
        uid: i64,
        request: &Request,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let ids = request.ids.iter().map(|ids| ids.iter().copied().collect());
        let args = request.args.iter().map(|(_, value)| value.clone());
        let params = [
            credentials.database.as_str().into(),
            uid.into(),
            credentials.secret.as_str().into(),
            request.model.as_str().into(),
            request.method.as_str().into(),
            Value::Array(ids.chain(args).collect()),
            Value::Struct(request.kwargs.clone()),
        ];
        self.call("object", "execute_kw", &params, &request.label(), sink)
    }
}

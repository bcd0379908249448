//! What speaks a protocol: the one that was chosen, or the one that the server answers in.

use std::sync::{Mutex, PoisonError};

use crate::odoo::error::Error;
use crate::odoo::sink::Sink;
use crate::odoo::value::Value;
use crate::odoo::wire::http::exchange::Http;
use crate::odoo::wire::json2::Json2;
use crate::odoo::wire::jsonrpc::JsonRpc;
use crate::odoo::wire::pages::Pages;
use crate::odoo::wire::protocol::Protocol;
use crate::odoo::wire::request::{Credentials, ForPages, Request, Transport};
use crate::odoo::wire::web::Web;
use crate::odoo::wire::xmlrpc::XmlRpc;

/// What speaks a protocol, or the one that the server answers in: of several that it offers the
/// fastest, and `known` before others.
pub fn transport(
    http: &Http,
    wanted: Option<Protocol>,
    secret_is_key: bool,
    known: Option<Protocol>,
) -> Box<dyn Transport> {
    match wanted {
        Some(protocol) => speaking(protocol, http, secret_is_key),
        None => Box::new(Auto::new(http, secret_is_key, known)),
    }
}

fn speaking(protocol: Protocol, http: &Http, secret_is_key: bool) -> Box<dyn Transport> {
    let http = http.clone();
    match protocol {
        Protocol::XmlRpc => Box::new(XmlRpc::new(http)),
        Protocol::JsonRpc => Box::new(JsonRpc::new(http)),
        Protocol::Json2 => Box::new(Json2::new(http)),
        Protocol::Web => Box::new(Web::new(http, secret_is_key)),
    }
}

/// Tries one protocol after the other, and stays with the first that is there.
struct Auto {
    candidates: Vec<Box<dyn Transport>>,
    /// The candidate that logged in.
    chosen: Mutex<usize>,
    /// Takes passwords only.
    pages: Option<Pages>,
}

impl Auto {
    /// `first` is the one that was there before. JSON-2 takes nothing but API keys.
    fn new(http: &Http, secret_is_key: bool, first: Option<Protocol>) -> Auto {
        let usual = Protocol::BY_SPEED.into_iter();
        let usual = usual.filter(|protocol| secret_is_key || *protocol != Protocol::Json2);
        let mut order: Vec<Protocol> = usual.collect();
        order.sort_by_key(|protocol| Some(*protocol) != first);
        Auto {
            candidates: order
                .into_iter()
                .map(|protocol| speaking(protocol, http, secret_is_key))
                .collect(),
            chosen: Mutex::new(0),
            pages: (!secret_is_key).then(|| Pages::new(http)),
        }
    }

    fn transport(&self) -> &dyn Transport {
        let chosen = *self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        self.candidates[chosen].as_ref()
    }

    /// Asks the chosen candidate, and while there is nothing at its address the next one.
    fn choose<T>(&self, ask: impl Fn(&dyn Transport) -> Result<T, Error>) -> Result<T, Error> {
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match ask(self.candidates[*chosen].as_ref()) {
                Err(error) if error.is_not_there() && *chosen + 1 < self.candidates.len() => {
                    *chosen += 1;
                }
                done => return done,
            }
        }
    }
}

impl Transport for Auto {
    fn protocol(&self) -> Protocol {
        self.transport().protocol()
    }

    fn version(&self) -> Result<Value, Error> {
        self.choose(|transport| transport.version())
    }

    /// Readers that wait for it keep nobody from asking.
    fn ping(&self) -> Result<(), Error> {
        self.transport().ping()
    }

    fn login(&self, credentials: &Credentials) -> Result<i64, Error> {
        self.choose(|transport| transport.login(credentials))
    }

    fn execute(
        &self,
        credentials: &Credentials,
        uid: i64,
        request: &Request,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let transport = self.transport();
        let pages = self.pages.as_ref();
        pages
            .and_then(|pages| pages.read(transport, credentials, uid, request, sink))
            .unwrap_or_else(|| transport.execute(credentials, uid, request, sink))
    }

    fn for_pages(&self, credentials: &Credentials, uid: i64) -> ForPages {
        match &self.pages {
            Some(pages) => pages.outlook(self.transport(), credentials, uid),
            None => ForPages::Same,
        }
    }

    fn has_session(&self) -> bool {
        self.pages.as_ref().is_some_and(Pages::has_session)
    }

    fn end(&self) {
        self.pages.iter().for_each(Pages::end);
    }
}

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
use crate::odoo::wire::web::{Web, WebSession};
use crate::odoo::wire::xmlrpc::XmlRpc;

/// What speaks a protocol, or the one that the server answers in: of several that it offers the
/// fastest, and `known` before others.
pub fn transport(
    http: &Http,
    wanted: Option<Protocol>,
    secret_is_key: bool,
    known: Option<Protocol>,
    session: &WebSession,
) -> Box<dyn Transport> {
    let speaking = |protocol| speaking(protocol, http, secret_is_key, session);
    match wanted {
        Some(protocol) => speaking(protocol),
        // JSON-2 takes nothing but API keys, the web client's nothing but passwords.
        None if secret_is_key => Box::new(Auto::new(&Protocol::BY_SPEED, known, speaking, None)),
        None => {
            let pages = Pages::new(http, session);
            Box::new(Auto::new(&Protocol::BY_SPEED[1..], known, speaking, Some(pages)))
        }
    }
}

fn speaking(
    protocol: Protocol,
    http: &Http,
    secret_is_key: bool,
    session: &WebSession,
) -> Box<dyn Transport> {
    let http = http.clone();
    match protocol {
        Protocol::XmlRpc => Box::new(XmlRpc::new(http)),
        Protocol::JsonRpc => Box::new(JsonRpc::new(http)),
        Protocol::Json2 => Box::new(Json2::new(http)),
        Protocol::Web => Box::new(Web::new(http, session, !secret_is_key)),
    }
}

/// Tries one protocol after the other, and stays with the first that is there.
struct Auto {
    candidates: Vec<Box<dyn Transport>>,
    /// The candidate that logged in.
    chosen: Mutex<usize>,
    pages: Option<Pages>,
}

impl Auto {
    /// `first` is the one that was there before.
    fn new(
        usual: &[Protocol],
        first: Option<Protocol>,
        speaking: impl Fn(Protocol) -> Box<dyn Transport>,
        pages: Option<Pages>,
    ) -> Auto {
        let mut order = usual.to_vec();
        order.sort_by_key(|protocol| Some(*protocol) != first);
        let candidates = order.into_iter().map(speaking).collect();
        Auto { candidates, chosen: Mutex::new(0), pages }
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

    fn begin_with(&self, protocol: Protocol) {
        let mut known = self.candidates.iter().map(|candidate| candidate.protocol());
        if let Some(index) = known.position(|known| known == protocol) {
            *self.chosen.lock().unwrap_or_else(PoisonError::into_inner) = index;
        }
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
}

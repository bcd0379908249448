//! Sockets to one server, which may outlive a connection, and a way to end all that is asked
//! through them.

use std::thread;
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{Connector, RustlsConnector};

use crate::odoo::error::Error;
use crate::odoo::wire::http::authorities::authorities;
use crate::odoo::wire::http::hosts::AllowedHosts;
use crate::odoo::wire::http::interruptible::{
    CancelFlag, InterruptibleConnector, InterruptibleResolver,
};
use crate::odoo::wire::traffic::Meter;

/// Connecting takes this long at most, whatever the time-out of requests.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A socket that has been idle for longer is not used again: proxies keep one for a minute or so,
/// firewalls for a few, and forget it without a word.
const MAX_IDLE: Duration = Duration::from_secs(55);

/// What a connection needs to know about its server.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `https://host[:port][/prefix]`
    pub url: String,
    /// For the first byte of an answer, and again for its body.
    pub timeout: Duration,
    /// Bytes that an answer may have, after decompression.
    pub max_response: u64,
    /// The PEM text of the authorities to trust besides the system's.
    pub ca: Option<String>,
    pub allowed: AllowedHosts,
    pub meter: Meter,
}

/// Sockets of one server, those in use and idle ones. Several threads may use it at once; clones
/// share them.
#[derive(Clone)]
pub struct Line {
    pub(super) agent: Agent,
    cancelled: CancelFlag,
}

impl Line {
    /// Nothing is connected yet.
    pub fn new(endpoint: &Endpoint) -> Result<Line, Error> {
        let root_certs = authorities(endpoint.ca.as_deref())
            .map_err(|reason| Error::Tls { url: endpoint.url.clone(), reason })?;
        let timeout = Some(endpoint.timeout);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect is an error here: the secret is for this host alone.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // The server's environment is not where a DBA looks for a proxy.
            .proxy(None)
            .user_agent(concat!("odoo_etl/", env!("CARGO_PKG_VERSION")))
            .max_idle_age(MAX_IDLE)
            .timeout_resolve(Some(CONNECT_TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_send_request(timeout)
            .timeout_send_body(timeout)
            .timeout_recv_response(timeout)
            .timeout_recv_body(timeout)
            .tls_config(TlsConfig::builder().root_certs(root_certs).build())
            .build();
        let cancelled = CancelFlag::default();
        let connector = InterruptibleConnector { cancelled: cancelled.clone() }
            .chain(RustlsConnector::default());
        let resolver = InterruptibleResolver {
            cancelled: cancelled.clone(),
            allowed: endpoint.allowed.clone(),
        };
        Ok(Line { agent: Agent::with_parts(config, connector, resolver), cancelled })
    }

    /// Ends all requests, those in flight and those to come.
    pub fn cancel(&self) {
        self.cancelled.set();
        self.agent.clone().shutdown();
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_set()
    }

    /// Sleeps, but no longer than until the cancel. Returns whether it slept to the end.
    pub fn sleep(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while !self.is_cancelled() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(Duration::from_millis(50)));
        }
        false
    }
}

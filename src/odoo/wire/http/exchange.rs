//! HTTP as Odoo's protocols need it: one host, POST, keep-alive, gzip, TLS, time-outs, a cap on
//! the answer, and a way to end everything from another thread.

use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use ureq::http::Uri;
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{Connector, RustlsConnector};
use ureq::{Agent, Body, RequestBuilder, Timeout};

use crate::odoo::error::{Error, is_passing};
use crate::odoo::wire::http::authorities::authorities;
use crate::odoo::wire::http::body::{BEGINNING, DecodeError, Witness};
use crate::odoo::wire::http::cookie::Cookie;
use crate::odoo::wire::http::hosts::AllowedHosts;
use crate::odoo::wire::http::interruptible::{
    CancelFlag, InterruptibleConnector, InterruptibleResolver,
};
use crate::odoo::wire::protocol::Protocol;
use crate::odoo::wire::traffic::Meter;

/// Connecting takes this long at most, whatever the time-out of requests.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

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

/// Checks the form of a server's URL and returns it without a slash at its end.
pub fn check_url(url: &str) -> Result<String, Error> {
    let wrong = |reason: &str| Err(Error::Url { url: url.to_owned(), reason: reason.to_owned() });
    let Ok(uri) = url.parse::<Uri>() else {
        return wrong("it is not of the form https://host[:port][/path]");
    };
    let Some(authority) = uri.authority() else {
        return wrong("it has no host");
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return wrong("it begins with neither https:// nor http://");
    }
    if authority.as_str().contains('@') {
        // The text of this URL would hold the password.
        let reason = "credentials belong in the user mapping".to_owned();
        return Err(Error::Url { url: "https://…@…".into(), reason });
    }
    if authority.host().is_empty() {
        return wrong("it has no host");
    }
    if uri.query().is_some() || url.contains('#') {
        return wrong("it has a query or a fragment");
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// Whether a URL leads to this very machine.
pub fn is_loopback(url: &str) -> bool {
    let uri = url.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An HTTP client of one server. Several threads may use it at once; clones share connections.
#[derive(Clone)]
pub struct Http {
    agent: Agent,
    cancelled: CancelFlag,
    endpoint: Endpoint,
    clock: Clock,
}

/// The server's clock, as its last answer told it.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<Mutex<Option<DateTime<Utc>>>>);

impl Clock {
    pub fn read(&self) -> Option<DateTime<Utc>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, header: &str) {
        if let Ok(time) = DateTime::parse_from_rfc2822(header) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(time.to_utc());
        }
    }
}

/// Ends all requests of an [`Http`], those in flight and those to come.
#[derive(Clone)]
pub struct Canceller {
    agent: Agent,
    cancelled: CancelFlag,
}

impl Canceller {
    /// Sleeps, but no longer than until the cancel. Returns whether it slept to the end.
    pub fn sleep(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while !self.cancelled.is_set() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(Duration::from_millis(50)));
        }
        false
    }

    pub fn cancel(&self) {
        self.cancelled.set();
        self.agent.clone().shutdown();
    }
}

impl Http {
    pub fn new(endpoint: Endpoint) -> Result<Http, Error> {
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
        let agent = Agent::with_parts(config, connector, resolver);
        Ok(Http { agent, cancelled, endpoint, clock: Clock::default() })
    }

    /// `https://host[:port][/prefix]`
    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub fn canceller(&self) -> Canceller {
        Canceller { agent: self.agent.clone(), cancelled: self.cancelled.clone() }
    }

    /// The error of a status whose body explains nothing.
    pub fn unexplained(&self, path: &str, status: u16, body: &Json) -> Error {
        Error::Status {
            url: format!("{}{path}", self.endpoint.url),
            status,
            content_type: "application/json".into(),
            beginning: body.to_string().chars().take(BEGINNING).collect(),
            retry_after: None,
        }
    }

    /// Sends a message and lets `decode` read the answer, and its status.
    ///
    /// `decode` says what is wrong with an answer, or hands back the error of its reader.
    pub fn exchange<T>(
        &self,
        message: &Message<'_>,
        decode: impl FnOnce(u16, &mut dyn Read) -> Result<T, DecodeError>,
    ) -> Result<T, Error> {
        let url = format!("{}{}", self.endpoint.url, message.path);
        self.endpoint.meter.request();
        let sent = match message.body {
            None => message.with_headers(self.agent.get(&url)).call(),
            Some(body) => {
                let request = message.with_headers(self.agent.post(&url));
                request.content_type(message.content_type).send(body)
            }
        };
        let response = sent.map_err(|error| self.explain(error))?;
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or("(none)").to_owned()
        };
        let content_type = header("content-type");
        let location = header("location");
        self.clock.set(&header("date"));
        if let Some(cookie) = message.cookie {
            cookie.note(response.headers());
        }
        // In seconds; the form with a date is rare, and the usual waiting then does.
        let retry_after = header("retry-after").parse().ok().map(Duration::from_secs);
        let mut reader = Witness::new(self.body(response.into_body()));
        if (300..400).contains(&status) {
            return Err(Error::Redirect { url, location });
        }
        let is_json = content_type.starts_with("application/json");
        let is_explained = message.explains_errors && is_json && !is_passing(status);
        if status != 200 && !is_explained {
            // The beginning says enough; if even that does not come, the status does.
            let _ = reader.read(&mut [0; BEGINNING]);
            let beginning = reader.beginning();
            return Err(Error::Status { url, status, content_type, beginning, retry_after });
        }
        let begin = Instant::now();
        let decoded = decode(status, &mut reader);
        let decoding = begin.elapsed().saturating_sub(reader.waited);
        self.endpoint.meter.answer(reader.bytes, decoding);
        match decoded {
            Ok(decoded) => {
                // Reading to the end gives the connection back for the next request.
                io::copy(&mut reader, &mut io::sink()).map_err(|e| self.explain_io(e))?;
                Ok(decoded)
            }
            Err(DecodeError::Read(error)) => Err(self.explain_io(error)),
            Err(DecodeError::Malformed(reason)) => {
                let beginning = reader.beginning();
                let protocol = message.protocol;
                Err(Error::Malformed { protocol, status, content_type, reason, beginning })
            }
        }
    }

    fn body(&self, body: Body) -> impl Read {
        body.into_with_config().limit(self.endpoint.max_response).reader()
    }

    fn explain_io(&self, error: io::Error) -> Error {
        self.explain(ureq::Error::from(error))
    }

    /// Tells ureq's errors in the words of this library.
    fn explain(&self, error: ureq::Error) -> Error {
        if self.cancelled.is_set() {
            return Error::Cancelled;
        }
        let url = self.endpoint.url.clone();
        match error {
            ureq::Error::HostNotFound => Error::Resolve {
                host: url
                    .parse::<Uri>()
                    .ok()
                    .and_then(|uri| uri.host().map(str::to_owned))
                    .unwrap_or(url),
            },
            ureq::Error::Timeout(phase) => {
                let (phase, limit) = match phase {
                    Timeout::Resolve => ("while its name was looked up", CONNECT_TIMEOUT),
                    Timeout::Connect => ("while connecting", CONNECT_TIMEOUT),
                    Timeout::RecvBody => ("in the middle of its answer", self.endpoint.timeout),
                    _ => ("before it answered", self.endpoint.timeout),
                };
                Error::Timeout { url, phase, limit }
            }
            ureq::Error::BodyExceedsLimit(limit) => Error::TooLarge { limit },
            ureq::Error::Rustls(error) => Error::Tls { url, reason: error.to_string() },
            ureq::Error::Tls(reason) => Error::Tls { url, reason: reason.to_owned() },
            ureq::Error::Io(error) => self.explain_socket(error),
            other => Error::Broken { url, reason: other.to_string() },
        }
    }

    fn explain_socket(&self, error: io::Error) -> Error {
        use io::ErrorKind::*;
        let url = self.endpoint.url.clone();
        // Without "(os error 111)": the words say it.
        let reason = error.to_string();
        let reason = reason.split(" (os error").next().unwrap_or_default().to_owned();
        match error.kind() {
            ConnectionRefused | HostUnreachable | NetworkUnreachable | NetworkDown
            | AddrNotAvailable => {
                // The others may come of a connection that was there.
                Error::Connect { url, reason, refused: error.kind() == ConnectionRefused }
            }
            // So the resolver refuses a host.
            PermissionDenied if !reason.starts_with("Permission denied") => {
                Error::Forbidden { url, reason }
            }
            // So rustls hands its own errors through a reader.
            InvalidData if url.starts_with("https:") => Error::Tls { url, reason },
            _ => Error::Broken { url, reason },
        }
    }
}

/// What is sent.
pub struct Message<'m> {
    /// Behind the server's URL.
    pub path: String,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    /// `None` for a GET.
    pub body: Option<&'m [u8]>,
    /// Which errors name.
    pub protocol: Protocol,
    /// Whether errors have a status of their own and a body in JSON that explains them.
    pub explains_errors: bool,
    /// Of the session that it belongs to.
    pub cookie: Option<&'m Cookie>,
    /// How long all of it may take, where that is less than what is usual.
    pub limit: Option<Duration>,
}

impl Message<'_> {
    fn with_headers<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        let cookie = self.cookie.and_then(Cookie::header).map(|cookie| ("Cookie", cookie));
        let headers = self.headers.iter().cloned().chain(cookie);
        let request = headers.fold(request, |request, (name, value)| request.header(name, value));
        match self.limit {
            None => request,
            limit => request.config().timeout_global(limit).build(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked() {
        assert_eq!(check_url("https://erp.example.com/").unwrap(), "https://erp.example.com");
        assert_eq!(check_url("http://[::1]:8069/odoo").unwrap(), "http://[::1]:8069/odoo");
        for wrong in
            ["erp.example.com", "ftp://x", "https://", "http://x/?db=1", "http://x/#a", "a b"]
        {
            assert!(check_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn this_machine_is_known() {
        for own in ["http://localhost:8069", "http://127.0.0.1", "http://[::1]:80/x"] {
            assert!(is_loopback(own), "{own}");
        }
        assert!(!is_loopback("http://localhost.example.com") && !is_loopback("http://10.0.0.1"));
    }

    #[test]
    fn the_error_of_an_url_with_a_password_does_not_hold_it() {
        let error = check_url("https://admin:secret@erp.example.com").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}

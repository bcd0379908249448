//! HTTP as Odoo's protocols need it: one host, POST, keep-alive, gzip, TLS, time-outs, a cap on
//! the answer, and a way to end everything from another thread.

use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use ureq::http::{Response, Uri};
use ureq::{Body, RequestBuilder, Timeout};

use crate::odoo::error::{Error, is_passing};
use crate::odoo::wire::http::body::{BEGINNING, DecodeError, Witness};
use crate::odoo::wire::http::cookie::Cookie;
use crate::odoo::wire::http::interruptible::connects;
use crate::odoo::wire::http::line::{CONNECT_TIMEOUT, Endpoint, Line};
use crate::odoo::wire::protocol::Protocol;

/// What is asked once goes through a socket that was in use a moment ago, or through a new one: of
/// one that was idle the server may have had enough.
const FRESH: Duration = Duration::from_secs(1);

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
    line: Line,
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

impl Http {
    /// A client over a line of this endpoint's.
    pub fn new(endpoint: Endpoint, line: Line) -> Http {
        Http { line, endpoint, clock: Clock::default() }
    }

    /// `https://host[:port][/prefix]`
    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// Whether nothing can be sent any more.
    pub fn is_cancelled(&self) -> bool {
        self.line.is_cancelled()
    }

    pub fn clock(&self) -> Clock {
        self.clock.clone()
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
        let response = self.send(&url, message).map_err(|error| self.explain(error))?;
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

    /// Sends a message. Where the server closes a socket that an earlier connection left, before there
    /// was any answer to this one, a message that may be sent again is, through a new socket.
    fn send(&self, url: &str, message: &Message<'_>) -> Result<Response<Body>, ureq::Error> {
        let (before, is_first) = (connects(), self.endpoint.meter.read().bytes == 0);
        let sent = self.send_once(url, message);
        let was_left = is_first && connects() == before;
        let is_lost = was_left && sent.as_ref().is_err_and(is_closed);
        match is_lost && !message.is_once && !self.line.is_cancelled() {
            true => self.send_once(url, message),
            false => sent,
        }
    }

    fn send_once(&self, url: &str, message: &Message<'_>) -> Result<Response<Body>, ureq::Error> {
        self.endpoint.meter.request();
        match message.body {
            None => message.with_headers(self.line.agent.get(url)).call(),
            Some(body) => {
                let request = message.with_headers(self.line.agent.post(url));
                let request = match message.is_once {
                    true => request.config().max_idle_age(FRESH).build(),
                    false => request,
                };
                request.content_type(message.content_type).send(body)
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
        if self.line.is_cancelled() {
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

/// Whether the other side has ended a connection.
fn is_closed(error: &ureq::Error) -> bool {
    use io::ErrorKind::*;
    let kinds = [ConnectionReset, ConnectionAborted, BrokenPipe, UnexpectedEof];
    matches!(error, ureq::Error::Io(error) if kinds.contains(&error.kind()))
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
    /// Whether it must not be sent twice: it may change something.
    pub is_once: bool,
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

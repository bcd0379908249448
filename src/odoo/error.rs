//! Everything that can go wrong between here and Odoo.

use std::fmt;
use std::time::Duration;

use crate::odoo::fault::{Fault, FaultKind, exception};
use crate::odoo::wire::protocol::Protocol;

/// Why a request to Odoo failed. The texts name hosts, models and fields, never secrets.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// The `url` is none that can be used.
    Url { url: String, reason: String },
    /// The host's name has no address.
    Resolve { host: String },
    /// The host may not be asked.
    Forbidden { url: String, reason: String },
    /// No connection came about; `refused` if the server's machine said so itself.
    Connect { url: String, reason: String, refused: bool },
    /// TLS failed: an untrusted or expired certificate, a wrong name, no TLS at all.
    Tls { url: String, reason: String },
    /// The time allowed for a request passed; `phase` says what was waited for.
    Timeout { url: String, phase: &'static str, limit: Duration },
    /// Neither that nor a small question was answered in time.
    Away { url: String, limit: Duration },
    /// The connection broke in the middle of an exchange.
    Broken { url: String, reason: String },
    /// An answer that is not HTTP 200.
    Status {
        url: String,
        status: u16,
        content_type: String,
        beginning: String,
        /// The header `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// A redirect, which is not followed: the credentials are meant for the server's host alone.
    Redirect { url: String, location: String },
    /// A body that is not what the protocol promises.
    Malformed {
        protocol: Protocol,
        status: u16,
        content_type: String,
        reason: String,
        beginning: String,
    },
    /// A body over the limit.
    TooLarge { limit: u64 },
    /// A name that is none of a model or of a method.
    Name { what: &'static str, name: String },
    /// Arguments without names, which the protocol cannot send.
    Unnamed { call: String, protocol: Protocol },
    /// Several records of a model have one id: Odoo reads one of them in place of all.
    RepeatedIds { model: String },
    /// A character that the protocol cannot send.
    Character { character: char, protocol: Protocol },
    /// Odoo's own word that something is wrong.
    Fault(Fault),
    /// Login refused: wrong login, password, API key, or database without such a user.
    Denied { login: String, database: String },
    /// There is no session for the web client's protocol.
    Sessionless(Sessionless),
    /// Companies were asked for that are not the user's.
    Companies { login: String, lacking: Vec<i64>, own: Vec<i64> },
    /// A language was asked for that Odoo has not installed.
    Language { language: String, installed: Vec<String> },
    /// The exchange was ended from this side.
    Cancelled,
}

/// Why there is no session.
#[derive(Debug, Clone, PartialEq)]
pub enum Sessionless {
    /// None is given for API keys.
    Key,
    /// The password was right, and a second factor is due.
    SecondFactor { login: String },
    /// The answer to the login sets no cookie.
    NoCookie { url: String },
    /// Odoo does not know the session that it gave.
    Lost { url: String },
}

impl fmt::Display for Sessionless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sessionless::Key => f.write_str("the protocol web takes no API key"),
            Sessionless::SecondFactor { login } => {
                write!(f, "Odoo asks the user \"{login}\" for a second factor")
            }
            Sessionless::NoCookie { url } => {
                write!(f, "{url} answered the login without the cookie of a session")
            }
            Sessionless::Lost { url } => {
                write!(f, "{url} does not know the session that it gave for the login")
            }
        }
    }
}

/// Numbers as people list them.
pub fn listed(numbers: &[i64]) -> String {
    numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether an HTTP status tells of a trouble that passes.
pub fn is_passing(status: u16) -> bool {
    matches!(status, 429 | 502..=504)
}

impl Error {
    /// Whether the same request may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            // A name service may be restarting, or the machine's own entry in it.
            Error::Resolve { .. }
            | Error::Connect { .. }
            | Error::Timeout { .. }
            | Error::Broken { .. } => true,
            Error::Status { status, .. } => is_passing(*status),
            _ => false,
        }
    }

    /// Whether nobody answered.
    pub fn is_silence(&self) -> bool {
        matches!(
            self,
            Error::Timeout { .. }
                | Error::Connect { .. }
                | Error::Broken { .. }
                | Error::Resolve { .. }
        )
    }

    /// Whether nothing of the kind is at the address.
    pub fn is_not_there(&self) -> bool {
        matches!(self, Error::Status { status: 404 | 405, .. })
    }

    /// Whether Odoo does not let the user in, or not in this protocol: a login may do.
    pub fn asks_for_login(&self) -> bool {
        let is_refused = self.fault_kind() == Some(&FaultKind::Denied);
        is_refused || self.is_not_there() || matches!(self, Error::Denied { .. })
    }

    /// Whether nothing at all was sent: there was no connection to send it through.
    pub fn is_unsent(&self) -> bool {
        matches!(self, Error::Connect { refused: true, .. } | Error::Resolve { .. })
    }

    /// Whether Odoo may have done what it was asked for all the same.
    pub fn leaves_doubt(&self) -> bool {
        match self {
            Error::Connect { refused, .. } => !refused,
            Error::Timeout { .. }
            | Error::Away { .. }
            | Error::Broken { .. }
            | Error::Redirect { .. }
            | Error::Malformed { .. }
            | Error::TooLarge { .. }
            | Error::Cancelled => true,
            Error::Status { status, .. } => *status >= 500,
            _ => false,
        }
    }

    /// When the server asks to come back.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the same request for fewer records may succeed: it took Odoo too long, or more
    /// memory than it may have, or a proxy's patience ended.
    pub fn asks_for_less(&self) -> bool {
        match self {
            Error::Timeout { .. } | Error::Broken { .. } | Error::TooLarge { .. } => true,
            Error::Status { status, .. } => matches!(status, 413 | 500 | 502..=504),
            // The second one is no exception of its own; Odoo does not translate it.
            Error::Fault(fault) if fault.kind == FaultKind::Server => {
                exception(&fault.message) == "MemoryError"
                    || fault.message.contains("CPU time limit exceeded")
            }
            _ => false,
        }
    }

    /// Whether one record, or one value of it, may be all that is wrong.
    pub fn may_be_one_record(&self) -> bool {
        match self {
            Error::Malformed { .. } => true,
            Error::Fault(fault) => !matches!(
                fault.kind,
                FaultKind::Denied
                    | FaultKind::CoolDown
                    | FaultKind::UnknownModel
                    | FaultKind::Database
            ),
            _ => false,
        }
    }

    /// Whether fields or a model may be gone, or kept from the user.
    pub fn is_about_fields(&self) -> bool {
        matches!(
            self.fault_kind(),
            Some(FaultKind::Access | FaultKind::UnknownField | FaultKind::UnknownModel)
        )
    }

    /// The kind of Odoo's fault, if it is one.
    pub fn fault_kind(&self) -> Option<&FaultKind> {
        match self {
            Error::Fault(fault) => Some(&fault.kind),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Url { url, reason } => write!(f, "\"{url}\" is not a usable URL: {reason}"),
            Error::Resolve { host } => write!(f, "could not resolve the host name \"{host}\""),
            Error::Forbidden { url, reason } => write!(f, "{url} may not be asked: {reason}"),
            Error::Connect { url, reason, .. } => write!(f, "could not connect to {url}: {reason}"),
            Error::Tls { url, reason } => {
                write!(f, "could not establish TLS with {url}: {reason}")
            }
            Error::Timeout { url, phase, limit } => {
                write!(f, "{url} timed out {phase}, after {} s", limit.as_secs())
            }
            Error::Away { url, limit } => write!(
                f,
                "{url} does not answer, not even a small question, within {} s each",
                limit.as_secs()
            ),
            Error::Broken { url, reason } => {
                write!(f, "the connection to {url} broke: {reason}")
            }
            Error::Status { url, status, .. } => write!(f, "{url} answered HTTP {status}"),
            Error::Redirect { url, .. } => write!(f, "{url} answered with a redirect"),
            Error::Malformed { protocol, reason, .. } => {
                write!(f, "the response is not valid {protocol}: {reason}")
            }
            Error::TooLarge { limit } => {
                write!(f, "the response exceeds {} MB", limit / (1024 * 1024))
            }
            Error::Name { what, name } => write!(f, "\"{name}\" is no name of a {what}"),
            Error::Unnamed { call, protocol } => {
                write!(f, "{protocol} cannot send arguments of {call} without their names")
            }
            Error::RepeatedIds { model } => {
                write!(f, "model {model} gives several records the same id")
            }
            Error::Character { character, protocol } => {
                write!(f, "{protocol} cannot send the character U+{:04X}", u32::from(*character))
            }
            Error::Fault(Fault { kind: FaultKind::CoolDown, message, .. }) => {
                write!(f, "Odoo refuses every login from here for a while: {message}")
            }
            Error::Fault(fault) => write!(f, "Odoo refused {}: {}", fault.call, fault.message),
            Error::Denied { login, database } => {
                write!(f, "Odoo refused the login \"{login}\" to database \"{database}\"")
            }
            Error::Sessionless(why) => write!(f, "{why}"),
            Error::Companies { login, lacking, .. } => {
                write!(f, "the Odoo user \"{login}\" is not in company {}", listed(lacking))
            }
            Error::Language { language, .. } => {
                write!(f, "the language \"{language}\" is not installed in Odoo")
            }
            Error::Cancelled => f.write_str("the request was cancelled"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: i64, text: &str) -> Fault {
        Fault::from_xmlrpc(code, text, "res.partner.read".into())
    }

    #[test]
    fn tracebacks_shrink_to_the_exception() {
        let text = "Traceback (most recent call last):\n  File \"x.py\", line 1, in f\n    \
                    raise ValueError()\nValueError: Invalid field 'x' on 'res.partner'\n";
        let fault = fault(1, text);
        assert_eq!(fault.message, "ValueError: Invalid field 'x' on 'res.partner'");
        assert_eq!(fault.kind, FaultKind::UnknownField);
    }

    #[test]
    fn the_last_of_chained_exceptions_counts_and_its_echo_does_not() {
        let text = "Traceback (most recent call last):\n  File \"a\"\nKeyError: 'a'\n\nDuring \
                    handling of the above exception, another exception occurred:\n\nTraceback \
                    (most recent call last):\n  File \"b\"\npsycopg2.errors.UndefinedColumn: \
                    column x does not exist\nLINE 1: SELECT x\n               ^\n";
        assert_eq!(
            fault(1, text).message,
            "psycopg2.errors.UndefinedColumn: column x does not exist"
        );
    }

    #[test]
    fn what_a_database_says_besides_is_no_exception_and_not_told() {
        let text = "Traceback (most recent call last):\n  File \"b\"\n    cr.execute(query)\n\
                    psycopg2.errors.UniqueViolation: duplicate key value violates unique \
                    constraint \"res_users_login_key\"\nDETAIL:  Key (login)=(ann) already \
                    exists.\nHINT:  Perhaps you meant it.\nCONTEXT: x\n";
        let (own, _) = text.split_once("\nDETAIL").unwrap();
        let own = own.lines().last().unwrap();
        assert_eq!(fault(1, text).message, own);
        let exception = |debug: &str| {
            let name = "psycopg2.errors.UniqueViolation";
            let message = text.split_once("Violation: ").unwrap().1;
            Fault::from_exception(name, message, debug, "res.users.create".into())
        };
        assert_eq!(exception(text).message, own);
        // Without a traceback.
        assert_eq!(exception("").message, own);
        assert_eq!(exception("").detail, None);
        let user =
            "The operation cannot be completed:\nduplicate key\nD\u{c9}TAIL : Key (login)=(ann)";
        assert_eq!(fault(2, user).detail.as_deref(), Some("duplicate key"));
        assert_eq!(fault(2, "No.\nVAT: 1\nName: 2").detail.as_deref(), Some("VAT: 1\nName: 2"));
    }

    #[test]
    fn codes_have_kinds() {
        assert_eq!(fault(3, "Access Denied").kind, FaultKind::Denied);
        let words = "Too many login failures, please wait a bit before trying again.";
        assert_eq!(fault(3, words).kind, FaultKind::CoolDown);
        assert_eq!(fault(4, "You are not allowed").kind, FaultKind::Access);
        assert_eq!(fault(2, "Object x.y doesn't exist").kind, FaultKind::User);
        assert_eq!(fault(2, "Some rule\nmore").message, "Some rule");
        assert_eq!(fault(4, "No.\n\nGroups:\n\t- A\n").detail.as_deref(), Some("Groups:\n\t- A"));
        assert_eq!(fault(1, "").message, "(no text)");
        let database = "Traceback (most recent call last):\n  File\npsycopg2.OperationalError: \
                        FATAL:  la base de données « nope » n'existe pas\n";
        assert_eq!(fault(1, database).kind, FaultKind::Database);
        assert!(Error::Fault(fault(1, "MemoryError")).asks_for_less());
        assert!(!Error::Fault(fault(2, "MemoryError: it is full")).asks_for_less());
    }

    #[test]
    fn only_passing_troubles_are_transient() {
        let status = |status| Error::Status {
            url: String::new(),
            status,
            content_type: String::new(),
            beginning: String::new(),
            retry_after: None,
        };
        assert!(status(502).is_transient() && status(429).is_transient());
        assert!(Error::Resolve { host: String::new() }.is_transient());
        assert!(!status(404).is_transient() && !status(500).is_transient());
        assert!(!Error::Fault(fault(3, "")).is_transient());
    }

    #[test]
    fn only_a_refused_connection_proves_that_nothing_was_sent() {
        let connect = |refused| Error::Connect { url: "".into(), reason: "".into(), refused };
        assert!(connect(true).is_unsent() && !connect(true).leaves_doubt());
        assert!(!connect(false).is_unsent() && connect(false).leaves_doubt());
        let broken = Error::Broken { url: "".into(), reason: "".into() };
        assert!(!broken.is_unsent() && broken.leaves_doubt());
        assert!(!Error::Fault(fault(2, "")).leaves_doubt());
    }
}

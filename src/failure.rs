//! Errors as the SQL user sees them: message, DETAIL, HINT and SQLSTATE.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode as State, spi::SpiError};

use crate::odoo::{DomainError, Error, Fault, FaultKind, listed};
use crate::pg::{self, Caught};

#[derive(Debug, Clone)]
pub struct Failure {
    pub sqlstate: State,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub cause: Cause,
}

/// What failed, as far as it decides how to go on. No SQLSTATE tells: triggers and time-outs raise
/// the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Cause {
    #[default]
    Other,
    /// Odoo had something against the very request.
    Request,
    /// Odoo's access rights keep something from the user.
    Denied,
    /// The options of the server: all other requests fail too.
    Options,
    /// Odoo can read no record of a model with some fields.
    Fields(Box<Unreadable>),
    /// Another session of this extension is at it.
    Taken,
    /// Odoo refused the login: a wrong secret, or too many wrong ones before.
    Login,
    /// Odoo refuses every login for a while, as its words say.
    CoolDown,
    /// Odoo does not answer.
    Away,
}

/// Fields of a model, and Odoo's words for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub model: String,
    pub fields: Vec<(String, String)>,
}

impl Cause {
    /// Whether nothing else that is asked of the server would fare better.
    pub fn ends_a_run(&self) -> bool {
        matches!(self, Cause::Options | Cause::Login | Cause::CoolDown | Cause::Away)
    }

    fn of(error: &Error) -> Cause {
        match error {
            Error::Denied { .. } => Cause::Login,
            Error::Companies { .. } | Error::Language { .. } => Cause::Options,
            Error::Away { .. } => Cause::Away,
            Error::Fault(fault) => match fault.kind {
                FaultKind::Denied => Cause::Login,
                FaultKind::CoolDown => Cause::CoolDown,
                FaultKind::Database => Cause::Options,
                FaultKind::Access => Cause::Denied,
                _ => Cause::Request,
            },
            _ => Cause::Other,
        }
    }
}

impl Failure {
    pub fn new(sqlstate: State, message: impl Into<String>) -> Failure {
        Failure { sqlstate, message: message.into(), detail: None, hint: None, cause: Cause::Other }
    }

    pub fn cause(self, cause: Cause) -> Failure {
        Failure { cause, ..self }
    }

    /// Whether Odoo's access rights keep something from the user.
    pub fn is_denied(&self) -> bool {
        self.cause == Cause::Denied
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Failure {
        self.detail = Some(detail.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// The same with one more line of DETAIL.
    pub fn and_detail(self, line: &str) -> Failure {
        let lines = self.detail.iter().map(String::as_str).chain([line]);
        Failure { detail: Some(lines.collect::<Vec<_>>().join("\n")), ..self }
    }

    /// A domain that cannot be read, with a mark under the character in question.
    pub fn domain(text: &str, error: &DomainError) -> Failure {
        // White space of any kind is one column wide here, so that the mark stays in place.
        let line: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        Failure::new(State::ERRCODE_SYNTAX_ERROR, format!("invalid domain: {error}"))
            .detail(format!("The character is marked:\n{line}\n{}^", " ".repeat(error.at)))
            .hint("Write it as JSON, [[\"state\", \"=\", \"paid\"]], or as Odoo does, [('state', '=', 'paid')].")
    }

    /// Why Odoo could not be asked to change something, or may have changed it unnoticed.
    pub fn of_write(error: Error) -> Failure {
        let is_doubtful = error.leaves_doubt();
        let failure = Failure::from(error);
        match is_doubtful {
            false => failure,
            true => {
                failure.and_detail("Odoo may have done it all the same; it was not asked again.")
            }
        }
    }

    /// An argument that may not be NULL, and is.
    pub fn null_argument(name: &str) -> Failure {
        Failure::new(State::ERRCODE_NULL_VALUE_NOT_ALLOWED, format!("{name} must not be NULL"))
    }

    /// The SQLSTATE as its five characters: six bits each (MAKE_SQLSTATE in utils/elog.h).
    pub fn code(&self) -> String {
        let code = self.sqlstate as u32;
        (0..5).map(|place| ((code >> (6 * place) & 0x3f) as u8 + b'0') as char).collect()
    }

    /// Says it as a WARNING; the statement goes on.
    pub fn warn(self) {
        self.report(PgLogLevel::WARNING);
    }

    /// Raises the error; the statement ends here.
    pub fn raise(self) -> ! {
        self.report(PgLogLevel::ERROR);
        unreachable!("an ERROR does not return")
    }

    fn report(self, level: PgLogLevel) {
        let mut report = ErrorReport::new(self.sqlstate, self.message, "odoo_etl");
        if let Some(detail) = self.detail {
            report = report.set_detail(detail);
        }
        if let Some(hint) = self.hint {
            report = report.set_hint(hint);
        }
        match level {
            PgLogLevel::ERROR => report.report(level),
            _ => pg::uninterrupted(|| report.report(level)),
        }
    }
}

/// pgrx's macro of the name, without its look for a cancel.
macro_rules! notice {
    ($($text:tt)*) => { $crate::pg::uninterrupted(|| pgrx::notice!($($text)*)) };
}
macro_rules! warning {
    ($($text:tt)*) => { $crate::pg::uninterrupted(|| pgrx::warning!($($text)*)) };
}
pub(crate) use {notice, warning};

/// The end of every SQL function: its result, or its error.
pub trait OrRaise<T> {
    fn or_raise(self) -> T;
}

impl<T> OrRaise<T> for Result<T, Failure> {
    fn or_raise(self) -> T {
        self.unwrap_or_else(|failure| failure.raise())
    }
}

impl From<SpiError> for Failure {
    fn from(error: SpiError) -> Failure {
        Failure::new(State::ERRCODE_INTERNAL_ERROR, format!("SPI: {error}"))
    }
}

impl From<Caught> for Failure {
    fn from(caught: Caught) -> Failure {
        let Caught { sqlstate, message, detail, hint } = caught;
        let hint = match sqlstate {
            State::ERRCODE_UNDEFINED_TABLE
            | State::ERRCODE_UNDEFINED_FUNCTION
            | State::ERRCODE_UNDEFINED_OBJECT
            | State::ERRCODE_INVALID_SCHEMA_NAME => {
                let lines = hint.iter().map(String::as_str).chain([SEARCH_PATH]);
                Some(lines.collect::<Vec<_>>().join("\n"))
            }
            _ => hint,
        };
        Failure { sqlstate, message, detail, hint, cause: Cause::Other }
    }
}

/// Our own statements name everything with its schema; triggers and the functions of indexes and
/// constraints may not.
const SEARCH_PATH: &str = "Triggers and other functions of a table run with search_path = pg_catalog, pg_temp: \
     name what they use with its schema, or ALTER FUNCTION … SET search_path = ….";

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let cause = Cause::of(&error);
        Failure::told(error).cause(cause)
    }
}

impl Failure {
    /// An error of the client in PostgreSQL's terms.
    fn told(error: Error) -> Failure {
        let message = error.to_string();
        let shown = |content_type: &str, beginning: &str| {
            format!("Content type {content_type}, the body begins: {beginning}")
        };
        let (sqlstate, detail, hint): (State, Option<String>, &str) = match &error {
            Error::Url { .. } => (
                State::ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE,
                None,
                "Write the server option url as https://host[:port].",
            ),
            Error::Resolve { .. } => (
                State::ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
                None,
                "Check the host in the server option url, and the name service of the database's machine.",
            ),
            Error::Forbidden { .. } => (
                State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                None,
                "A superuser may add the host, or its network, to the setting odoo_etl.allowed_hosts.",
            ),
            Error::Connect { .. } => (
                State::ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
                None,
                "Check that Odoo runs there, the port in the server option url, and the firewall.",
            ),
            Error::Tls { .. } => (
                State::ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
                None,
                "For a certificate of your own authority set the server option ca_file; if the server speaks plain HTTP, begin the url with http://.",
            ),
            Error::Timeout { .. } => (
                State::ERRCODE_CONNECTION_FAILURE,
                None,
                "Raise the server option timeout, lower page_size, or look at Odoo's load.",
            ),
            Error::Away { .. } => (
                State::ERRCODE_CONNECTION_FAILURE,
                None,
                "Look at the network between the database and Odoo, and whether Odoo has a worker that is free; or raise the server option timeout.",
            ),
            Error::Broken { .. } => (
                State::ERRCODE_CONNECTION_FAILURE,
                None,
                "Look at Odoo's log: a worker may have been ended by limit_time_real or limit_memory_hard; then lower the server option page_size.",
            ),
            Error::Status { status, content_type, beginning, .. } => (
                State::ERRCODE_CONNECTION_FAILURE,
                Some(shown(content_type, beginning)),
                match status {
                    // As Odoo answers JSON-2 in HTML.
                    404 if beginning.contains("No database is") => {
                        "Check the server option database: Odoo serves none of that name there."
                    }
                    404 => {
                        "Check the server option url: nothing answers Odoo's API there. On Odoo 19 the module rpc must be loaded."
                    }
                    429 => {
                        "The server limits the rate of requests: lower the server option readers, raise page_size."
                    }
                    502..=504 => {
                        "A proxy answered for an Odoo that is down, busy or slower than the proxy waits: lower the server option page_size."
                    }
                    _ => {
                        "Check the server option url, and what stands between the database and Odoo."
                    }
                },
            ),
            Error::Redirect { location, .. } => (
                State::ERRCODE_CONNECTION_FAILURE,
                Some(format!("Location: {location}")),
                "Redirects are not followed. Set the server option url to the address that it leads to.",
            ),
            Error::Malformed { status, content_type, beginning, .. } => (
                State::ERRCODE_CONNECTION_FAILURE,
                Some(format!("HTTP status {status}. {}", shown(content_type, beginning))),
                "Check that the server option url leads to Odoo itself, and what stands between.",
            ),
            Error::TooLarge { .. } => (
                State::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                None,
                "Lower the server option page_size, ask for fewer fields, or raise odoo_etl.max_response_size.",
            ),
            Error::Denied { .. } => (
                State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                None,
                "Check login and password or api_key of the user mapping; an API key may have expired, and a user with two-factor authentication needs one. For a minute after several wrong ones Odoo may refuse good ones too.",
            ),
            Error::Name { .. } => (
                State::ERRCODE_INVALID_NAME,
                None,
                "Models have names such as res.partner, methods such as action_confirm; those that begin with an underscore are Odoo's own.",
            ),
            Error::Unnamed { .. } => (
                State::ERRCODE_FEATURE_NOT_SUPPORTED,
                None,
                "Name them in kwargs, the ids of the records as \"ids\"; or set the server option protocol to jsonrpc.",
            ),
            Error::Companies { own, .. } => (
                State::ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE,
                Some(match own.is_empty() {
                    true => "It has none.".into(),
                    false => format!("Its companies: {}.", listed(own)),
                }),
                "Change the server option companies, or let the Odoo user have them.",
            ),
            Error::Language { installed, .. } => (
                State::ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE,
                Some(format!("Installed: {}.", installed.join(", "))),
                "Change the server option language, or install the language in Odoo.",
            ),
            Error::RepeatedIds { .. } => (
                State::ERRCODE_FEATURE_NOT_SUPPORTED,
                Some("Odoo would read one of them in place of all: rows would be lost, and others come twice.".into()),
                "Read the models that it is made of.",
            ),
            Error::Character { .. } => (
                State::ERRCODE_UNTRANSLATABLE_CHARACTER,
                None,
                "Leave it out, or set the server option protocol to jsonrpc.",
            ),
            Error::Cancelled => (State::ERRCODE_QUERY_CANCELED, None, "Run it again."),
            Error::Fault(fault) => return from_fault(fault),
        };
        Failure { detail, ..Failure::new(sqlstate, message).hint(hint) }
    }
}

fn from_fault(fault: &Fault) -> Failure {
    let (sqlstate, hint) = match fault.kind {
        FaultKind::Denied => (
            State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
            "Check the user mapping: the password or API key was changed, revoked or has expired.",
        ),
        FaultKind::CoolDown => (
            State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
            "Wait a minute, or as long as Odoo's system parameter base.login_cooldown_duration says, and find out who uses a wrong password from this address.",
        ),
        FaultKind::Access => (
            State::ERRCODE_INSUFFICIENT_PRIVILEGE,
            "Give the Odoo user of the user mapping a group that may read this.",
        ),
        FaultKind::UnknownModel => (
            State::ERRCODE_FDW_TABLE_NOT_FOUND,
            "Check the model's name; the Odoo module that brings it may not be installed.",
        ),
        FaultKind::UnknownField => (
            State::ERRCODE_FDW_COLUMN_NAME_NOT_FOUND,
            "Check the field's name in the domain, in fields and in order_by.",
        ),
        FaultKind::Database => (
            State::ERRCODE_INVALID_CATALOG_NAME,
            "Check the server option database; it is the name of Odoo's database. Else look whether Odoo reaches its PostgreSQL.",
        ),
        FaultKind::User => {
            (State::ERRCODE_FDW_ERROR, "The words are Odoo's; check what was asked for.")
        }
        FaultKind::Server => {
            (State::ERRCODE_FDW_ERROR, "The words are Odoo's; its log holds the whole traceback.")
        }
    };
    let failure = Failure::new(sqlstate, Error::Fault(fault.clone()).to_string()).hint(hint);
    Failure { detail: fault.detail.clone(), ..failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_five_characters() {
        assert_eq!(Failure::new(State::ERRCODE_LOCK_NOT_AVAILABLE, "").code(), "55P03");
        assert_eq!(Failure::new(State::ERRCODE_CONNECTION_FAILURE, "").code(), "08006");
    }
}

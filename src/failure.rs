//! Errors as the SQL user sees them: message, DETAIL, HINT and SQLSTATE.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode as State, spi::SpiError};

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

    /// Whether it is of something that the engine of a table has not, or that its key has more columns
    /// for. Some engines say so in words alone.
    pub fn is_unsupported(&self) -> bool {
        match self.sqlstate {
            State::ERRCODE_FEATURE_NOT_SUPPORTED | State::ERRCODE_INVALID_FOREIGN_KEY => true,
            State::ERRCODE_INTERNAL_ERROR => self.message.contains("not supported"),
            _ => false,
        }
    }

    /// The same with one more line of DETAIL.
    pub fn and_detail(self, line: &str) -> Failure {
        let lines = self.detail.iter().map(String::as_str).chain([line]);
        Failure { detail: Some(lines.collect::<Vec<_>>().join("\n")), ..self }
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

    /// Says it as a NOTICE.
    pub fn notice(self) {
        self.report(PgLogLevel::NOTICE);
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

/// Names for a line of an error: of many the first ones.
pub fn some_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SOME: usize = 10;
    let names: Vec<_> = names.into_iter().collect();
    match names.len().saturating_sub(SOME) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..SOME].join(", ")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_cut_short() {
        assert_eq!(some_of(["a", "b"]), "a, b");
        assert_eq!(some_of(["a"; 50]), "a, a, a, a, a, a, a, a, a, a and 40 more");
    }

    #[test]
    fn codes_have_five_characters() {
        assert_eq!(Failure::new(State::ERRCODE_LOCK_NOT_AVAILABLE, "").code(), "55P03");
        assert_eq!(Failure::new(State::ERRCODE_CONNECTION_FAILURE, "").code(), "08006");
    }
}

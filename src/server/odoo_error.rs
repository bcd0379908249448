//! What an error of Odoo's client means in PostgreSQL's terms.

use pgrx::PgSqlErrorCode as State;

use crate::failure::{Cause, Failure};
use crate::odoo::{Error, Fault, FaultKind, Sessionless, listed};

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        told(&error).cause(cause(&error))
    }
}

/// Why Odoo could not be asked to change something, or may have changed it unnoticed.
pub fn of_write(error: Error) -> Failure {
    let is_doubtful = error.leaves_doubt();
    let failure = Failure::from(error);
    match is_doubtful {
        false => failure,
        true => failure.and_detail("Odoo may have done it all the same; it was not asked again."),
    }
}

fn cause(error: &Error) -> Cause {
    match error {
        Error::Denied { .. } => Cause::Login,
        Error::Sessionless(Sessionless::SecondFactor { .. }) => Cause::Login,
        Error::Companies { .. } | Error::Language { .. } | Error::Sessionless(_) => Cause::Options,
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

/// Message, DETAIL, HINT and SQLSTATE.
fn told(error: &Error) -> Failure {
    let message = error.to_string();
    let shown = |content_type: &str, beginning: &str| {
        format!("Content type {content_type}, the body begins: {beginning}")
    };
    let (sqlstate, detail, hint): (State, Option<String>, &str) = match error {
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
                403 => {
                    "A proxy may forbid this address: let it through, or choose another server option protocol."
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
        Error::Sessionless(why) => (
            State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
            None,
            match why {
                Sessionless::Key => "Set the server option protocol to auto, or the option password of the user mapping.",
                Sessionless::SecondFactor { .. } => "Make an API key for the user in Odoo, set the option api_key of the user mapping, and the server option protocol to auto.",
                Sessionless::NoCookie { .. } | Sessionless::Lost { .. } => "A proxy may strip cookies, Odoo's dbfilter may not admit the database under this host name, or several Odoos behind one address keep their sessions apart: mend that, or set the server option protocol to auto.",
            },
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

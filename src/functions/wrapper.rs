//! The foreign-data wrapper odoo_fdw: what CREATE SERVER and CREATE USER MAPPING accept.

use pgrx::PgSqlErrorCode as State;
use pgrx::{pg_sys, prelude::*};

use crate::failure::{Failure, OrRaise};
use crate::server::{Place, Wrong, check, may_read_files, read_key};

/// The validator of odoo_fdw.
#[pg_extern(strict)]
fn odoo_fdw_validator(options: Vec<Option<String>>, catalog: pg_sys::Oid) {
    let place = match catalog {
        pg_sys::ForeignServerRelationId => Some(Place::Server),
        pg_sys::UserMappingRelationId => Some(Place::UserMapping),
        _ => None,
    };
    let pairs: Vec<(String, String)> = options
        .into_iter()
        .flatten()
        .map(|option| match option.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (option, String::new()),
        })
        .collect();
    check(place, &pairs).map_err(explain).or_raise();
    if let Some((_, path)) = pairs.iter().find(|(name, _)| name == "api_key_file") {
        key_file(path).or_raise();
    }
}

/// Lets only those name a file who could read it with COPY too.
fn key_file(path: &str) -> Result<(), Failure> {
    if !may_read_files()? {
        return Err(Failure::new(
            State::ERRCODE_INSUFFICIENT_PRIVILEGE,
            "permission denied to set the option \"api_key_file\"",
        )
        .detail("Only roles with the privileges of \"pg_read_server_files\" may.")
        .hint("Use api_key, or ask an administrator to make the user mapping for you."));
    }
    read_key(path).map(drop)
}

fn explain(wrong: Wrong) -> Failure {
    match wrong {
        Wrong::Unknown { name, known } => {
            let failure = Failure::new(
                State::ERRCODE_FDW_INVALID_OPTION_NAME,
                format!("invalid option \"{name}\""),
            );
            match known.is_empty() {
                true => failure.hint("There are no valid options in this context."),
                false => failure
                    .hint(format!("Valid options in this context are: {}.", known.join(", "))),
            }
        }
        Wrong::Missing { name } => Failure::new(
            State::ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED,
            format!("option \"{name}\" is required"),
        ),
        Wrong::Value { name, reason } => Failure::new(
            State::ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE,
            format!("invalid value for option \"{name}\""),
        )
        .detail(format!("{}.", uppercase_first(&reason))),
        Wrong::Secret { reason } => Failure::new(State::ERRCODE_FDW_INVALID_OPTION_NAME, reason),
    }
}

fn uppercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

extension_sql!(
    r"
CREATE FOREIGN DATA WRAPPER odoo_fdw VALIDATOR odoo_fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER odoo_fdw IS 'Odoo servers, for the functions of odoo_etl';
",
    name = "odoo_fdw",
    requires = [odoo_fdw_validator]
);

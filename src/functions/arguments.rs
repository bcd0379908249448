//! Checks that the arguments of several functions share.

use std::time::Duration;

use pgrx::datum::Interval;
use pgrx::{JsonB, PgSqlErrorCode as State};

use crate::failure::Failure;
use crate::odoo::Value;

/// Members of an object in JSON.
pub type Members = Vec<(String, Value)>;

/// An argument that may not be NULL, and is.
pub fn null_argument(name: &str) -> Failure {
    Failure::new(State::ERRCODE_NULL_VALUE_NOT_ALLOWED, format!("{name} must not be NULL"))
}

pub fn required<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str, Failure> {
    value.ok_or_else(|| null_argument(name))
}

pub fn not_negative(name: &str, value: Option<i64>) -> Result<Option<i64>, Failure> {
    match value {
        Some(..0) => Err(invalid(format!("{name} must not be negative"))),
        _ => Ok(value),
    }
}

/// The ids of records.
pub fn ids(ids: Option<Vec<Option<i64>>>) -> Result<Vec<i64>, Failure> {
    let ids: Option<Vec<i64>> = ids.ok_or_else(|| null_argument("ids"))?.into_iter().collect();
    ids.ok_or_else(|| null_argument("an element of ids"))
}

/// Texts, none of them NULL.
pub fn texts(
    name: &str,
    texts: Option<Vec<Option<String>>>,
) -> Result<Option<Vec<String>>, Failure> {
    let Some(texts) = texts else {
        return Ok(None);
    };
    let texts: Option<Vec<String>> = texts.into_iter().collect();
    texts.map(Some).ok_or_else(|| null_argument(&format!("an element of {name}")))
}

/// An object in JSON; NULL is one without members.
pub fn object(name: &str, json: Option<JsonB>) -> Result<Members, Failure> {
    match json.map(|JsonB(json)| Value::from_json(json)) {
        None => Ok(Vec::new()),
        Some(Value::Struct(members)) => Ok(members),
        Some(_) => Err(invalid(format!("{name} must be a JSON object"))),
    }
}

pub fn invalid(message: String) -> Failure {
    Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, message)
}

/// In microseconds.
const DAY: i64 = 86_400_000_000;

/// The length of an interval between polls: Odoo has others to serve.
pub fn duration(name: &str, interval: Option<Interval>) -> Result<Duration, Failure> {
    let interval = interval.ok_or_else(|| null_argument(name))?;
    let micros = i64::from(interval.days()).saturating_mul(DAY).saturating_add(interval.micros());
    match (interval.months(), u64::try_from(micros).map(Duration::from_micros)) {
        (0, Ok(duration)) if duration.as_secs() > 0 => Ok(duration),
        (0, _) => Err(invalid(format!("{name} must be at least one second"))),
        _ => Err(invalid(format!("{name} must be a number of days, hours, minutes and seconds"))
            .detail("Months have no length of their own.")),
    }
}

//! The type odoo_domain, whose text is a domain in JSON, and what builds one.

use std::ffi::{CStr, CString};

use chrono::{DateTime, Datelike, TimeDelta};
use pgrx::prelude::*;
use pgrx::{AnyElement, JsonB, PgSqlErrorCode as State};

use super::arguments::null_argument;
use crate::failure::{Failure, OrRaise};
use crate::odoo::{Domain, DomainError, Value};
use crate::pg;
use crate::query::ask;

// The functions here are declared there: a type's own are of no use without it.
extension_sql_file!("../../sql/domain.sql", name = "domain");

/// Takes a domain in JSON or in Python's notation.
#[pg_extern(sql = false)]
fn odoo_domain_in(text: &CStr) -> String {
    text.to_str().map_or_else(|_| not_utf8().raise(), |text| read(text).or_raise().to_string())
}

#[pg_extern(sql = false)]
fn odoo_domain_out(domain: &str) -> CString {
    // JSON writes NUL as an escape.
    CString::new(domain).unwrap_or_default()
}

/// One condition; NULL asks for an empty field, as False does.
#[pg_extern(sql = false)]
fn odoo_domain(field: Option<&str>, operator: Option<&str>, value: Option<&str>) -> String {
    condition(field, operator, value.map_or(Value::Bool(false), Value::from)).or_raise()
}

#[pg_extern(sql = false)]
fn odoo_domain_jsonb(field: Option<&str>, operator: Option<&str>, value: Option<JsonB>) -> String {
    let value = value.map_or(Value::Bool(false), |JsonB(value)| Value::from_json(value));
    condition(field, operator, value).or_raise()
}

/// A value of any other type, as PostgreSQL writes it in JSON.
#[pg_extern(sql = false)]
fn odoo_domain_any(
    field: Option<&str>,
    operator: Option<&str>,
    value: Option<AnyElement>,
) -> String {
    let json = |value| ask::<JsonB>("SELECT to_jsonb($1)", &[pg::argument(value)]).or_raise();
    odoo_domain_jsonb(field, operator, value.and_then(json))
}

/// Odoo's times are UTC and have whole seconds.
#[pg_extern(sql = false)]
fn odoo_domain_timestamptz(
    field: Option<&str>,
    operator: Option<&str>,
    value: Option<TimestampWithTimeZone>,
) -> String {
    let value = value.map(|value| utc(value).or_raise());
    condition(field, operator, value.map_or(Value::Bool(false), Value::from)).or_raise()
}

#[pg_extern(sql = false)]
fn odoo_domain_date(field: Option<&str>, operator: Option<&str>, value: Option<Date>) -> String {
    let seconds = value.map(|value| match value.is_infinity() || value.is_neg_infinity() {
        true => infinite().raise(),
        false => i64::from(value.to_unix_epoch_days()) * 86_400,
    });
    let value = seconds.map(|seconds| written(seconds, "%Y-%m-%d").or_raise());
    condition(field, operator, value.map_or(Value::Bool(false), Value::from)).or_raise()
}

#[pg_extern(sql = false)]
fn odoo_domain_and(one: &str, other: &str) -> String {
    let join = || Ok((read(one)? & read(other)?).to_string());
    join().or_raise()
}

#[pg_extern(sql = false)]
fn odoo_domain_or(one: &str, other: &str) -> String {
    let join = || Ok((read(one)? | read(other)?).to_string());
    join().or_raise()
}

#[pg_extern(sql = false)]
fn odoo_domain_not(domain: &str) -> String {
    let negate = || Ok((!read(domain)?).to_string());
    negate().or_raise()
}

/// A time as Odoo writes it.
pub fn utc(time: TimestampWithTimeZone) -> Result<String, Failure> {
    // Seconds from 1970 to 2000, where PostgreSQL begins to count.
    const EPOCH: i64 = 946_684_800;
    let microseconds = i64::from(time);
    written(microseconds.div_euclid(1_000_000) + EPOCH, "%Y-%m-%d %H:%M:%S")
}

/// Seconds since 1970 in Odoo's way; Python knows the years 1 to 9999.
fn written(seconds: i64, format: &str) -> Result<String, Failure> {
    let time = TimeDelta::try_seconds(seconds)
        .and_then(|since| DateTime::UNIX_EPOCH.checked_add_signed(since))
        .filter(|time| (1..=9999).contains(&time.year()));
    Ok(time.ok_or_else(infinite)?.format(format).to_string())
}

fn infinite() -> Failure {
    Failure::new(State::ERRCODE_DATETIME_FIELD_OVERFLOW, "Odoo has no such time")
        .detail("Its times lie in the years 1 to 9999.")
}

/// The domain that a function was given, as text.
pub fn argument(domain: Option<&str>) -> Result<Domain, Failure> {
    read(domain.ok_or_else(|| null_argument("domain"))?)
}

fn read(text: &str) -> Result<Domain, Failure> {
    Domain::parse(text).map_err(|error| unreadable(text, &error))
}

fn condition(field: Option<&str>, operator: Option<&str>, value: Value) -> Result<String, Failure> {
    let field = field.ok_or_else(|| null_argument("field"))?;
    let operator = operator.ok_or_else(|| null_argument("operator"))?;
    match Domain::condition(field, operator, value) {
        Ok(domain) => Ok(domain.to_string()),
        Err((text, error)) => Err(unreadable(&text, &error)),
    }
}

/// A domain that cannot be read, with a mark under the character in question.
fn unreadable(text: &str, error: &DomainError) -> Failure {
    // White space of any kind is one column wide here, so that the mark stays in place.
    let line: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    Failure::new(State::ERRCODE_SYNTAX_ERROR, format!("invalid domain: {error}"))
        .detail(format!("The character is marked:\n{line}\n{}^", " ".repeat(error.at)))
        .hint("Write it as JSON, [[\"state\", \"=\", \"paid\"]], or as Odoo does, [('state', '=', 'paid')].")
}

fn not_utf8() -> Failure {
    Failure::new(State::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE, "a domain is text in UTF-8")
        .hint("Use a database whose encoding is UTF8.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_odoo_does() {
        let time = |seconds| written(seconds, "%Y-%m-%d %H:%M:%S").ok();
        assert_eq!(time(0).as_deref(), Some("1970-01-01 00:00:00"));
        assert_eq!(time(-1).as_deref(), Some("1969-12-31 23:59:59"));
        assert_eq!(time(-62_135_596_800).as_deref(), Some("0001-01-01 00:00:00"));
        assert_eq!((time(-62_135_596_801), time(253_402_300_800)), (None, None));
        assert_eq!((time(i64::MAX), time(i64::MIN)), (None, None));
    }
}

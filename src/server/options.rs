//! The options of CREATE SERVER and CREATE USER MAPPING.

use std::time::Duration;

use crate::odoo::{Protocol, check_url};
use crate::quote::MAX_NAME;

/// Where an option may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Server,
    UserMapping,
    ForeignTable,
    Column,
    /// IMPORT FOREIGN SCHEMA.
    Import,
}

/// One option: its name, its place, and the check of its value.
pub struct Spec {
    pub name: &'static str,
    pub place: Place,
    pub required: bool,
    check: fn(&str) -> Result<(), String>,
}

const fn server(name: &'static str, check: fn(&str) -> Result<(), String>) -> Spec {
    Spec { name, place: Place::Server, required: false, check }
}

const fn mapping(name: &'static str, check: fn(&str) -> Result<(), String>) -> Spec {
    Spec { name, place: Place::UserMapping, required: false, check }
}

const fn table(name: &'static str, check: fn(&str) -> Result<(), String>) -> Spec {
    Spec { name, place: Place::ForeignTable, required: false, check }
}

const fn column(name: &'static str, check: fn(&str) -> Result<(), String>) -> Spec {
    Spec { name, place: Place::Column, required: false, check }
}

const fn import(name: &'static str) -> Spec {
    Spec { name, place: Place::Import, required: false, check: |value| boolean(value).map(drop) }
}

const fn required(option: Spec) -> Spec {
    Spec { required: true, ..option }
}

pub const OPTIONS: &[Spec] = &[
    required(server("url", url)),
    required(server("database", present)),
    server("protocol", protocol),
    server("schema", schema),
    server("timezone", timezone),
    server("language", language),
    server("companies", |value| companies(value).map(drop)),
    server("page_size", |value| whole(value, PAGE_SIZE.min, PAGE_SIZE.max)),
    server("readers", |value| whole(value, READERS.min, READERS.max)),
    server("overlap", |value| whole(value, OVERLAP.min, OVERLAP.max)),
    server("retries", |value| whole(value, RETRIES.min, RETRIES.max)),
    server("retry_delay", |value| whole(value, RETRY_DELAY.min, RETRY_DELAY.max)),
    server("timeout", |value| whole(value, TIMEOUT.min, TIMEOUT.max)),
    server("ca_file", path),
    server("writable", |value| boolean(value).map(drop)),
    required(mapping("login", present)),
    mapping("password", present),
    mapping("api_key", present),
    mapping("api_key_file", path),
    required(table("model", present)),
    table("archived", |value| boolean(value).map(drop)),
    table("pushdown", |value| boolean(value).map(drop)),
    column("field", present),
    column("pushdown", |value| boolean(value).map(drop)),
    import("archived"),
    import("computed"),
    import("binary"),
];

/// A user mapping has one of them.
const SECRETS: &[&str] = &["password", "api_key", "api_key_file"];

struct Range {
    min: u32,
    max: u32,
    default: u32,
}

/// Records in one read, where the user sets it; and where records are asked for by id.
const PAGE_SIZE: Range = Range { min: 1, max: 100_000, default: 2_000 };
/// Connections to Odoo at once.
const READERS: Range = Range { min: 1, max: 16, default: 2 };
/// Seconds before the last change seen that are read again. Odoo dates a change by the start of
/// its transaction, so one that commits late lies in the past.
const OVERLAP: Range = Range { min: 0, max: 604_800, default: 600 };
/// Of a request that failed for a passing reason.
const RETRIES: Range = Range { min: 0, max: 20, default: 3 };
/// Milliseconds before the first retry; each one more waits twice as long.
const RETRY_DELAY: Range = Range { min: 1, max: 60_000, default: 1_000 };
/// Seconds. Odoo itself ends a request after limit_time_real, 120 by default.
const TIMEOUT: Range = Range { min: 1, max: 86_400, default: 120 };

/// Where the tables are made if the option `schema` is not set.
pub const DEFAULT_SCHEMA: &str = "public";

/// What the options of a server mean; absent ones have their defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerOptions {
    pub url: String,
    pub database: String,
    pub schema: String,
    pub timezone: String,
    /// `None` for `auto`.
    pub protocol: Option<Protocol>,
    pub language: Option<String>,
    pub companies: Vec<i64>,
    /// `None` for as many as Odoo answers in about a second.
    pub page_size: Option<usize>,
    pub readers: usize,
    pub overlap: Duration,
    pub retries: u32,
    pub retry_delay: Duration,
    pub timeout: Duration,
    pub ca_file: Option<String>,
    /// Whether records of Odoo may be made, changed and deleted.
    pub writable: bool,
}

impl ServerOptions {
    /// How many records are asked for by id at once.
    pub fn batch(&self) -> usize {
        self.page_size.unwrap_or(PAGE_SIZE.default as usize)
    }

    /// Reads options that were checked when they were set.
    pub fn from_pairs(pairs: &[(String, String)]) -> ServerOptions {
        let get = |name| find(pairs, name).map(str::to_owned);
        let number = |name, range: &Range| {
            find(pairs, name).and_then(|value| value.parse().ok()).unwrap_or(range.default)
        };
        ServerOptions {
            url: find(pairs, "url").and_then(|url| check_url(url).ok()).unwrap_or_default(),
            database: get("database").unwrap_or_default(),
            schema: get("schema").unwrap_or_else(|| DEFAULT_SCHEMA.into()),
            timezone: get("timezone").unwrap_or_else(|| "UTC".into()),
            protocol: Protocol::ALL
                .into_iter()
                .find(|protocol| find(pairs, "protocol") == Some(protocol.name())),
            language: get("language"),
            companies: find(pairs, "companies")
                .and_then(|list| companies(list).ok())
                .unwrap_or_default(),
            page_size: find(pairs, "page_size").and_then(|value| value.parse().ok()),
            readers: number("readers", &READERS) as usize,
            overlap: Duration::from_secs(number("overlap", &OVERLAP).into()),
            retries: number("retries", &RETRIES),
            retry_delay: Duration::from_millis(number("retry_delay", &RETRY_DELAY).into()),
            timeout: Duration::from_secs(number("timeout", &TIMEOUT).into()),
            ca_file: get("ca_file"),
            writable: flag(pairs, "writable", false),
        }
    }
}

/// A boolean option that was checked when it was set.
pub fn flag(pairs: &[(String, String)], name: &str, default: bool) -> bool {
    find(pairs, name).and_then(|value| boolean(value).ok()).unwrap_or(default)
}

pub fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// What is wrong with a set of options.
#[derive(Debug, PartialEq)]
pub enum OptionError {
    Unknown {
        name: String,
        known: Vec<&'static str>,
    },
    Missing {
        name: &'static str,
    },
    Value {
        name: String,
        reason: String,
    },
    /// Two options that exclude each other, or neither of them.
    Secret {
        reason: &'static str,
    },
}

/// Checks a whole set of options, as CREATE and ALTER hand it over.
pub fn check(place: Option<Place>, pairs: &[(String, String)]) -> Result<(), OptionError> {
    let known = || OPTIONS.iter().filter(|option| Some(option.place) == place);
    for (name, value) in pairs {
        let Some(option) = known().find(|option| option.name == name) else {
            let known = known().map(|option| option.name).collect();
            return Err(OptionError::Unknown { name: name.clone(), known });
        };
        (option.check)(value)
            .map_err(|reason| OptionError::Value { name: name.clone(), reason })?;
    }
    for option in known().filter(|option| option.required) {
        if find(pairs, option.name).is_none() {
            return Err(OptionError::Missing { name: option.name });
        }
    }
    if place == Some(Place::UserMapping) {
        let secrets = SECRETS.iter().filter(|name| find(pairs, name).is_some()).count();
        match secrets {
            0 => {
                let reason = "one of password, api_key and api_key_file is required";
                return Err(OptionError::Secret { reason });
            }
            1 => {}
            _ => {
                let reason = "password, api_key and api_key_file exclude each other";
                return Err(OptionError::Secret { reason });
            }
        }
    }
    Ok(())
}

fn url(value: &str) -> Result<(), String> {
    check_url(value).map(drop).map_err(|error| error.to_string())
}

fn present(value: &str) -> Result<(), String> {
    match value.is_empty() {
        true => Err("it is empty".into()),
        false => Ok(()),
    }
}

fn protocol(value: &str) -> Result<(), String> {
    match value {
        "auto" => Ok(()),
        _ if Protocol::ALL.iter().any(|protocol| protocol.name() == value) => Ok(()),
        _ => Err("it is one of auto, xmlrpc, jsonrpc, json2, web".into()),
    }
}

fn schema(value: &str) -> Result<(), String> {
    match value.len() {
        1..=MAX_NAME => Ok(()),
        _ => Err(format!("a schema's name has 1 to {MAX_NAME} bytes")),
    }
}

/// Odoo's codes: `fr_FR`, `es_419`, `sr@latin`.
fn language(value: &str) -> Result<(), String> {
    let usual = |c: char| c.is_ascii_alphanumeric() || "_@".contains(c);
    match (2..=16).contains(&value.len()) && value.chars().all(usual) {
        true => Ok(()),
        false => Err("it is a language code of Odoo such as fr_FR".into()),
    }
}

fn timezone(value: &str) -> Result<(), String> {
    match value.parse::<chrono_tz::Tz>() {
        Ok(_) => Ok(()),
        Err(_) => Err("it is a name of the IANA time zone database such as Europe/Paris".into()),
    }
}

/// Odoo's ids of companies, the current one first.
fn companies(value: &str) -> Result<Vec<i64>, String> {
    let ids = value.split(',').map(|id| id.trim().parse().ok().filter(|id| *id > 0));
    let ids: Option<Vec<i64>> = ids.collect();
    ids.ok_or_else(|| "it is a list of company ids such as 1,3".into())
}

fn whole(value: &str, min: u32, max: u32) -> Result<(), String> {
    match value.parse::<u32>() {
        Ok(number) if (min..=max).contains(&number) => Ok(()),
        _ => Err(format!("it is an integer between {min} and {max}")),
    }
}

/// As PostgreSQL reads a boolean option.
fn boolean(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => Err("it is true or false".into()),
    }
}

fn path(value: &str) -> Result<(), String> {
    match value.starts_with('/') {
        true => Ok(()),
        false => Err("it is an absolute path on the database's machine".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn defaults() {
        let minimal = pairs(&[("url", "http://x/"), ("database", "d")]);
        assert_eq!(check(Some(Place::Server), &minimal), Ok(()));
        let options = ServerOptions::from_pairs(&minimal);
        assert_eq!((options.url.as_str(), options.schema.as_str()), ("http://x", "public"));
        assert_eq!((options.page_size, options.batch(), options.readers), (None, 2_000, 2));
        assert!(!options.writable);
    }

    #[test]
    fn writable_is_a_boolean() {
        let writable = |value| {
            let options = pairs(&[("url", "http://x"), ("database", "d"), ("writable", value)]);
            let checked = check(Some(Place::Server), &options).is_ok();
            (checked, ServerOptions::from_pairs(&options).writable)
        };
        assert_eq!((writable("true"), writable("ON")), ((true, true), (true, true)));
        assert_eq!((writable("false"), writable("0")), ((true, false), (true, false)));
        assert_eq!((writable("maybe"), writable("")), ((false, false), (false, false)));
    }

    #[test]
    fn a_mapping_has_one_secret() {
        let mapping = |list| check(Some(Place::UserMapping), &pairs(list));
        assert_eq!(mapping(&[("login", "a"), ("password", "b")]), Ok(()));
        assert!(matches!(mapping(&[("login", "a")]), Err(OptionError::Secret { .. })));
        let both = [("login", "a"), ("password", "b"), ("api_key", "c")];
        assert!(matches!(mapping(&both), Err(OptionError::Secret { .. })));
        assert_eq!(mapping(&[("password", "b")]), Err(OptionError::Missing { name: "login" }));
    }

    #[test]
    fn elsewhere_there_is_no_option() {
        assert!(matches!(check(None, &pairs(&[("url", "x")])), Err(OptionError::Unknown { .. })));
        assert_eq!(check(None, &[]), Ok(()));
    }
}

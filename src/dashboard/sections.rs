//! What the page shows: a query for each section, in sql/dashboard. There `reports.` stands before the
//! views and `odoo.` before the extension's. Each gives one JSON object.

use pgrx::PgSqlErrorCode as State;
use pgrx::datum::DatumWithOid;
use serde_json::json;

use crate::failure::Failure;
use crate::pg;
use crate::query;
use crate::quote::ident;

/// Which parameter a query has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Period,
    Server,
}

struct Section {
    name: &'static str,
    query: &'static str,
    takes: Takes,
}

macro_rules! section {
    ($name:literal, $takes:ident) => {
        Section {
            name: $name,
            query: include_str!(concat!("../../sql/dashboard/", $name, ".sql")),
            takes: Takes::$takes,
        }
    };
}

const SECTIONS: &[Section] = &[
    section!("sales", Period),
    section!("hours", Nothing),
    section!("margin", Nothing),
    section!("tenders", Nothing),
    section!("stock_outs", Nothing),
    section!("cash", Nothing),
    section!("sync", Server),
];

/// What the sections are made of.
pub struct Source<'a> {
    pub reports: &'a str,
    /// The schema of the extension's views.
    pub extension: &'a str,
    pub server: &'a str,
    pub period: Option<&'a str>,
}

/// All sections as the members of a JSON object. One whose views are not there, or are not the caller's
/// to read, says so.
pub fn read(source: &Source<'_>) -> Result<String, Failure> {
    let mut members = Vec::new();
    for section in SECTIONS {
        let found = match pg::subtransaction(|| section.read(source)) {
            Err(failure) if is_missing(&failure) => {
                json!({ "missing": failure.message }).to_string()
            }
            found => found?,
        };
        members.push(format!("\"{}\":{found}", section.name));
    }
    Ok(members.join(","))
}

impl Section {
    fn read(&self, source: &Source<'_>) -> Result<String, Failure> {
        let args: Vec<DatumWithOid<'_>> = match self.takes {
            Takes::Nothing => Vec::new(),
            Takes::Period => vec![source.period.into()],
            Takes::Server => vec![source.server.into()],
        };
        let (reports, own) = (ident(source.reports), ident(source.extension));
        let parts: Vec<_> = self
            .query
            .split("reports.")
            .map(|part| part.replace("odoo.", &format!("{own}.")))
            .collect();
        let sql = parts.join(&format!("{reports}."));
        // As text: numbers keep all their digits.
        let sql = format!("SELECT found::text FROM (\n{sql}\n) AS section (found)");
        Ok(query::ask::<String>(&sql, &args)?.unwrap_or_else(|| "{}".into()))
    }
}

fn is_missing(failure: &Failure) -> bool {
    matches!(
        failure.sqlstate,
        State::ERRCODE_UNDEFINED_TABLE
            | State::ERRCODE_UNDEFINED_COLUMN
            | State::ERRCODE_INVALID_SCHEMA_NAME
            | State::ERRCODE_INSUFFICIENT_PRIVILEGE
    )
}

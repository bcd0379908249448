//! The reports of a server: views whose queries are in sql/reports.

use std::collections::HashSet;

use pgrx::{PgSqlErrorCode as State, pg_sys};

use super::views::Place;
use crate::failure::{Failure, notice};
use crate::pg::Relation;
use crate::server::Server;
use crate::warehouse::ddl::qualified;
use crate::warehouse::reports::{REPORTS, Report};

/// Makes the views of whose tables all are there, or replaces them. Returns the views.
pub fn create_reports(server: &Server, schema: &str) -> Result<Vec<pg_sys::Oid>, Failure> {
    let place = Place::open(server, schema)?;
    let mut made = HashSet::new();
    let mut views = Vec::new();
    for (index, report) in REPORTS.iter().enumerate() {
        if made.contains(report.name) {
            continue;
        }
        match make(&place, &server.options.schema, report, &made)? {
            // There is another way to it.
            Some(_) if REPORTS.get(index + 1).is_some_and(|next| next.name == report.name) => {}
            Some(reason) => notice!("{}: left out, {reason}", report.name),
            None => {
                made.insert(report.name);
                views.extend(Relation::find(schema, report.name).map(|relation| relation.oid));
            }
        }
    }
    Ok(views)
}

/// Makes a report, or tells why it cannot be made yet.
fn make(
    place: &Place<'_>,
    warehouse: &str,
    report: &Report,
    made: &HashSet<&str>,
) -> Result<Option<String>, Failure> {
    let is_missing = |table: &&&str| Relation::find(warehouse, table).is_none();
    if let Some(table) = report.tables().iter().find(is_missing) {
        return Ok(Some(format!("table {} does not exist", qualified(warehouse, table))));
    }
    if let Some(other) = report.others().iter().find(|other| !made.contains(*other)) {
        return Ok(Some(format!("as is report {other}")));
    }
    match place.make(report.name, &report.create(place.schema, warehouse)) {
        // A table of an older warehouse, which the next run completes.
        Err(failure) if failure.sqlstate == State::ERRCODE_UNDEFINED_COLUMN => {
            return Ok(Some(failure.message));
        }
        done => done?,
    }
    place.describe(report.name, &report.about(), |column| {
        report.column(column).map(str::to_owned)
    })?;
    Ok(None)
}

//! The days of the warehouse, which are made here: from the first business date that a table has to a
//! year after the last one.

use pgrx::PgSqlErrorCode as State;
use pgrx::datum::{Date, DatumWithOid};
use pgrx::prelude::*;

use crate::failure::Failure;
use crate::query;
use crate::sync::load::owner::{self, Table};
use crate::warehouse::ddl::qualified;
use crate::warehouse::{Column, Dataset, Source, TimePart, dates};

/// What months are called, and weekdays from Monday on.
pub struct Names {
    pub months: Vec<String>,
    pub weekdays: Vec<String>,
}

/// A first and a last day.
type Span = (Date, Date);

/// Whether the table of days is one that a run made: users may have one of that name.
pub fn is_ours(schema: &str) -> Result<bool, Failure> {
    let sql = "SELECT obj_description(to_regclass($1), 'pg_class') = $2";
    let table = qualified(schema, dates::DIM_DATE);
    query::is_true(sql, &[table.into(), dates::ABOUT.into()])
}

/// Whether a table has business dates of its own.
pub fn has_days(dataset: &Dataset) -> bool {
    own_days(dataset).next().is_some()
}

/// The columns of a table that are business dates, but for those that it has from its parents.
fn own_days(dataset: &Dataset) -> impl Iterator<Item = &'static Column> + use<> {
    let is_own = |source| matches!(source, Source::Local { part: TimePart::Day, .. });
    dataset.columns.iter().filter(move |column| is_own(column.source))
}

/// Adds the days that the tables' business dates call for. Of large tables no more is read than the
/// rows of days that are not there: an index on the days finds them.
pub fn extend(schema: &str, dated: &[&Dataset], names: &Names) -> Result<(), Failure> {
    let days = Table::new(schema, dates::DIM_DATE);
    let known = days.run(owner::READ, || ask(&dates::known(schema), &[]))?;
    let mut span = known;
    for dataset in dated {
        for (first, last) in spans(schema, dataset, known)? {
            span = Some(span.map_or((first, last), |span| (span.0.min(first), span.1.max(last))));
        }
    }
    let Some((first, last)) = span else {
        return Ok(());
    };
    let Names { months, weekdays } = names;
    let args = [first.into(), last.into(), months.clone().into(), weekdays.clone().into()];
    let sql = dates::add_days(schema);
    days.run(owner::LOAD, || Ok(Spi::run_with_args(&sql, &args)?))
}

/// Gives the days their names, where they differ.
pub fn rename(schema: &str, names: &Names) -> Result<(), Failure> {
    let args = [names.months.clone().into(), names.weekdays.clone().into()];
    let sql = dates::rename_days(schema);
    let rename = || Ok(Spi::run_with_args(&sql, &args)?);
    Table::new(schema, dates::DIM_DATE).run(owner::LOAD, rename)
}

/// The first and the last day of each of a table's own columns of business dates, of those that are
/// not known. A table that the caller may not read says nothing: days that are there stay.
fn spans(schema: &str, dataset: &Dataset, known: Option<Span>) -> Result<Vec<Span>, Failure> {
    let mut found = Vec::new();
    for column in own_days(dataset) {
        let sql = dates::span(schema, dataset.table, column.name, known.is_some());
        let args: Vec<_> =
            known.iter().flat_map(|(first, last)| [(*first).into(), (*last).into()]).collect();
        match Table::new(schema, dataset.table).run(owner::READ, || ask(&sql, &args)) {
            Ok(span) => found.extend(span),
            Err(failure) if failure.sqlstate == State::ERRCODE_INSUFFICIENT_PRIVILEGE => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}

fn ask(sql: &str, args: &[DatumWithOid]) -> Result<Option<Span>, Failure> {
    Spi::connect(|client| {
        let row = client.select(sql, Some(1), args)?.first();
        Ok(row.get::<Date>(1)?.zip(row.get::<Date>(2)?))
    })
}

//! The groups of a foreign table's rows, by Odoo's hand.

use std::collections::HashSet;

use pgrx::pg_sys::Oid;

use crate::failure::Failure;
use crate::fdw::query::grouped::{Grouped, Measure, Measured};
use crate::fdw::query::plan::Plan;
use crate::fdw::scan::known;
use crate::fdw::scan::records::all_of;
use crate::fdw::table::columns::Kind;
use crate::odoo::{
    Cells, Domain, Error, FaultKind, FieldType, Groups, Texts, Total, Traffic, is_sure,
    without_noise,
};
use crate::pg::fdw::{Cells as _, Constant, Function};
use crate::server::{Server, Session};

/// More groups are left to PostgreSQL: they come in one answer.
pub const MAX_GROUPS: usize = 20_000;

/// Of that many bytes, where up to 18 each group repeats the domain.
const MAX_ANSWER: usize = 64 << 20;
const GROUP_BYTES: usize = 400;

/// Decimal places that amounts have at most; sums with more are not made of rounded amounts.
const AMOUNT_PLACES: u8 = 6;

/// Groups as columns, in the order in which they are wanted.
pub struct Summary {
    pub rows: usize,
    pub columns: Vec<Column>,
}

pub struct Column {
    pub cells: Cells,
    /// By what the cells are to be divided, if by anything.
    pub divisors: Option<Vec<i64>>,
}

/// The groups of a plan's records; `None` where Odoo's answer, if there is one, may not be
/// PostgreSQL's.
pub fn summarise(
    plan: &Plan,
    server: Oid,
    user: Oid,
    values: &[Constant],
) -> Result<(Option<Summary>, Traffic), Failure> {
    let Some(grouped) = &plan.grouped else {
        return Ok((None, Traffic::default()));
    };
    let pushed = plan.pushed(values);
    if !grouped.is_count() && !pushed.exact {
        return Ok((None, Traffic::default()));
    }
    let condition = plan.condition(values)?;
    if condition.is_never() {
        return Ok((of_nothing(grouped), Traffic::default()));
    }
    let server = Server::of_oid(server);
    plan.require_basis(&*known::fields(&server, user, &plan.model)?)?;
    let session = server.session_of(user)?;
    let domain = all_of(condition.into_domain());
    let summary = match grouped.is_count() {
        true => of_count(grouped, count(&session, &plan.model, domain)?),
        false => ask(&session, &plan.model, domain, grouped)?,
    };
    Ok((summary, session.traffic()))
}

fn count(session: &Session, model: &str, domain: Domain) -> Result<i64, Failure> {
    let model = model.to_owned();
    session.call(move |odoo| odoo.model(&model).count(domain))
}

/// No rows are one group, where nothing is grouped by.
fn of_nothing(grouped: &Grouped) -> Option<Summary> {
    match grouped.by.is_empty() {
        true => of_count(grouped, 0),
        false => {
            let nothing = || Column { cells: Cells::Texts(Texts::default()), divisors: None };
            let width = grouped.by.len() + grouped.measures.len();
            Some(Summary { rows: 0, columns: (0..width).map(|_| nothing()).collect() })
        }
    }
}

/// All records as one group of which no values are known.
fn of_count(grouped: &Grouped, records: i64) -> Option<Summary> {
    let totals = grouped.totals();
    let groups = Groups {
        rows: 1,
        by: Vec::new(),
        counts: vec![records],
        totals: totals.iter().map(|_| Cells::Integers(vec![Some(0)])).collect(),
    };
    Answer { groups, totals: &totals }.summary(grouped)
}

/// Odoo's groups, if their records are as many as it counts, and as its searches find: some models
/// group other records than they search.
fn ask(
    session: &Session,
    model: &str,
    domain: Domain,
    grouped: &Grouped,
) -> Result<Option<Summary>, Failure> {
    let repeated = domain.clone().into_value().into_json().to_string().len();
    let limit = MAX_GROUPS.min(MAX_ANSWER / (repeated + GROUP_BYTES));
    let totals = grouped.totals();
    let (name, other, by) = (model.to_owned(), domain.clone(), grouped.by.clone());
    let counting = session.submit(move |odoo| odoo.model(&name).count(other))?;
    let (name, other, wanted) = (model.to_owned(), domain.clone(), totals.clone());
    let grouping =
        session.submit(move |odoo| odoo.model(&name).groups(other, &by, &wanted, limit + 1))?;
    let (counted, groups) = match (counting.outcome()?, grouping.outcome()?) {
        (Ok(counted), Ok(groups)) if groups.rows <= limit => (counted, groups),
        (Ok(_), Ok(_)) => return Ok(None),
        (Err(error), _) | (_, Err(error)) if is_refusal(&error) => return Ok(None),
        (Err(error), _) | (_, Err(error)) => return Err(error.into()),
    };
    let found = groups.counts.iter().sum::<i64>();
    if found != counted {
        // Records may have come or gone meanwhile.
        let again = count(session, model, domain)?;
        if !(counted.min(again)..=counted.max(again)).contains(&found) {
            return Ok(None);
        }
    }
    Ok(Answer { groups, totals: &totals }.summary(grouped))
}

/// Whether records may be read all the same.
fn is_refusal(error: &Error) -> bool {
    let is_login = matches!(error.fault_kind(), Some(FaultKind::Denied | FaultKind::CoolDown));
    error.asks_for_less() || error.fault_kind().is_some() && !is_login
}

struct Answer<'a> {
    groups: Groups,
    totals: &'a [Total],
}

/// What Odoo tells leaves a doubt.
struct Doubt;

impl Answer<'_> {
    fn summary(mut self, grouped: &Grouped) -> Option<Summary> {
        let mut columns = Vec::new();
        for (cells, (_, field_type)) in
            std::mem::take(&mut self.groups.by).into_iter().zip(&grouped.by)
        {
            columns.push(Column { cells: with_zeros(cells, *field_type), divisors: None });
        }
        if !are_distinct(&columns, self.groups.rows) {
            return None;
        }
        for measure in &grouped.measures {
            columns.push(self.column(measure).ok()?);
        }
        Some(Summary { rows: self.groups.rows, columns })
    }

    fn column(&self, measure: &Measure) -> Result<Column, Doubt> {
        let mut texts = Texts::default();
        for row in 0..self.groups.rows {
            texts.push(self.outcome(measure, row)?.as_deref());
        }
        let is_average = measure.function == Function::Average;
        let divisors = is_average.then(|| self.groups.counts.clone());
        Ok(Column { cells: Cells::Texts(texts), divisors })
    }

    /// What PostgreSQL would make of a group's values, as it writes it; of an average the sum.
    fn outcome(&self, measure: &Measure, row: usize) -> Result<Option<String>, Doubt> {
        let records = self.groups.counts[row];
        let Some(of) = &measure.of else {
            return Ok(Some(records.to_string()));
        };
        let set =
            self.text("count", of, row).and_then(|text| text.parse::<i64>().ok()).ok_or(Doubt)?;
        // Each total is there exactly where a value is.
        let total = |function| match (self.text(function, of, row), set) {
            (None, 0) => Ok(None),
            (Some(total), 1..) if set <= records => Ok(Some(total)),
            _ => Err(Doubt),
        };
        match measure.function {
            Function::Count => Ok(Some(set.to_string())),
            _ if records == 0 => Ok(None),
            Function::Sum | Function::Average => {
                if matches!(of.kind, Kind::Decimal { .. }) {
                    for function in ["min", "max"] {
                        total(function)?.map_or(Ok(String::new()), |end| sure(of, end))?;
                    }
                }
                let sum = total("sum")?.map(|sum| sure(of, sum)).transpose()?;
                Ok(Some(sum.unwrap_or_else(|| zero(of).to_owned())))
            }
            Function::Least => Ok(end(of, total("min")?, set < records, |zero, end| zero < end)?),
            Function::Greatest => {
                Ok(end(of, total("max")?, set < records, |zero, end| zero > end)?)
            }
        }
    }

    fn text(&self, function: &str, of: &Measured, row: usize) -> Option<String> {
        let is_it = |total: &Total| total.function == function && total.field == of.field;
        match &self.groups.totals[self.totals.iter().position(is_it)?] {
            Cells::Integers(cells) => cells[row].map(|number| number.to_string()),
            Cells::Texts(texts) => texts.get(row).map(str::to_owned),
            _ => None,
        }
    }
}

/// The number that NULL in Odoo's database is read as.
fn zero(of: &Measured) -> &'static str {
    if matches!(of.kind, Kind::Decimal { .. }) { "0.0" } else { "0" }
}

/// A sum, or one of its numbers, that no rounding on the way to a row would have changed.
fn sure(of: &Measured, number: String) -> Result<String, Doubt> {
    let is_whole = !matches!(of.kind, Kind::Decimal { .. });
    match is_whole || is_sure(&number, of.places.unwrap_or(AMOUNT_PLACES)) {
        true => Ok(number),
        false => Err(Doubt),
    }
}

/// The least or the greatest value. Where some are NULL in Odoo's database, zero is among numbers.
fn end(
    of: &Measured,
    end: Option<String>,
    has_zero: bool,
    is_beyond: fn(f64, f64) -> bool,
) -> Result<Option<String>, Doubt> {
    if matches!(of.kind, Kind::Date | Kind::Datetime) {
        return Ok(end);
    }
    let Some(end) = end else {
        return Ok(Some(zero(of).to_owned()));
    };
    let end = match of.kind {
        Kind::Decimal { .. } if of.places.is_none() => without_noise(&end, None).into_owned(),
        _ => sure(of, end)?,
    };
    let number = end.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or(Doubt)?;
    Ok(Some(if has_zero && is_beyond(0.0, number) { zero(of).to_owned() } else { end }))
}

/// Whole numbers that are NULL in Odoo's database are read as 0.
fn with_zeros(cells: Cells, field_type: FieldType) -> Cells {
    match cells {
        Cells::Integers(cells) if field_type == FieldType::Integer => {
            Cells::Integers(cells.into_iter().map(|cell| cell.or(Some(0))).collect())
        }
        cells => cells,
    }
}

/// Whether no two groups look alike, as those of NULL and of zero do, and of texts that differ in
/// what is lost on the way.
fn are_distinct(columns: &[Column], rows: usize) -> bool {
    let mut seen = HashSet::new();
    let key = |row| {
        columns.iter().map(|column| format!("{:?}", column.cells.value(row))).collect::<Vec<_>>()
    };
    (0..rows).all(|row| seen.insert(key(row)))
}

//! Odoo's records to the warehouse's rows.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use chrono_tz::Tz;

use crate::failure::Failure;
use crate::odoo::{Cells, FieldType, Page, Texts, without_noise};
use crate::sync::mapping::feed::{MappedColumn, Mapping};
use crate::sync::mapping::values::{Origin, Values};
use crate::sync::transform::related::Lookups;
use crate::sync::transform::zones::Zones;
use crate::warehouse::dataset::ACTIVE;
use crate::warehouse::path::Test;
use crate::warehouse::{Source, SqlType, TimePart};

/// Rows of one table, as columns.
pub struct Rows {
    pub ids: Vec<i64>,
    /// Parallel to the table's loaded columns.
    pub columns: Vec<Cells>,
}

/// What a transformation needs besides the page.
pub struct Context<'a> {
    /// Those that the Odoo user sees, the one that he works in first.
    pub companies: &'a [i64],
    pub lookups: &'a mut Lookups,
    pub zones: &'a mut Zones,
}

impl Rows {
    /// The rows of a page.
    pub fn from_page(
        mapping: &Mapping,
        page: &Page,
        context: &mut Context<'_>,
    ) -> Result<Rows, Failure> {
        let columns = mapping
            .columns
            .iter()
            .map(|mapped| column(mapped, page, context))
            .collect::<Result<_, _>>()?;
        Ok(Rows { ids: page.ids(), columns })
    }

    /// The ids in a column of references, each once.
    pub fn distinct(&self, column: usize) -> Vec<i64> {
        let Cells::Integers(ids) = &self.columns[column] else {
            return Vec::new();
        };
        let mut ids: Vec<_> = ids.iter().flatten().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Empties a column of references where it refers to some records.
    pub fn let_go(&mut self, column: usize, of: impl Fn(i64) -> bool) {
        if let Cells::Integers(ids) = &mut self.columns[column] {
            ids.iter_mut().for_each(|id| *id = id.filter(|id| !of(*id)));
        }
    }

    /// Adds rows of the same table.
    pub fn append(&mut self, other: Rows) {
        self.ids.extend(&other.ids);
        for (cells, more) in self.columns.iter_mut().zip(&other.columns) {
            (0..more.len()).for_each(|row| cells.push_from(more, row));
        }
    }

    /// Cuts a column's texts to a number of characters. Returns how many were longer.
    pub fn narrow(&mut self, column: usize, width: usize) -> usize {
        let Cells::Texts(texts) = &self.columns[column] else {
            return 0;
        };
        let cut = |text: &str| text.char_indices().nth(width).map(|(end, _)| end);
        let longer = texts.iter().flatten().filter(|text| cut(text).is_some()).count();
        if longer > 0 {
            let narrowed =
                texts.iter().map(|text| text.map(|text| &text[..cut(text).unwrap_or(text.len())]));
            self.columns[column] = Cells::Texts(narrowed.collect());
        }
        longer
    }
}

fn column(mapped: &MappedColumn, page: &Page, context: &mut Context<'_>) -> Result<Cells, Failure> {
    let sql_type = mapped.column.sql_type;
    match &mapped.values {
        Values::Plain(origins) => {
            let cells = first_value(origins, sql_type, page, context)?;
            match (cells, mapped.column.source) {
                (None, _) if mapped.column.name == ACTIVE => {
                    Ok(Cells::Booleans(vec![Some(true); page.rows()]))
                }
                (cells, Source::Zone(_)) => {
                    let zones = cells.unwrap_or_else(|| empty(sql_type, page.rows()));
                    Ok(zone_names(&zones, context.zones))
                }
                (Some(Cells::Texts(texts)), Source::Number(_)) => Ok(numbers(&texts)),
                (cells, Source::Company(_)) => {
                    let own = cells.unwrap_or_else(|| empty(sql_type, page.rows()));
                    Ok(companies(&own, context.companies))
                }
                (cells, _) => Ok(cells.unwrap_or_else(|| empty(sql_type, page.rows()))),
            }
        }
        Values::Local { part, time, zone } => {
            let nothing = || empty(SqlType::Text, page.rows());
            let times = first_value(time, SqlType::Timestamptz, page, context)?;
            let zones = first_value(zone, SqlType::Text, page, context)?;
            let (times, zones) = (times.unwrap_or_else(nothing), zones.unwrap_or_else(nothing));
            Ok(parts(*part, &times, &zones, context.zones))
        }
    }
}

/// Each row's first value that is not empty; `None` without any origin.
fn first_value(
    origins: &[Origin],
    sql_type: SqlType,
    page: &Page,
    context: &mut Context<'_>,
) -> Result<Option<Cells>, Failure> {
    let mut best: Option<Cells> = None;
    for origin in origins {
        let cells = convert(follow(origin, sql_type, page, context)?, origin, sql_type);
        best = Some(match best {
            None => cells,
            Some(best) => best.or(&cells),
        });
    }
    Ok(best)
}

/// The values of an origin's last field.
fn follow(
    origin: &Origin,
    sql_type: SqlType,
    page: &Page,
    context: &mut Context<'_>,
) -> Result<Cells, Failure> {
    let missing = || Cells::empty(origin.field.field_type, page.rows());
    let mut cells = page.column(&origin.field.name).cloned().unwrap_or_else(missing);
    for hop in &origin.hops {
        cells = match &cells {
            Cells::Integers(ids) => context.lookups.follow(ids, hop)?,
            Cells::Lists(lists) => {
                context.lookups.follow_many(lists, hop, |texts| match sql_type {
                    SqlType::TextArray => Some(array_literal(texts)),
                    // Dates are written so that the earliest is the least.
                    SqlType::Date => texts.iter().min().map(|first| (*first).to_owned()),
                    SqlType::Numeric => sum(texts),
                    _ => (!texts.is_empty()).then(|| texts.join("; ")),
                })?
            }
            _ => Cells::empty(hop.field.field_type, page.rows()),
        };
    }
    match origin.guard.as_ref().and_then(|guard| page.column(&guard.name)) {
        Some(Cells::Booleans(known)) => Ok(cells.only_where(known)),
        Some(Cells::Integers(ids)) => {
            let are_there: Vec<_> = ids.iter().map(|id| Some(id.is_some())).collect();
            Ok(cells.only_where(&are_there))
        }
        _ => Ok(cells),
    }
}

/// The sum of some numbers; there is none of no number.
fn sum(numbers: &[&str]) -> Option<String> {
    let numbers: Vec<f64> = numbers.iter().filter_map(|number| number.parse().ok()).collect();
    let sum: f64 = numbers.iter().sum();
    (!numbers.is_empty()).then(|| without_noise(&sum.to_string(), None).into_owned())
}

/// Texts as PostgreSQL writes an array of them.
fn array_literal(texts: &[&str]) -> String {
    let quoted =
        texts.iter().map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")));
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// NULLs in the form in which a column of that type is handed over.
fn empty(sql_type: SqlType, rows: usize) -> Cells {
    let field_type = match sql_type {
        SqlType::Boolean => FieldType::Boolean,
        SqlType::Bigint => FieldType::Integer,
        SqlType::Text
        | SqlType::TextArray
        | SqlType::BigintArray
        | SqlType::Numeric
        | SqlType::Date
        | SqlType::Timestamptz
        | SqlType::Jsonb => FieldType::Text,
    };
    Cells::empty(field_type, rows)
}

/// A field's values as a column of another type holds them.
fn convert(cells: Cells, origin: &Origin, to: SqlType) -> Cells {
    let texts =
        |texts: Vec<Option<String>>| Cells::Texts(texts.iter().map(Option::as_deref).collect());
    match (to, cells, origin.test) {
        (_, Cells::Texts(values), Some(Test::Equals(value))) => {
            Cells::Booleans(values.iter().map(|text| text.map(|text| text == value)).collect())
        }
        (_, Cells::Integers(values), Some(Test::Positive)) => {
            let is_relation = origin.last().field_type == FieldType::Many2one;
            let nothing = is_relation.then_some(false);
            Cells::Booleans(values.into_iter().map(|n| n.map(|n| n > 0).or(nothing)).collect())
        }
        (SqlType::BigintArray, Cells::Integers(ids), _) => Cells::Lists(ids.into_iter().collect()),
        (SqlType::Text | SqlType::Numeric, Cells::Integers(numbers), _) => {
            texts(numbers.into_iter().map(|number| number.map(|n| n.to_string())).collect())
        }
        (SqlType::Text, Cells::Booleans(flags), _) => {
            texts(flags.into_iter().map(|flag| flag.map(|flag| flag.to_string())).collect())
        }
        // The day of a time, in UTC.
        (SqlType::Date, Cells::Texts(times), _) => {
            Cells::Texts(times.iter().map(|time| time.and_then(|time| time.get(..10))).collect())
        }
        (_, cells, _) => cells,
    }
}

/// The names of known zones.
fn zone_names(zones: &Cells, known: &mut Zones) -> Cells {
    let Cells::Texts(zones) = zones else {
        return zones.clone();
    };
    Cells::Texts(zones.iter().map(|zone| Some(known.named(zone).name())).collect())
}

/// Texts that are whole numbers.
fn numbers(texts: &Texts) -> Cells {
    let whole = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    Cells::Integers(texts.iter().map(whole).collect())
}

/// The companies whose values records show: their own, if the user sees it.
fn companies(own: &Cells, seen: &[i64]) -> Cells {
    let Cells::Integers(own) = own else {
        return Cells::empty(FieldType::Integer, own.len());
    };
    let shown = |own: &Option<i64>| own.filter(|id| seen.contains(id)).or(seen.first().copied());
    Cells::Integers(own.iter().map(shown).collect())
}

/// What clocks show of times in their zones.
fn parts(part: TimePart, times: &Cells, zones: &Cells, known: &mut Zones) -> Cells {
    let (Cells::Texts(times), Cells::Texts(zones)) = (times, zones) else {
        return Cells::empty(FieldType::Text, times.len());
    };
    let times = local_times(times, zones, known).into_iter();
    match part {
        TimePart::Day => {
            let days: Vec<_> = times.map(|time| time.map(|time| date(time.date()))).collect();
            Cells::Texts(days.iter().map(Option::as_deref).collect())
        }
        TimePart::Hour => {
            Cells::Integers(times.map(|time| time.map(|time| time.hour().into())).collect())
        }
    }
}

/// Each time as clocks show it in its zone.
fn local_times(times: &Texts, zones: &Texts, known: &mut Zones) -> Vec<Option<NaiveDateTime>> {
    // Shops are in few zones, and rows of one zone come together.
    let mut last: Option<(Option<&str>, Tz)> = None;
    let local = |(time, name): (Option<&str>, _)| {
        let zone = match last {
            Some((same, zone)) if same == name => zone,
            _ => known.named(name),
        };
        last = Some((name, zone));
        let utc = NaiveDateTime::parse_from_str(time?, "%Y-%m-%d %H:%M:%S+00").ok()?;
        Some(utc.and_utc().with_timezone(&zone).naive_local())
    };
    times.iter().zip(zones.iter()).map(local).collect()
}

/// A day as PostgreSQL reads it; a zone may lead out of the years that Odoo knows.
fn date(day: NaiveDate) -> String {
    let (year, era) = match day.year() {
        year @ 1.. => (year, ""),
        year => (1 - year, " BC"),
    };
    format!("{year:04}-{:02}-{:02}{era}", day.month(), day.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[Option<&str>]) -> Cells {
        Cells::Texts(values.iter().copied().collect())
    }

    fn days(times: &Cells, zones: &Cells, known: &mut Zones) -> Cells {
        parts(TimePart::Day, times, zones, known)
    }

    #[test]
    fn values_are_those_of_a_company_that_the_user_sees() {
        let own = Cells::Integers(vec![Some(3), None, Some(9)]);
        assert_eq!(companies(&own, &[1, 3]), Cells::Integers(vec![Some(3), Some(1), Some(1)]));
    }

    #[test]
    fn an_hour_is_that_of_the_branch() {
        let times = texts(&[Some("2024-03-31 00:30:00+00"), Some("2024-03-31 01:30:00+00"), None]);
        let zones = texts(&[Some("Europe/Paris"), Some("Europe/Paris"), None]);
        // Clocks were put forward from 2 to 3.
        let expected = Cells::Integers(vec![Some(1), Some(3), None]);
        assert_eq!(parts(TimePart::Hour, &times, &zones, &mut Zones::new("UTC")), expected);
        let nowhere = texts(&[None, None, None]);
        let expected = Cells::Integers(vec![Some(9), Some(10), None]);
        assert_eq!(
            parts(TimePart::Hour, &times, &nowhere, &mut Zones::new("Asia/Tokyo")),
            expected
        );
    }

    #[test]
    fn a_day_is_that_of_the_branch() {
        let times = texts(&[Some("2024-03-31 22:30:00+00"), Some("2024-01-01 02:00:00+00"), None]);
        let zones = texts(&[Some("Europe/Paris"), Some("America/New_York"), None]);
        let expected = texts(&[Some("2024-04-01"), Some("2023-12-31"), None]);
        assert_eq!(days(&times, &zones, &mut Zones::new("UTC")), expected);
        let edges = texts(&[Some("0001-01-01 00:00:00+00"), Some("9999-12-31 23:30:00+00"), None]);
        let zones = texts(&[Some("America/New_York"), Some("Europe/Paris"), None]);
        let expected = texts(&[Some("0001-12-31 BC"), Some("10000-01-01"), None]);
        assert_eq!(days(&edges, &zones, &mut Zones::new("UTC")), expected);
    }

    #[test]
    fn the_server_has_a_zone_where_nobody_knows_the_companys() {
        let zones = texts(&[Some("Mars/North"), Some("Europe/Paris"), None]);
        let mut known = Zones::new("Asia/Tokyo");
        let names = texts(&[Some("Asia/Tokyo"), Some("Europe/Paris"), Some("Asia/Tokyo")]);
        assert_eq!(zone_names(&zones, &mut known), names);
        let evening = texts(&[Some("2024-03-31 22:30:00+00"); 3]);
        let days = days(&evening, &zones, &mut known);
        assert_eq!(days, texts(&[Some("2024-04-01"); 3]));
    }

    #[test]
    fn arrays_are_quoted() {
        assert_eq!(array_literal(&["a,b", "c\"d\\e", "{}"]), r#"{"a,b","c\"d\\e","{}"}"#);
        assert_eq!(array_literal(&[]), "{}");
    }

    #[test]
    fn sums_are_without_noise() {
        assert_eq!(sum(&["0.1", "0.2"]).as_deref(), Some("0.3"));
        assert_eq!(sum(&["-12.5", "1e-05"]).as_deref(), Some("-12.49999"));
        assert_eq!(sum(&[]), None);
    }

    #[test]
    fn narrow_columns_cut_characters_not_bytes() {
        let mut rows =
            Rows { ids: vec![1, 2, 3], columns: vec![texts(&[Some("äöü"), Some("ab"), None])] };
        assert_eq!(rows.narrow(0, 2), 1);
        assert_eq!(rows.columns[0], texts(&[Some("äö"), Some("ab"), None]));
    }
}

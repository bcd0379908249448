//! What months and weekdays are called in the language of a server. PostgreSQL knows names in the
//! languages of its machine alone, Odoo in all of its own: it is asked once, and remembered.

use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::odoo::{Connection, Error, Value};
use crate::state;
use crate::sync::load::own::calendar::{self, Names};
use crate::sync::work::context::Context;
use crate::warehouse::Dataset;

/// Writes a date as a pattern says, in every release.
const MODEL: &str = "ir.qweb.field.date";

/// The names of a month and of a weekday, as they are written alone (Unicode's date patterns).
const PATTERN: &str = "LLLL|cccc";

/// A day of each month; the first seven are a Monday to a Sunday.
const DAYS: [&str; 12] = [
    "2024-01-01",
    "2024-02-06",
    "2024-03-06",
    "2024-04-04",
    "2024-05-03",
    "2024-06-01",
    "2024-07-07",
    "2024-08-01",
    "2024-09-01",
    "2024-10-01",
    "2024-11-01",
    "2024-12-01",
];

const ENGLISH: [&str; 12] = [
    "January|Monday",
    "February|Tuesday",
    "March|Wednesday",
    "April|Thursday",
    "May|Friday",
    "June|Saturday",
    "July|Sunday",
    "August|",
    "September|",
    "October|",
    "November|",
    "December|",
];

/// Keeps the days of the warehouse, for the business dates that tables have. Only one run at a time
/// does: another one may take long to commit.
pub fn keep_days(context: &Context, dated: &[&Dataset]) -> Result<(), Failure> {
    let schema = context.schema();
    if !calendar::is_ours(schema)? || !state::is_first(&context.server.name, "days")? {
        return Ok(());
    }
    let names = names(context)?;
    calendar::rename(schema, &names)?;
    calendar::extend(schema, dated, &names)
}

fn names(context: &Context) -> Result<Names, Failure> {
    let language = context.server.options.language.as_deref();
    let Some(language) = language.filter(|language| !language.starts_with("en_")) else {
        return Ok(english());
    };
    let what = format!("day names {language}");
    let known = context.cache.recall(&what, None)?;
    if let Some(names) = known.as_ref().and_then(|known| split(texts(known))) {
        return Ok(names);
    }
    match context.session.call(ask) {
        Ok(found) => match split(found.iter().map(String::as_str)) {
            Some(names) => {
                context.cache.keep_unless_busy(&what, json!(found))?;
                Ok(names)
            }
            None => Ok(english()),
        },
        Err(failure) if failure.cause.ends_a_run() => Err(failure),
        Err(failure) => {
            let message = format!("Odoo does not tell the names of months in {language}");
            Failure::new(failure.sqlstate, message).detail(failure.message).warn();
            Ok(english())
        }
    }
}

fn english() -> Names {
    split(ENGLISH.into_iter()).unwrap_or(Names { months: Vec::new(), weekdays: Vec::new() })
}

fn texts(json: &Json) -> impl Iterator<Item = &str> {
    json.as_array().into_iter().flatten().filter_map(Json::as_str)
}

fn ask(odoo: &Connection) -> Result<Vec<String>, Error> {
    let name = |day: &&'static str| -> Result<String, Error> {
        let options = [("format".to_owned(), Value::from(PATTERN))].into_iter().collect();
        let args = vec![("value", Value::from(*day)), ("options", options)];
        let answer = odoo.model(MODEL).ask("value_to_html", args, Vec::new())?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    };
    DAYS.iter().map(name).collect()
}

/// The names of [`DAYS`]; `None` if one lacks.
fn split<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Names> {
    let pairs: Option<Vec<_>> = texts.map(|text| text.split_once('|')).collect();
    let pairs = pairs.filter(|pairs| pairs.len() == DAYS.len())?;
    let (months, weekdays): (Vec<_>, Vec<_>) =
        pairs.into_iter().map(|(month, day)| (month.to_owned(), day.to_owned())).unzip();
    let weekdays = weekdays.into_iter().take(7).collect();
    Some(Names { months, weekdays })
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate};

    use super::*;

    #[test]
    fn the_days_are_of_every_month_and_weekday() {
        for (index, day) in DAYS.iter().enumerate() {
            let day: NaiveDate = day.parse().unwrap();
            assert_eq!(day.month0() as usize, index);
            assert!(index > 6 || day.weekday().num_days_from_monday() as usize == index);
        }
        let names = english();
        assert_eq!((names.months[0].as_str(), names.months[11].as_str()), ("January", "December"));
        assert_eq!((names.weekdays[0].as_str(), names.weekdays.len()), ("Monday", 7));
        assert!(split(["a|b"].into_iter()).is_none());
    }
}

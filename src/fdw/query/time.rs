//! Comparisons with dates and times, as conditions that mean the same in every release.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta};

use crate::fdw::query::operator::operator;
use crate::odoo::Condition;
use crate::pg::fdw::Comparison;

/// A bound in time: one that Odoo can read, or beyond all that it can hold.
enum Bound<T> {
    At(T),
    Before,
    After,
}

/// What holds of every value that is set, compared with something beyond.
fn beyond(field: &str, comparison: Comparison, is_after: bool) -> Condition {
    let smaller = matches!(comparison, Comparison::Less | Comparison::LessOrEqual);
    let greater = matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual);
    match comparison == Comparison::NotEqual || (is_after && smaller) || (!is_after && greater) {
        true => Condition::is_set(field),
        false => Condition::NEVER,
    }
}

fn bound<T>(value: Option<T>, year: impl Fn(&T) -> i32, is_positive: bool) -> Bound<T> {
    match value {
        Some(value) if year(&value) < 1 => Bound::Before,
        Some(value) if year(&value) > 9999 => Bound::After,
        Some(value) => Bound::At(value),
        None if is_positive => Bound::After,
        None => Bound::Before,
    }
}

fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default()
}

pub fn date(field: &str, comparison: Comparison, days: i32) -> Condition {
    let shift = Days::new(days.unsigned_abs().into());
    let value =
        if days < 0 { epoch().checked_sub_days(shift) } else { epoch().checked_add_days(shift) };
    match bound(value, NaiveDate::year, days > 0) {
        Bound::Before => beyond(field, comparison, false),
        Bound::After => beyond(field, comparison, true),
        Bound::At(value) => {
            let leaf = Condition::leaf(field, operator(comparison), value.to_string());
            // `!=` finds what is not set too.
            match comparison {
                Comparison::NotEqual => leaf.and(Condition::is_set(field)),
                _ => leaf,
            }
        }
    }
}

const SECOND: i64 = 1_000_000;

/// Only `>=` and `<` with whole seconds mean the same in every release; and what is compared is
/// the whole second that the time is read as.
pub fn datetime(field: &str, comparison: Comparison, time: i64) -> Condition {
    let floor = time.div_euclid(SECOND);
    let is_whole = time.rem_euclid(SECOND) == 0;
    let ceiling = if is_whole { floor } else { floor + 1 };
    let leaf = |operator: &'static str, seconds: i64| {
        let value = TimeDelta::try_seconds(seconds)
            .and_then(|delta| epoch().and_hms_opt(0, 0, 0)?.checked_add_signed(delta));
        match bound(value, |time: &NaiveDateTime| time.year(), seconds > 0) {
            Bound::At(time) => {
                Condition::leaf(field, operator, time.format("%Y-%m-%d %H:%M:%S").to_string())
            }
            is_beyond => {
                let comparison = Comparison::from_name(operator).unwrap_or(Comparison::Equal);
                beyond(field, comparison, matches!(is_beyond, Bound::After))
            }
        }
    };
    match comparison {
        Comparison::GreaterOrEqual => leaf(">=", ceiling),
        Comparison::Greater => leaf(">=", floor + 1),
        Comparison::Less => leaf("<", ceiling),
        Comparison::LessOrEqual => leaf("<", floor + 1),
        Comparison::Equal if is_whole => leaf(">=", floor).and(leaf("<", floor + 1)),
        Comparison::Equal => Condition::NEVER,
        Comparison::NotEqual if is_whole => {
            Condition::any([leaf("<", floor), leaf(">=", floor + 1)])
        }
        Comparison::NotEqual => Condition::is_set(field),
    }
}

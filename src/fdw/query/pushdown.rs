//! A condition of SQL as a domain: one that leaves out no row that meets the condition.
//!
//! PostgreSQL looks at each row again. Where the domain also lets no other row through it is
//! exact, and Odoo may count and limit in PostgreSQL's place. Only operators that mean the same
//! in Odoo 14 to 20 are used; the comments say where they differ.

use crate::fdw::query::operator::operator;
use crate::fdw::query::time::{date, datetime};
use crate::fdw::table::columns::Kind;
use crate::odoo::{Condition, Value};
use crate::pg::fdw::{Comparison, Constant, Operand, Predicate, Scalar};

/// What a condition became.
#[derive(Debug, Clone, PartialEq)]
pub struct Pushed {
    pub condition: Condition,
    pub exact: bool,
}

/// A field and how it compares.
pub type Subject<'a> = (&'a str, Kind);

/// Longer lists are not sent; one of windows is longer than it looks.
const MAX_LIST: usize = 10_000;
const MAX_WINDOWS: usize = 50;

fn exact(condition: Condition) -> Pushed {
    Pushed { condition, exact: true }
}

fn superset(condition: Condition) -> Pushed {
    Pushed { condition, exact: false }
}

/// Nothing is asked, PostgreSQL decides alone.
fn nothing() -> Pushed {
    superset(Condition::ALWAYS)
}

fn unset(field: &str) -> Condition {
    Condition::leaf(field, "=", false)
}

/// Not NULL, of texts: `!= False` would leave out empty ones in 19.
fn text_set(field: &str) -> Condition {
    Condition::leaf(field, "=like", "%")
}

/// The domain of a predicate. `subject` gives a column's field; `values` are those of its
/// expressions.
pub fn push<'a>(
    predicate: &Predicate,
    subject: &impl Fn(i16) -> Option<Subject<'a>>,
    values: &[Constant],
) -> Pushed {
    let value = |operand: &'_ Operand| match operand {
        Operand::Constant(constant) => constant.clone(),
        Operand::Expression(index) => {
            values.get(*index).cloned().unwrap_or(Constant::Unknown(format!("${}", index + 1)))
        }
    };
    let join = |parts: &[Predicate], join: fn(Vec<Condition>) -> Condition| {
        let parts: Vec<Pushed> = parts.iter().map(|part| push(part, subject, values)).collect();
        let exact = parts.iter().all(|part| part.exact);
        let condition = join(parts.into_iter().map(|part| part.condition).collect());
        Pushed { condition, exact }
    };
    let column = match predicate {
        Predicate::All(parts) => return join(parts, Condition::all),
        Predicate::Any(parts) => return join(parts, Condition::any),
        Predicate::Compare(column, ..) | Predicate::Flag(column, _) => *column,
        Predicate::Listed { column, .. }
        | Predicate::Like { column, .. }
        | Predicate::Null { column, .. } => *column,
    };
    let Some((field, kind)) = subject(column) else {
        return nothing();
    };
    match predicate {
        Predicate::Null { negated, .. } => null(field, kind, *negated),
        // Odoo sanitises what it compares with.
        _ if kind == Kind::Html => nothing(),
        Predicate::Compare(_, comparison, operand) => {
            compare(field, kind, *comparison, value(operand))
        }
        Predicate::Listed { negated, list, .. } => listed(field, kind, *negated, value(list)),
        Predicate::Like { negated, ignore_case, pattern, .. } => {
            like(field, kind, *negated, *ignore_case, value(pattern))
        }
        Predicate::Flag(_, wanted) => exact(Condition::leaf(field, "=", *wanted)),
        Predicate::All(_) | Predicate::Any(_) => nothing(),
    }
}

fn null(field: &str, kind: Kind, negated: bool) -> Pushed {
    match (kind, negated) {
        // They are read as false or 0.
        (Kind::Id | Kind::Boolean | Kind::Integer | Kind::Decimal { .. }, true) => {
            exact(Condition::ALWAYS)
        }
        (Kind::Id | Kind::Boolean | Kind::Integer | Kind::Decimal { .. }, false) => {
            exact(Condition::NEVER)
        }
        (Kind::Text, true) => exact(text_set(field)),
        // In 19 it finds empty texts too.
        (Kind::Text | Kind::Html, false) => superset(unset(field)),
        // `!= False` leaves out empty ones in 19, and before what else finds them is sanitised.
        (Kind::Html, true) => nothing(),
        (Kind::Date | Kind::Datetime | Kind::Many2one, true) => exact(Condition::is_set(field)),
        (Kind::Date | Kind::Datetime | Kind::Many2one, false) => exact(unset(field)),
    }
}

fn compare(field: &str, kind: Kind, comparison: Comparison, value: Constant) -> Pushed {
    let scalar = match value {
        Constant::Null => return exact(Condition::NEVER),
        Constant::Many(_) => return nothing(),
        // Of these the order is left to PostgreSQL, whatever the value.
        Constant::Unknown(_)
            if matches!(kind, Kind::Boolean | Kind::Text | Kind::Many2one)
                && !matches!(comparison, Comparison::Equal | Comparison::NotEqual) =>
        {
            return nothing();
        }
        Constant::Unknown(name) => {
            let is_exact = !matches!(kind, Kind::Text | Kind::Decimal { .. });
            let condition = Condition::leaf(field, operator(comparison), name);
            return Pushed { condition, exact: is_exact };
        }
        Constant::One(scalar) => scalar,
    };
    match (kind, scalar) {
        (Kind::Boolean, Scalar::Boolean(value)) => match comparison {
            Comparison::Equal => exact(Condition::leaf(field, "=", value)),
            Comparison::NotEqual => exact(Condition::leaf(field, "=", !value)),
            _ => nothing(),
        },
        (Kind::Id, Scalar::Integer(value)) => {
            exact(Condition::leaf(field, operator(comparison), value))
        }
        (Kind::Many2one, Scalar::Integer(value)) => reference(field, comparison, value),
        (Kind::Integer, Scalar::Integer(value)) => exact(integer(field, comparison, value)),
        (Kind::Decimal { step }, Scalar::Decimal(value)) => {
            decimal(field, step, comparison, &value)
        }
        (Kind::Text, Scalar::Text(value)) => text(field, comparison, &value),
        (Kind::Date, Scalar::Date(days)) => exact(date(field, comparison, days)),
        (Kind::Datetime, Scalar::Time(time)) => exact(datetime(field, comparison, time)),
        _ => nothing(),
    }
}

/// Whether a field can hold a number: they have 32 bits, and Odoo may refuse longer ones.
fn is_storable(number: i64) -> bool {
    i32::try_from(number).is_ok()
}

/// Whether a reference can be to a record of that id; Odoo takes 0 for "no record".
fn is_record(id: i64) -> bool {
    id != 0 && is_storable(id)
}

fn reference(field: &str, comparison: Comparison, id: i64) -> Pushed {
    match (comparison, is_record(id)) {
        (Comparison::Equal, true) => exact(Condition::leaf(field, "=", id)),
        (Comparison::Equal, false) => exact(Condition::NEVER),
        // `!=` finds what is not set too.
        (Comparison::NotEqual, true) => {
            exact(Condition::leaf(field, "!=", id).and(Condition::is_set(field)))
        }
        (Comparison::NotEqual, false) => exact(Condition::is_set(field)),
        // Odoo would order by the other model's own order in places.
        _ => nothing(),
    }
}

/// Before 19 a comparison leaves out NULL, which is read as 0.
fn integer(field: &str, comparison: Comparison, value: i64) -> Condition {
    let leaf = Condition::leaf(field, operator(comparison), value);
    match (comparison, comparison.holds(0, value)) {
        (_, true) if !is_storable(value) => Condition::ALWAYS,
        (_, false) if !is_storable(value) => Condition::NEVER,
        (Comparison::NotEqual, false) => leaf.and(Condition::is_set(field)),
        (Comparison::NotEqual, true) => leaf,
        (_, true) => Condition::any([leaf, unset(field)]),
        (_, false) => leaf,
    }
}

/// Odoo rounds the number that it compares with, and may round what it reads: the bounds are
/// wider than that.
fn decimal(field: &str, step: f64, comparison: Comparison, value: &str) -> Pushed {
    let Some(value) = value.parse::<f64>().ok().filter(|value| value.is_finite()) else {
        return nothing();
    };
    let margin = 2.0 * step + value.abs() * 1e-9;
    let (low, high) = (value - margin, value + margin);
    let bound = |operator, bound: f64, holds: bool| {
        let leaf = Condition::leaf(field, operator, Value::Double(format!("{bound:?}")));
        // As with integers.
        if holds { Condition::any([leaf, unset(field)]) } else { leaf }
    };
    let from = || bound(">=", low, low <= 0.0);
    let to = || bound("<=", high, high >= 0.0);
    match comparison {
        Comparison::Equal => superset(from().and(to())),
        Comparison::NotEqual => nothing(),
        Comparison::Greater | Comparison::GreaterOrEqual => superset(from()),
        Comparison::Less | Comparison::LessOrEqual => superset(to()),
    }
}

/// Whether a text comes back from Odoo as it was sent: control characters may be dropped, and
/// ends of lines changed, on the way, which XML leaves some characters no way at all.
fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

fn text(field: &str, comparison: Comparison, value: &str) -> Pushed {
    let leaf = |operator| Condition::leaf(field, operator, value);
    match comparison {
        _ if !is_plain(value) => nothing(),
        // In 19 NULL is found too.
        Comparison::Equal if value.is_empty() => superset(leaf("=")),
        Comparison::Equal => exact(leaf("=")),
        Comparison::NotEqual if value.is_empty() => superset(text_set(field)),
        Comparison::NotEqual => exact(leaf("!=").and(text_set(field))),
        // The order of texts is that of the database's collation.
        _ => nothing(),
    }
}

/// A pattern that PostgreSQL refuses is left to it.
fn is_whole_pattern(pattern: &str) -> bool {
    let backslashes = pattern.chars().rev().take_while(|c| *c == '\\').count();
    backslashes % 2 == 0
}

fn like(field: &str, kind: Kind, negated: bool, ignore_case: bool, pattern: Constant) -> Pushed {
    let pattern = match (kind, pattern) {
        (_, Constant::Null) => return exact(Condition::NEVER),
        (Kind::Text, Constant::Unknown(_)) if negated => return superset(text_set(field)),
        (Kind::Text, Constant::Unknown(name)) => {
            return superset(Condition::leaf(field, "=like", name));
        }
        (Kind::Text, Constant::One(Scalar::Text(pattern))) => pattern,
        _ => return nothing(),
    };
    if !is_plain(&pattern) || !is_whole_pattern(&pattern) {
        return nothing();
    }
    // Odoo may compare without accents, before 17 by `=like` too: it finds more, and negated less.
    match negated {
        true => superset(text_set(field)),
        false if pattern.is_empty() => text(field, Comparison::Equal, ""),
        // `_` then stands for a part of a letter, and which other letters are alike is the
        // database's matter.
        false if !pattern.is_ascii() || pattern.contains('_') => nothing(),
        false => {
            let operator = if ignore_case { "=ilike" } else { "=like" };
            superset(Condition::leaf(field, operator, pattern))
        }
    }
}

fn listed(field: &str, kind: Kind, negated: bool, list: Constant) -> Pushed {
    let items = match list {
        Constant::Null => return exact(Condition::NEVER),
        Constant::Many(items) => items,
        Constant::Unknown(name) => {
            return superset(Condition::leaf(field, if negated { "not in" } else { "in" }, name));
        }
        Constant::One(_) => return nothing(),
    };
    // Nothing is known to differ from NULL.
    if negated && items.iter().any(Option::is_none) {
        return exact(Condition::NEVER);
    }
    let items: Vec<Scalar> = items.into_iter().flatten().collect();
    let each = |comparison| {
        let parts: Vec<Pushed> = items
            .iter()
            .map(|item| compare(field, kind, comparison, Constant::One(item.clone())))
            .collect();
        let is_exact = parts.iter().all(|part| part.exact);
        (parts.into_iter().map(|part| part.condition), is_exact)
    };
    if items.len() > MAX_LIST {
        return nothing();
    }
    match (kind, negated) {
        _ if items.is_empty() => exact(if negated { Condition::ALWAYS } else { Condition::NEVER }),
        (Kind::Id | Kind::Many2one, _) => ids(field, kind, negated, &items),
        (Kind::Integer, _) => integers(field, negated, &items),
        (Kind::Text, _) => texts(field, negated, &items),
        _ if items.len() > MAX_WINDOWS => nothing(),
        (_, false) => {
            let (parts, exact) = each(Comparison::Equal);
            Pushed { condition: Condition::any(parts), exact }
        }
        (_, true) => {
            let (parts, exact) = each(Comparison::NotEqual);
            Pushed { condition: Condition::all(parts), exact }
        }
    }
}

fn list_operator(negated: bool) -> &'static str {
    if negated { "not in" } else { "in" }
}

fn ids(field: &str, kind: Kind, negated: bool, items: &[Scalar]) -> Pushed {
    let numbers = items.iter().filter_map(|item| match item {
        Scalar::Integer(id) if is_record(*id) => Some(*id),
        _ => None,
    });
    let list: Vec<i64> = numbers.collect();
    let present =
        || if kind == Kind::Many2one { Condition::is_set(field) } else { Condition::ALWAYS };
    exact(match (list.is_empty(), negated) {
        (true, false) => Condition::NEVER,
        (true, true) => present(),
        (false, false) => Condition::leaf(field, "in", list.into_iter().collect::<Value>()),
        (false, true) => {
            Condition::leaf(field, "not in", list.into_iter().collect::<Value>()).and(present())
        }
    })
}

/// 0 stands for itself: some releases take it for False in a list.
fn integers(field: &str, negated: bool, items: &[Scalar]) -> Pushed {
    let comparison = if negated { Comparison::NotEqual } else { Comparison::Equal };
    let numbers = items.iter().filter_map(|item| match item {
        Scalar::Integer(number) if is_storable(*number) => Some(*number),
        _ => None,
    });
    let (zeros, others): (Vec<i64>, Vec<i64>) = numbers.partition(|number| *number == 0);
    let rest = (!others.is_empty()).then(|| {
        Condition::leaf(field, list_operator(negated), others.into_iter().collect::<Value>())
    });
    let zero = (!zeros.is_empty()).then(|| integer(field, comparison, 0));
    let parts = rest.into_iter().chain(zero);
    exact(if negated { Condition::all(parts) } else { Condition::any(parts) })
}

fn texts(field: &str, negated: bool, items: &[Scalar]) -> Pushed {
    let texts: Option<Vec<&str>> = items
        .iter()
        .map(|item| match item {
            Scalar::Text(text) if is_plain(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let Some(texts) = texts else {
        return nothing();
    };
    let has_empty = texts.iter().any(|text| text.is_empty());
    let leaf = Condition::leaf(field, list_operator(negated), texts.into_iter().collect::<Value>());
    match negated {
        // As with `=`: an empty text may find NULL.
        false => Pushed { condition: leaf, exact: !has_empty },
        true if has_empty => nothing(),
        true => exact(leaf.and(text_set(field))),
    }
}

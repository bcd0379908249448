//! Groups of rows as Odoo makes them of its records, where its answer is PostgreSQL's.

use serde::{Deserialize, Serialize};

use crate::fdw::table::columns::Kind;
use crate::odoo::{Field, FieldType, Total};
use crate::pg::fdw::{Class, Function};

/// What Odoo is asked for in the place of records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Grouped {
    pub by: Vec<(String, FieldType)>,
    pub measures: Vec<Measure>,
}

/// What is wanted of each group: without a field its records are counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    pub function: Function,
    pub of: Option<Measured>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub field: String,
    pub kind: Kind,
    /// To how many decimal places a number is rounded, where Odoo tells.
    pub places: Option<u8>,
}

/// A column: its field, and how that is shown.
pub struct Shown<'a> {
    pub name: &'a str,
    pub field: &'a Field,
    pub kind: Kind,
    pub class: Class,
}

impl Grouped {
    /// No more than the number of records is wanted.
    pub fn is_count(&self) -> bool {
        self.by.is_empty() && self.measures.iter().all(|measure| measure.of.is_none())
    }

    pub fn fields(&self) -> impl Iterator<Item = &String> {
        let measured = self.measures.iter().filter_map(|measure| Some(&measure.of.as_ref()?.field));
        self.by.iter().map(|(field, _)| field).chain(measured)
    }

    /// Adds a column to group by; `None` if Odoo would make other groups, or shows them otherwise:
    /// days only in buckets.
    pub fn group_by(&mut self, shown: &Shown) -> Option<()> {
        let is_known = self.by.iter().any(|(field, _)| field == shown.name);
        let has_groups =
            matches!(shown.kind, Kind::Boolean | Kind::Integer | Kind::Text | Kind::Many2one);
        if is_known || !has_groups || shown.field.translated {
            return None;
        }
        self.by.push((shown.name.to_owned(), shown.field.field_type));
        Some(())
    }

    /// Adds an aggregate; `None` if PostgreSQL would make something else of the values.
    pub fn measure(&mut self, function: Function, shown: Option<&Shown>) -> Option<()> {
        let of = match shown {
            Some(shown) => of(function, shown)?,
            None => None,
        };
        // Up to 16 Odoo leaves out what it groups by.
        let is_grouped = |of: &Measured| self.by.iter().any(|(field, _)| *field == of.field);
        if of.as_ref().is_some_and(is_grouped) {
            return None;
        }
        self.measures.push(Measure { function, of });
        Some(())
    }

    /// What is asked for besides the number of records, each once.
    pub fn totals(&self) -> Vec<Total> {
        let mut totals = Vec::new();
        for measure in &self.measures {
            let Some(of) = &measure.of else {
                continue;
            };
            for function in measure.parts() {
                let total =
                    Total { function, field: of.field.clone(), field_type: of.read_as(function) };
                if !totals.contains(&total) {
                    totals.push(total);
                }
            }
        }
        totals
    }

    /// As EXPLAIN shows it.
    pub fn written(&self) -> String {
        let measures = self.measures.iter().map(Measure::written).collect::<Vec<_>>().join(", ");
        let by = self.by.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>().join(", ");
        match (measures.is_empty(), by.is_empty()) {
            (_, true) => measures,
            (true, false) => format!("by {by}"),
            (false, false) => format!("{measures} by {by}"),
        }
    }
}

/// What an aggregate is made of: nothing but the records for a count of values that are never
/// NULL.
fn of(function: Function, shown: &Shown) -> Option<Option<Measured>> {
    let has_zero = matches!(shown.kind, Kind::Integer | Kind::Decimal { .. });
    let may = match function {
        Function::Count if has_zero || matches!(shown.kind, Kind::Id | Kind::Boolean) => {
            return Some(None);
        }
        Function::Count => shown.kind != Kind::Html && !shown.field.translated,
        // Sums of binary numbers depend on their order.
        Function::Sum | Function::Average => match shown.kind {
            Kind::Integer => true,
            Kind::Decimal { .. } => shown.field.is_rounded && shown.class == Class::Numeric,
            _ => false,
        },
        Function::Least | Function::Greatest => {
            has_zero || matches!(shown.kind, Kind::Id | Kind::Date | Kind::Datetime)
        }
    };
    let places = match shown.field.field_type {
        FieldType::Decimal(places) => places,
        _ => None,
    };
    may.then(|| Some(Measured { field: shown.name.to_owned(), kind: shown.kind, places }))
}

impl Measure {
    /// The functions of Odoo's that it takes. How many values there are tells NULL from zero; the
    /// ends of a sum's numbers tell how many decimal places they have.
    fn parts(&self) -> Vec<&'static str> {
        let is_decimal = |of: &Measured| matches!(of.kind, Kind::Decimal { .. });
        match self.function {
            Function::Count => vec!["count"],
            Function::Sum | Function::Average if self.of.as_ref().is_some_and(is_decimal) => {
                vec!["count", "sum", "min", "max"]
            }
            Function::Sum | Function::Average => vec!["count", "sum"],
            Function::Least => vec!["count", "min"],
            Function::Greatest => vec!["count", "max"],
        }
    }

    fn written(&self) -> String {
        let name = match self.function {
            Function::Count => "count",
            Function::Sum => "sum",
            Function::Average => "avg",
            Function::Least => "min",
            Function::Greatest => "max",
        };
        format!("{name}({})", self.of.as_ref().map_or("*", |of| &of.field))
    }
}

impl Measured {
    fn read_as(&self, function: &str) -> FieldType {
        match self.kind {
            _ if function == "count" => FieldType::Integer,
            // As it is written, so that all its digits are seen.
            Kind::Decimal { .. } => FieldType::Json,
            Kind::Date => FieldType::Date,
            Kind::Datetime => FieldType::Datetime,
            _ => FieldType::Integer,
        }
    }
}

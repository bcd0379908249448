//! Odoo's records to the warehouse's rows.

use super::lookup::Lookups;
use super::plan::{Origin, Plan, PlannedColumn};
use crate::failure::Failure;
use crate::odoo::{Cells, FieldType, Page, Texts};
use crate::warehouse::SqlType;

/// Rows of one table, as columns.
pub struct Rows {
    pub ids: Vec<i64>,
    /// Parallel to the table's loaded columns.
    pub columns: Vec<Cells>,
}

impl Rows {
    /// The rows of a page.
    pub fn from_page(plan: &Plan, page: &Page, lookups: &mut Lookups<'_>) -> Result<Rows, Failure> {
        let ids = page.ids();
        let columns = plan
            .columns
            .iter()
            .map(|planned| match &planned.origin {
                Some(origin) => {
                    let cells = follow(origin, page, lookups)?;
                    Ok(convert(cells, origin, planned.column.sql_type))
                }
                None => Ok(default(planned, ids.len())),
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Rows { ids, columns })
    }

    /// Adds rows of the same table.
    pub fn append(&mut self, other: Rows) {
        self.ids.extend(&other.ids);
        for (cells, more) in self.columns.iter_mut().zip(&other.columns) {
            (0..more.len()).for_each(|row| cells.push_from(more, row));
        }
    }
}

/// The values of an origin's last field.
fn follow(origin: &Origin, page: &Page, lookups: &mut Lookups<'_>) -> Result<Cells, Failure> {
    let nothing = || empty(origin.field.field_type, page.rows());
    let mut cells = page.column(&origin.field.name).cloned().unwrap_or_else(nothing);
    for hop in &origin.hops {
        cells = match &cells {
            Cells::Integers(ids) => lookups.follow(ids, hop)?,
            _ => empty(hop.field.field_type, page.rows()),
        };
    }
    Ok(cells)
}

fn empty(field_type: FieldType, rows: usize) -> Cells {
    let mut cells = Cells::new(field_type);
    (0..rows).for_each(|_| cells.push_null());
    cells
}

/// The cells of a column that Odoo has no field for. Records of models that cannot be archived
/// are active.
fn default(planned: &PlannedColumn, rows: usize) -> Cells {
    match (planned.column.name, planned.column.sql_type) {
        ("active", _) => Cells::Booleans(vec![Some(true); rows]),
        (_, SqlType::Boolean) => empty(FieldType::Boolean, rows),
        (_, SqlType::Bigint) => empty(FieldType::Integer, rows),
        (_, SqlType::BigintArray) => empty(FieldType::ToMany, rows),
        (_, SqlType::Text | SqlType::Numeric | SqlType::Timestamptz) => {
            empty(FieldType::Text, rows)
        }
    }
}

/// A field's values as a column of another type holds them.
fn convert(cells: Cells, origin: &Origin, to: SqlType) -> Cells {
    match (to, cells, origin.last().equals) {
        (SqlType::Boolean, Cells::Texts(texts), Some(value)) => {
            Cells::Booleans(texts.iter().map(|text| text.map(|text| text == value)).collect())
        }
        (SqlType::BigintArray, Cells::Integers(ids), _) => Cells::Lists(ids.into_iter().collect()),
        (SqlType::Text, Cells::Integers(numbers), _) => {
            let texts = numbers.into_iter().map(|number| number.map(|number| number.to_string()));
            Cells::Texts(owned(texts))
        }
        (SqlType::Text, Cells::Booleans(flags), _) => {
            Cells::Texts(owned(flags.into_iter().map(|flag| flag.map(|flag| flag.to_string()))))
        }
        (_, cells, _) => cells,
    }
}

fn owned(texts: impl Iterator<Item = Option<String>>) -> Texts {
    let mut all = Texts::default();
    texts.for_each(|text| all.push(text.as_deref()));
    all
}

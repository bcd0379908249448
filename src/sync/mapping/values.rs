//! Where a column's values come from: fields of this Odoo.

use crate::odoo::{Field, FieldType};
use crate::warehouse::TimePart;
use crate::warehouse::path::Test;

/// Where a column's values come from, each list in the order of preference. Empty where this
/// Odoo has no field for it, or none that the user may read.
pub enum Values {
    Plain(Vec<Origin>),
    Local { part: TimePart, time: Vec<Origin>, zone: Vec<Origin> },
}

/// A field of the dataset's model, and the fields beyond it if it is relational.
#[derive(Debug, Clone)]
pub struct Origin {
    pub field: Reading,
    pub hops: Vec<Hop>,
    /// Makes a boolean of the value.
    pub test: Option<Test>,
    /// A boolean field without which the value means nothing.
    pub guard: Option<Reading>,
}

/// A field to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub name: String,
    pub field_type: FieldType,
    /// Odoo may be asked for records by it.
    pub is_searchable: bool,
}

impl Reading {
    pub fn of(name: &str, field: &Field) -> Reading {
        let (name, is_searchable) = (name.to_owned(), field.searchable);
        Reading { name, field_type: field.field_type, is_searchable }
    }
}

/// A field of the record that the step before points to.
#[derive(Debug, Clone)]
pub struct Hop {
    pub model: String,
    pub field: Reading,
}

impl Origin {
    /// The field whose value the column shows.
    pub fn last(&self) -> &Reading {
        self.hops.last().map_or(&self.field, |hop| &hop.field)
    }

    /// Whether Odoo may be asked for records by the value.
    pub fn is_searchable(&self) -> bool {
        self.field.is_searchable && self.hops.iter().all(|hop| hop.field.is_searchable)
    }

    /// How people name it: `uom_id.name`.
    pub fn path(&self) -> String {
        let hops = self.hops.iter().map(|hop| &hop.field);
        let names: Vec<_> =
            [&self.field].into_iter().chain(hops).map(|f| f.name.as_str()).collect();
        names.join(".")
    }
}

impl Values {
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        let (one, other) = match self {
            Values::Plain(origins) => (origins.as_slice(), [].as_slice()),
            Values::Local { time, zone, .. } => (time.as_slice(), zone.as_slice()),
        };
        one.iter().chain(other)
    }

    pub fn is_absent(&self) -> bool {
        match self {
            Values::Plain(origins) => origins.is_empty(),
            Values::Local { time, .. } => time.is_empty(),
        }
    }
}

//! A foreign table: its model and which field each column shows.

use pgrx::pg_sys::Oid;

use crate::pg::fdw::{Class, RawColumn, RawTable};
use crate::server::{find, flag};

pub struct Table {
    pub name: String,
    pub server: Oid,
    pub model: String,
    /// Whether archived records are rows. They are by default, as everywhere in this extension:
    /// a row that is not shown is easily taken for one that does not exist.
    pub archived: bool,
    /// Whether Odoo is asked to filter, sort, limit and count.
    pub pushdown: bool,
    pub columns: Vec<Column>,
}

pub struct Column {
    pub attribute: i16,
    pub name: String,
    pub field: String,
    pub class: Class,
    /// Whether conditions on it are Odoo's to answer: a module may have a field that is stored
    /// and yet searched by rules of its own, which Odoo's API does not tell.
    pub pushdown: bool,
}

impl From<RawTable> for Table {
    fn from(raw: RawTable) -> Table {
        let column = |column: RawColumn| Column {
            attribute: column.attribute,
            pushdown: flag(&column.options, "pushdown", true),
            field: field_of(&column).to_owned(),
            name: column.name,
            class: column.class,
        };
        Table {
            name: raw.name,
            server: raw.server,
            model: find(&raw.options, "model").unwrap_or_default().to_owned(),
            archived: flag(&raw.options, "archived", true),
            pushdown: flag(&raw.options, "pushdown", true),
            columns: raw.columns.into_iter().map(column).collect(),
        }
    }
}

impl Table {
    pub fn column(&self, attribute: i16) -> Option<&Column> {
        self.columns.iter().find(|column| column.attribute == attribute)
    }
}

/// The field that a column shows.
pub fn field_of(column: &RawColumn) -> &str {
    find(&column.options, "field").unwrap_or(&column.name)
}

//! A foreign table: its model and which field each column shows.

use pgrx::pg_sys::Oid;

use crate::fdw::table::columns::Class;
use crate::server::{find, flag};

type Options = Vec<(String, String)>;

/// A foreign table as the catalogs have it.
pub struct RawTable {
    pub name: String,
    pub server: Oid,
    pub options: Options,
    pub columns: Vec<RawColumn>,
}

pub struct RawColumn {
    pub attribute: i16,
    pub name: String,
    pub class: Class,
    pub options: Options,
}

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
            field: find(&column.options, "field").unwrap_or(&column.name).to_owned(),
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

//! The declaration of one table of the warehouse.

/// A table, and where in Odoo its rows come from.
pub struct Dataset {
    pub table: &'static str,
    /// Becomes the table's comment.
    pub about: &'static str,
    /// The names that the model has had, newest first.
    pub models: &'static [&'static str],
    pub kind: Kind,
    pub columns: &'static [Column],
}

/// What a table's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Things that facts refer to; they are never deleted here.
    Dimension,
}

pub struct Column {
    pub name: &'static str,
    pub sql_type: SqlType,
    pub source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlType {
    Text,
    Bigint,
    BigintArray,
    Numeric,
    Boolean,
    Timestamptz,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A value, by its path in Odoo (see [`super::Path`]).
    Field(&'static str),
    /// The id of a row of another table, by its path in Odoo.
    Reference { path: &'static str, table: &'static str },
    /// An expression over the row's own columns, in SQL.
    Generated(&'static str),
}

impl SqlType {
    /// As `format_type` writes it.
    pub fn name(self) -> &'static str {
        match self {
            SqlType::Text => "text",
            SqlType::Bigint => "bigint",
            SqlType::BigintArray => "bigint[]",
            SqlType::Numeric => "numeric",
            SqlType::Boolean => "boolean",
            SqlType::Timestamptz => "timestamp with time zone",
        }
    }
}

impl Column {
    /// Its path in Odoo; a generated column has none.
    pub fn path(&self) -> Option<&'static str> {
        match self.source {
            Source::Field(path) | Source::Reference { path, .. } => Some(path),
            Source::Generated(_) => None,
        }
    }
}

const fn field(name: &'static str, sql_type: SqlType, path: &'static str) -> Column {
    Column { name, sql_type, source: Source::Field(path) }
}

pub const fn text(name: &'static str, path: &'static str) -> Column {
    field(name, SqlType::Text, path)
}

pub const fn bigint(name: &'static str, path: &'static str) -> Column {
    field(name, SqlType::Bigint, path)
}

pub const fn bigint_array(name: &'static str, path: &'static str) -> Column {
    field(name, SqlType::BigintArray, path)
}

pub const fn numeric(name: &'static str, path: &'static str) -> Column {
    field(name, SqlType::Numeric, path)
}

pub const fn boolean(name: &'static str, path: &'static str) -> Column {
    field(name, SqlType::Boolean, path)
}

pub const fn reference(name: &'static str, path: &'static str, table: &'static str) -> Column {
    Column { name, sql_type: SqlType::Bigint, source: Source::Reference { path, table } }
}

pub const fn generated(name: &'static str, sql_type: SqlType, expression: &'static str) -> Column {
    Column { name, sql_type, source: Source::Generated(expression) }
}

/// The columns that the engine fills from Odoo in every table, besides `id`.
const ACTIVE: Column = boolean("active", "active");
const WRITE_DATE: Column = field("odoo_write_date", SqlType::Timestamptz, "write_date");

impl Dataset {
    /// The columns that come from Odoo, besides `id`: the declared ones and the engine's.
    pub fn loaded_columns(&self) -> impl Iterator<Item = &Column> {
        let declared = self.columns.iter().filter(|column| column.path().is_some());
        let engine = match self.kind {
            Kind::Dimension => &[ACTIVE, WRITE_DATE],
        };
        declared.chain(engine)
    }

    /// The columns that refer to other tables: name, and the table.
    pub fn references(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.columns.iter().filter_map(|column| match column.source {
            Source::Reference { table, .. } => Some((column.name, table)),
            _ => None,
        })
    }

    /// Every column of the table in its order: name and SQL type.
    pub fn all_columns(&self) -> impl Iterator<Item = (&'static str, SqlType)> {
        let declared = self.columns.iter().map(|column| (column.name, column.sql_type));
        let bookkeeping = match self.kind {
            Kind::Dimension => [
                (ACTIVE.name, SqlType::Boolean),
                ("deleted_at", SqlType::Timestamptz),
                (WRITE_DATE.name, SqlType::Timestamptz),
                ("synced_at", SqlType::Timestamptz),
            ],
        };
        [("id", SqlType::Bigint)].into_iter().chain(declared).chain(bookkeeping)
    }
}

//! The declaration of one table of the warehouse.

use crate::quote::literal;

/// A table, and where in Odoo its rows come from.
pub struct Dataset {
    pub table: &'static str,
    /// Becomes the table's comment.
    pub about: &'static str,
    pub feeds: &'static [Feed],
    pub kind: Kind,
    pub extent: Extent,
    /// The column that names the record which this one is a part of, and with which it goes.
    pub owner: Option<&'static str>,
    pub columns: &'static [Column],
}

/// The model that fills a table, or its share of it.
pub struct Feed {
    /// In tables with several feeds, the first part of the primary key.
    pub channel: Option<&'static str>,
    /// The names that the model has had, newest first.
    pub models: &'static [&'static str],
    /// Which records, in Odoo's notation: the first of them whose fields Odoo has.
    pub domains: &'static [&'static str],
    /// Relations to records whose change is a change of this one, though its own write_date
    /// may not tell.
    pub also: &'static [&'static str],
    /// Boolean columns that Odoo changes by SQL, which leaves the record's write_date.
    pub silent: &'static [&'static str],
    /// Which records every run reads, as of them Odoo computes what their write_date does not
    /// tell.
    pub unsettled: Option<&'static str>,
}

impl Feed {
    /// Its channel where one is told apart from none, as in `missing_data`: empty in tables
    /// without.
    pub fn channel_or_none(&self) -> &'static str {
        self.channel.unwrap_or_default()
    }

    /// The condition under which a row of its table is the feed's.
    pub fn condition(&self, alias: &str) -> String {
        match self.channel {
            Some(channel) => format!("{alias}.channel = {}", literal(channel)),
            None => "true".into(),
        }
    }
}

/// All records of a model.
pub const fn all_of(models: &'static [&'static str]) -> Feed {
    all_and(models, &[])
}

/// All records of a model, and the relations whose change counts.
pub const fn all_and(models: &'static [&'static str], also: &'static [&'static str]) -> Feed {
    Feed { channel: None, models, domains: &["[]"], also, silent: &[], unsettled: None }
}

/// What a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Every record in every run: tables that are small, or whose write_date does not tell of
    /// every change. What is gone from Odoo is found in every run too.
    Whole,
    /// What has changed since the last run.
    Changed,
}

/// What a table's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Things that facts refer to; they are never deleted here.
    Dimension,
    /// What happened, or what there is.
    Fact,
}

#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub sql_type: SqlType,
    pub source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SqlType {
    Text,
    TextArray,
    Bigint,
    BigintArray,
    Numeric,
    Boolean,
    Date,
    Timestamptz,
    Jsonb,
}

/// Where a column's values come from. Paths are written as [`super::path`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Field(&'static str),
    /// A value, and an SQL expression over the row's loaded columns, this one among them, that
    /// puts it right.
    Corrected {
        path: &'static str,
        expression: &'static str,
    },
    /// A value for the expressions of corrected columns alone, which see it under its name.
    Ingredient(&'static str),
    /// The id of a row of another table.
    Reference {
        path: &'static str,
        table: &'static str,
        key: Key,
    },
    /// The name of a time zone; where Odoo has none, the server option `timezone`.
    Zone(&'static str),
    /// A whole number that Odoo has as text, as selections are.
    Number(&'static str),
    /// The company whose values a row has, where each company has its own: the record's, else the
    /// one that the Odoo user works in.
    Company(&'static str),
    /// Part of a time, as clocks show it in a zone.
    Local {
        part: TimePart,
        time: &'static str,
        zone: &'static str,
    },
    /// A column of the row that a reference points to; `table` if it is a reference itself.
    Inherited {
        reference: &'static str,
        column: &'static str,
        table: Option<&'static str>,
    },
    /// An SQL expression over the row's own columns.
    Generated(&'static str),
    /// The same, but it depends on today's date and so is brought up to date by every run.
    Refreshed(&'static str),
    /// A path that a user asked for, as of [`Source::Field`].
    Added(&'static str),
    /// The same, of which Odoo has the field no more: the column keeps what it has.
    Kept(&'static str),
}

/// What clocks show of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimePart {
    Day,
    /// From 0 to 23.
    Hour,
}

/// The primary key that a reference points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Id,
    /// (channel, id) with the row's own channel.
    OwnChannel,
    /// (channel, id) with the channel that a generated column of the row holds.
    Channel {
        column: &'static str,
        channel: &'static str,
    },
}

impl SqlType {
    /// As `format_type` writes it.
    pub fn name(self) -> &'static str {
        match self {
            SqlType::Text => "text",
            SqlType::TextArray => "text[]",
            SqlType::Bigint => "bigint",
            SqlType::BigintArray => "bigint[]",
            SqlType::Numeric => "numeric",
            SqlType::Boolean => "boolean",
            SqlType::Date => "date",
            SqlType::Timestamptz => "timestamp with time zone",
            SqlType::Jsonb => "jsonb",
        }
    }

    /// The type that [`SqlType::name`] calls so.
    pub fn from_name(name: &str) -> Option<SqlType> {
        use SqlType::*;
        let all =
            [Text, TextArray, Bigint, BigintArray, Numeric, Boolean, Date, Timestamptz, Jsonb];
        all.into_iter().find(|sql_type| sql_type.name() == name)
    }
}

impl Column {
    /// Whether its values come with the record, as opposed to being made in the warehouse.
    pub fn is_loaded(&self) -> bool {
        !matches!(
            self.source,
            Source::Generated(_)
                | Source::Refreshed(_)
                | Source::Inherited { .. }
                | Source::Kept(_)
        )
    }

    /// Whether the table has it.
    pub fn is_stored(&self) -> bool {
        !matches!(self.source, Source::Ingredient(_))
    }

    /// Whether loads write it.
    pub fn is_written(&self) -> bool {
        self.is_stored() && self.is_loaded() || matches!(self.source, Source::Inherited { .. })
    }

    /// The table that it refers to.
    pub fn refers_to(&self) -> Option<&'static str> {
        match self.source {
            Source::Reference { table, .. } => Some(table),
            Source::Inherited { table, .. } => table,
            _ => None,
        }
    }
}

macro_rules! field_columns {
    ($($name:ident: $sql_type:ident),*) => {$(
        pub const fn $name(name: &'static str, path: &'static str) -> Column {
            Column { name, sql_type: SqlType::$sql_type, source: Source::Field(path) }
        }
    )*};
}

field_columns! {
    text: Text, text_array: TextArray, bigint: Bigint, bigint_array: BigintArray,
    numeric: Numeric, boolean: Boolean, date: Date, timestamptz: Timestamptz
}

pub const fn reference(name: &'static str, path: &'static str, table: &'static str) -> Column {
    keyed_reference(name, path, table, Key::Id)
}

pub const fn keyed_reference(
    name: &'static str,
    path: &'static str,
    table: &'static str,
    key: Key,
) -> Column {
    Column { name, sql_type: SqlType::Bigint, source: Source::Reference { path, table, key } }
}

pub const fn zone(name: &'static str, path: &'static str) -> Column {
    Column { name, sql_type: SqlType::Text, source: Source::Zone(path) }
}

pub const fn number(name: &'static str, path: &'static str) -> Column {
    Column { name, sql_type: SqlType::Bigint, source: Source::Number(path) }
}

pub const fn company(name: &'static str, path: &'static str) -> Column {
    Column { name, sql_type: SqlType::Bigint, source: Source::Company(path) }
}

pub const fn business_date(name: &'static str, time: &'static str, zone: &'static str) -> Column {
    Column {
        name,
        sql_type: SqlType::Date,
        source: Source::Local { part: TimePart::Day, time, zone },
    }
}

pub const fn local_hour(name: &'static str, time: &'static str, zone: &'static str) -> Column {
    Column {
        name,
        sql_type: SqlType::Bigint,
        source: Source::Local { part: TimePart::Hour, time, zone },
    }
}

pub const fn inherited(
    name: &'static str,
    sql_type: SqlType,
    reference: &'static str,
    column: &'static str,
    table: Option<&'static str>,
) -> Column {
    Column { name, sql_type, source: Source::Inherited { reference, column, table } }
}

pub const fn corrected(
    name: &'static str,
    sql_type: SqlType,
    path: &'static str,
    expression: &'static str,
) -> Column {
    Column { name, sql_type, source: Source::Corrected { path, expression } }
}

pub const fn ingredient(name: &'static str, sql_type: SqlType, path: &'static str) -> Column {
    Column { name, sql_type, source: Source::Ingredient(path) }
}

pub const fn generated(name: &'static str, sql_type: SqlType, expression: &'static str) -> Column {
    Column { name, sql_type, source: Source::Generated(expression) }
}

pub const fn refreshed(name: &'static str, sql_type: SqlType, expression: &'static str) -> Column {
    Column { name, sql_type, source: Source::Refreshed(expression) }
}

/// Models without archiving have no `active`; their records are active.
pub const ACTIVE: &str = "active";

/// The columns that the engine fills from Odoo, besides the key.
const DIMENSION: &[Column] =
    &[boolean(ACTIVE, "active"), timestamptz("odoo_write_date", "write_date")];
const FACT: &[Column] = &[timestamptz("odoo_write_date", "write_date")];

impl Dataset {
    fn engine_columns(&self) -> &'static [Column] {
        match self.kind {
            Kind::Dimension => DIMENSION,
            Kind::Fact => FACT,
        }
    }

    /// Declared columns and the engine's own, besides key and bookkeeping.
    pub fn value_columns(&self) -> impl Iterator<Item = &'static Column> + use<> {
        self.columns.iter().chain(self.engine_columns())
    }

    /// The columns whose values come with each record.
    pub fn loaded_columns(&self) -> impl Iterator<Item = &'static Column> + use<> {
        self.value_columns().filter(|column| column.is_loaded())
    }

    /// Whether the table has several feeds, and so the key (channel, id).
    pub fn has_channels(&self) -> bool {
        self.feeds.iter().any(|feed| feed.channel.is_some())
    }

    /// The primary key's columns.
    pub fn key(&self) -> &'static [&'static str] {
        match self.has_channels() {
            true => &["channel", "id"],
            false => &["id"],
        }
    }

    /// Every column of the table in its order: name and SQL type.
    pub fn all_columns(&self) -> Vec<(&'static str, SqlType)> {
        let mut columns = match self.has_channels() {
            true => vec![("channel", SqlType::Text), ("id", SqlType::Bigint)],
            false => vec![("id", SqlType::Bigint)],
        };
        let named = |column: &'static Column| (column.name, column.sql_type);
        columns.extend(self.columns.iter().filter(|column| column.is_stored()).map(named));
        columns.extend(self.engine_columns().iter().map(named));
        if self.kind == Kind::Dimension {
            columns.push(("deleted_at", SqlType::Timestamptz));
        }
        columns.push(("synced_at", SqlType::Timestamptz));
        columns
    }

    /// The column of that name, if it is declared or the engine's.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.value_columns().find(|column| column.name == name)
    }
}

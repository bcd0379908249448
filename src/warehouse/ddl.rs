//! Declarations as SQL: tables, constraints and comments. Pure text; nothing is run here.

use super::dataset::{Column, Dataset, Key, Kind, Source, TimePart};
use crate::quote::{ident, literal};

/// A table, or one of its partitions.
#[derive(Debug, Clone, Copy)]
pub struct On<'a> {
    pub schema: &'a str,
    pub name: &'a str,
}

impl On<'_> {
    pub fn sql(&self) -> String {
        qualified(self.schema, self.name)
    }
}

/// The table's name with its schema, as SQL text.
pub fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", ident(schema), ident(table))
}

/// CREATE TABLE of a dataset, without its foreign keys: tables may refer to one another.
pub fn create_table(dataset: &Dataset, schema: &str, layout: Layout) -> String {
    let columns = dataset.all_columns();
    let mut lines: Vec<_> =
        columns.iter().map(|(name, _)| column_definition(dataset, name)).collect();
    lines.push(format!("PRIMARY KEY ({})", dataset.key().join(", ")));
    let table = qualified(schema, dataset.table);
    let layout = match layout {
        Layout::Plain => "",
        Layout::Partitioned => " PARTITION BY RANGE (id)",
    };
    format!("CREATE TABLE {table} (\n    {}\n){layout}", lines.join(",\n    "))
}

/// Whether a table's rows are its own, or its partitions'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Plain,
    Partitioned,
}

/// A column as CREATE TABLE and ADD COLUMN want it.
pub fn column_definition(dataset: &Dataset, name: &str) -> String {
    let columns = dataset.all_columns();
    let sql_type = columns.iter().find(|(column, _)| *column == name).map(|(_, kind)| kind.name());
    let rest = match dataset.column(name).map(|column| column.source) {
        Some(Source::Generated(expression)) => {
            format!(" GENERATED ALWAYS AS ({expression}) STORED")
        }
        _ => String::new(),
    };
    format!("{} {}{rest}", ident(name), sql_type.unwrap_or("text"))
}

/// Columns for a table that is there, in one statement: generated ones have every row written again.
pub fn add_columns(dataset: &Dataset, names: &[&str], schema: &str) -> String {
    let columns: Vec<_> = names
        .iter()
        .map(|name| format!("ADD COLUMN {}", column_definition(dataset, name)))
        .collect();
    format!("ALTER TABLE {} {}", qualified(schema, dataset.table), columns.join(", "))
}

/// The foreign key of a column that refers to another table of a schema.
pub fn foreign_key(dataset: &Dataset, column: &Column, schema: &str, on: On<'_>) -> Option<String> {
    let parent = qualified(schema, column.refers_to()?);
    let theirs = match column.source {
        Source::Reference { key: Key::OwnChannel | Key::Channel { .. }, .. } => "channel, id",
        _ => "id",
    };
    Some(format!(
        "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {parent} ({theirs})",
        on.sql(),
        constraint(dataset, column),
        own_key(column),
    ))
}

/// The same taken away, where it is there: it may lead to a table that is no longer the parent.
pub fn drop_foreign_key(dataset: &Dataset, column: &Column, on: On<'_>) -> String {
    format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", on.sql(), constraint(dataset, column))
}

/// The same held against the rows that were there when it was made NOT VALID.
pub fn validate_foreign_key(dataset: &Dataset, column: &Column, on: On<'_>) -> String {
    format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", on.sql(), constraint(dataset, column))
}

fn constraint(dataset: &Dataset, column: &Column) -> String {
    ident(&foreign_key_name(dataset, column))
}

/// A foreign key's name, as PostgreSQL itself would choose it.
pub fn foreign_key_name(dataset: &Dataset, column: &Column) -> String {
    format!("{}_{}_fkey", dataset.table, column.name)
}

/// The index that a column has.
pub fn index(dataset: &Dataset, column: &Column, on: On<'_>) -> Option<String> {
    reference_index(dataset, column, on).or_else(|| day_index(dataset, column, on))
}

/// An index to find the rows that refer to a record, or are parts of it.
fn reference_index(dataset: &Dataset, column: &Column, on: On<'_>) -> Option<String> {
    // Most rows have no promotion, and refund nothing.
    is_searched(dataset, column).then(|| {
        let (key, name) = (own_key(column), ident(column.name));
        format!("CREATE INDEX ON {} ({key}) WHERE {name} IS NOT NULL", on.sql())
    })
}

/// An index to find the rows of some days, which lie beside each other as ids grow with time. One of
/// that name may be a user's.
pub fn day_index(dataset: &Dataset, column: &Column, on: On<'_>) -> Option<String> {
    is_day(dataset, column).then(|| {
        format!(
            "CREATE INDEX IF NOT EXISTS {} ON {} USING brin ({}) WITH (autosummarize = on)",
            ident(&format!("{}_{}_idx", on.name, column.name)),
            on.sql(),
            ident(column.name)
        )
    })
}

/// Whether a column has an index.
pub fn is_indexed(dataset: &Dataset, column: &Column) -> bool {
    is_searched(dataset, column) || is_day(dataset, column)
}

/// What an index is on, and of which rows, as [`index`] makes it.
pub fn indexed(dataset: &Dataset, column: &Column) -> String {
    let rows = match is_day(dataset, column) {
        true => "all".to_owned(),
        false => format!("({} IS NOT NULL)", column.name),
    };
    format!("{} of {rows}", key_columns(column).join(", "))
}

/// Whether rows are looked for by a column.
fn is_searched(dataset: &Dataset, column: &Column) -> bool {
    column.refers_to().is_some() || dataset.owner == Some(column.name)
}

/// Whether a column is the day of what happened.
fn is_day(dataset: &Dataset, column: &Column) -> bool {
    dataset.kind == Kind::Fact && column.name == "business_date"
}

/// The columns that refer to another table's key.
pub fn key_columns(column: &Column) -> Vec<&'static str> {
    match column.source {
        Source::Reference { key: Key::OwnChannel, .. } => vec!["channel", column.name],
        Source::Reference { key: Key::Channel { column: channel, .. }, .. } => {
            vec![channel, column.name]
        }
        _ => vec![column.name],
    }
}

fn own_key(column: &Column) -> String {
    key_columns(column).into_iter().map(ident).collect::<Vec<_>>().join(", ")
}

/// The name of the trigger of [`edited_trigger`].
pub const EDITED_TRIGGER: &str = "odoo_row_edited";

/// The trigger that marks rows which somebody else changes: every change that is a sync's moves
/// synced_at. It goes with the extension, whose function it calls; the table stays. The columns
/// are arguments, so that they may be altered and dropped as those of any table.
pub fn edited_trigger(dataset: &Dataset, schema: &str, function: &str) -> [String; 2] {
    let table = qualified(schema, dataset.table);
    let columns: Vec<_> = dataset
        .value_columns()
        .filter(|column| column.is_written() || matches!(column.source, Source::Kept(_)))
        .map(|column| literal(column.name))
        .collect();
    [
        format!(
            "CREATE OR REPLACE TRIGGER {EDITED_TRIGGER} BEFORE UPDATE ON {table} \
             FOR EACH ROW WHEN (OLD.synced_at IS NOT DISTINCT FROM NEW.synced_at) \
             EXECUTE FUNCTION {function}({})",
            columns.join(", "),
        ),
        format!("ALTER TRIGGER {EDITED_TRIGGER} ON {table} DEPENDS ON EXTENSION odoo_etl"),
    ]
}

/// The table's comment and its columns'.
pub fn comments(dataset: &Dataset, schema: &str) -> Vec<String> {
    let table = qualified(schema, dataset.table);
    let about = literal(&table_comment(dataset));
    let mut statements = vec![format!("COMMENT ON TABLE {table} IS {about}")];
    for (name, _) in dataset.all_columns() {
        let about = literal(&column_comment(dataset, name));
        statements.push(format!("COMMENT ON COLUMN {table}.{} IS {about}", ident(name)));
    }
    statements
}

pub fn table_comment(dataset: &Dataset) -> String {
    format!("{} (Odoo: {})", dataset.about, models(dataset))
}

fn models(dataset: &Dataset) -> String {
    let models: Vec<_> = dataset.feeds.iter().map(|feed| feed.models.join(" or ")).collect();
    models.join(", ")
}

/// What a column holds, in words that name Odoo's field.
pub(super) fn column_comment(dataset: &Dataset, name: &str) -> String {
    let field = |path: &str| format!("Odoo: {}", described(dataset, path));
    match dataset.column(name) {
        None => match name {
            "channel" => "where the row comes from: pos or sale".into(),
            "id" => format!("Odoo: {}", described(dataset, "id")),
            "deleted_at" => "when the record was found to be deleted in Odoo".into(),
            _ => "when this row last changed here".into(),
        },
        Some(column) => match column.source {
            Source::Field("active") => format!("{}; false for archived records", field("active")),
            Source::Field(path)
            | Source::Ingredient(path)
            | Source::Number(path)
            | Source::Added(path)
            | Source::Kept(path) => field(path),
            Source::Corrected { path, expression } => {
                format!("{}, as {expression}{}", field(path), ingredients(dataset, expression))
            }
            Source::Reference { path, table, .. } => format!("{}; refers to {table}", field(path)),
            Source::Zone(path) => format!("{}, or the server option timezone", field(path)),
            Source::Company(path) => format!("{}, or the Odoo user's", field(path)),
            Source::Local { part, time, zone } => {
                let part = match part {
                    TimePart::Day => "day",
                    TimePart::Hour => "hour",
                };
                let (time, zone) = (described(dataset, time), spelled(zone));
                format!("{part} of {time} in the time zone {zone}")
            }
            Source::Inherited { reference, column, .. } => {
                format!("{column} of the row that {reference} refers to")
            }
            Source::Generated(expression) => format!("generated: {expression}"),
            Source::Refreshed(expression) => format!("as of the last run: {expression}"),
        },
    }
}

/// What the names in an expression stand for that no column of the table has.
fn ingredients(dataset: &Dataset, expression: &str) -> String {
    let named = dataset.columns.iter().filter_map(|column| match column.source {
        Source::Ingredient(path) if expression.contains(column.name) => {
            Some(format!("; {} is {}", column.name, spelled(path)))
        }
        _ => None,
    });
    named.collect()
}

/// A path for each feed, after its model's name.
fn described(dataset: &Dataset, text: &str) -> String {
    let parts: Vec<_> = text.split(" / ").collect();
    let feeds = dataset.feeds.iter().enumerate().filter_map(|(index, feed)| {
        let part = parts.get(index).unwrap_or(&parts[0]);
        (*part != "-").then(|| format!("{}.{}", feed.models[0], spelled(part)))
    });
    feeds.collect::<Vec<_>>().join(", ")
}

/// A path as a reader of comments understands it.
fn spelled(path: &str) -> String {
    path.replace(" ?? ", ", else ").replace('|', " or ").replace('?', " if ")
}

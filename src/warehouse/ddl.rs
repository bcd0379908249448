//! Declarations as SQL: tables, constraints and comments. Pure text; nothing is run here.

use super::dataset::{Dataset, Source};
use crate::quote::{ident, literal};

/// The table's name with its schema, as SQL text.
pub fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", ident(schema), ident(table))
}

/// CREATE TABLE of a dataset, without its foreign keys: tables may refer to one another.
pub fn create_table(dataset: &Dataset, schema: &str) -> String {
    let columns: Vec<String> = dataset
        .all_columns()
        .map(|(name, sql_type)| {
            let rest = match (name, generation(dataset, name)) {
                ("id", _) => " PRIMARY KEY".to_owned(),
                ("active" | "synced_at", _) => " NOT NULL".to_owned(),
                (_, Some(expression)) => format!(" GENERATED ALWAYS AS ({expression}) STORED"),
                _ => String::new(),
            };
            format!("{} {}{rest}", ident(name), sql_type.name())
        })
        .collect();
    let table = qualified(schema, dataset.table);
    format!("CREATE TABLE IF NOT EXISTS {table} (\n    {}\n)", columns.join(",\n    "))
}

fn generation(dataset: &Dataset, name: &str) -> Option<&'static str> {
    dataset.columns.iter().find(|column| column.name == name).and_then(|column| {
        match column.source {
            Source::Generated(expression) => Some(expression),
            _ => None,
        }
    })
}

/// The name of the foreign key of a column, as PostgreSQL itself would name it.
pub fn foreign_key_name(table: &str, column: &str) -> String {
    format!("{table}_{column}_fkey")
}

/// The statements that complete a table just made: its foreign keys, an index for each, since
/// missing parents are looked up by it, and the comments.
pub fn complete_table(dataset: &Dataset, schema: &str) -> Vec<String> {
    let table = qualified(schema, dataset.table);
    let mut statements = Vec::new();
    for (column, parent) in dataset.references() {
        statements.push(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {}",
            ident(&foreign_key_name(dataset.table, column)),
            ident(column),
            qualified(schema, parent),
        ));
        statements.push(format!("CREATE INDEX ON {table} ({})", ident(column)));
    }
    let models = dataset.models.join(" or ");
    let about = format!("{} (Odoo: {models})", dataset.about);
    statements.push(format!("COMMENT ON TABLE {table} IS {}", literal(&about)));
    for (column, about) in comments(dataset) {
        let column = ident(column);
        statements.push(format!("COMMENT ON COLUMN {table}.{column} IS {}", literal(&about)));
    }
    statements
}

/// What each column holds, in words that name Odoo's field.
fn comments(dataset: &Dataset) -> Vec<(&'static str, String)> {
    let model = dataset.models[0];
    let declared = dataset.columns.iter().map(|column| {
        let about = match column.source {
            Source::Field(path) => format!("Odoo: {model}.{}", readable(path)),
            Source::Reference { path, table } => {
                format!("Odoo: {model}.{}; refers to {table}", readable(path))
            }
            Source::Generated(expression) => format!("generated: {expression}"),
        };
        (column.name, about)
    });
    let engine = [
        ("id", format!("Odoo: {model}.id")),
        ("active", format!("Odoo: {model}.active; false for archived records")),
        ("deleted_at", "when the record was found to be deleted in Odoo".to_owned()),
        ("odoo_write_date", format!("Odoo: {model}.write_date")),
        ("synced_at", "when this row last changed here".to_owned()),
    ];
    declared.chain(engine).collect()
}

/// A path as a reader of comments understands it.
fn readable(path: &str) -> String {
    path.replace('|', " or ")
}

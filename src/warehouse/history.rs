//! The past of a table's rows: a table beside it, with a version for each state that a record was in.

use super::dataset::{Column, Dataset, Kind, Source};
use super::ddl::{self, qualified};
use crate::quote::{ident, literal};

/// The columns that a history has of its own: names, types, and what they hold.
const OWN: [(&str, &str, &str); 4] = [
    (
        "valid_from",
        "timestamp with time zone NOT NULL",
        "since when the record was so: write_date in Odoo, or the time by Odoo''s clock at which it was seen where that tells no change",
    ),
    ("valid_to", "timestamp with time zone", "until when it was so; NULL in the current version"),
    ("is_current", "boolean NOT NULL", "whether the record is so now"),
    (
        "unknown_columns",
        "text[]",
        "columns that Odoo did not give yet; their values come into this version",
    ),
];

/// When Odoo says that the record changed, which by itself makes no version.
pub const WRITTEN: &str = "odoo_write_date";

/// The name of a table's history.
pub fn table_of(table: &str) -> String {
    format!("{table}_history")
}

/// Whether a table may have one: facts happened once.
pub fn may_be_kept(dataset: &Dataset) -> bool {
    dataset.kind == Kind::Dimension || super::dataset(dataset.table).is_none()
}

/// Whether a history has a column of that name for itself.
pub fn is_own(name: &str) -> bool {
    OWN.iter().any(|(own, _, _)| *own == name)
}

/// The columns that it has of its table.
pub fn columns(dataset: &Dataset) -> impl Iterator<Item = &'static str> + use<> {
    let columns = dataset.all_columns().into_iter().map(|(name, _)| name);
    columns.filter(|name| !is_own(name))
}

/// Those whose change is another version.
pub fn versioned(dataset: &Dataset) -> impl Iterator<Item = &'static Column> + use<> {
    let columns = dataset.loaded_columns();
    columns.filter(|column| column.name != WRITTEN && !is_own(column.name))
}

/// Those that rows are not loaded with, and whose change is none.
pub fn carried(dataset: &Dataset) -> impl Iterator<Item = &'static Column> + use<> {
    let is_carried =
        |column: &&Column| !column.is_loaded() && !matches!(column.source, Source::Generated(_));
    dataset.value_columns().filter(is_carried).filter(|column| !is_own(column.name))
}

/// Those of them that change here, in the current version too.
pub fn followed(dataset: &Dataset) -> impl Iterator<Item = &'static Column> + use<> {
    carried(dataset).filter(|column| !matches!(column.source, Source::Kept(_)))
}

/// The statements that make it. No foreign keys: what a version refers to may be gone.
pub fn create_table(dataset: &Dataset, schema: &str) -> Vec<String> {
    let table = qualified(schema, &table_of(dataset.table));
    let columns = columns(dataset).map(|name| ddl::column_definition(dataset, name));
    let own = OWN.iter().map(|(name, definition, _)| format!("{name} {definition}"));
    let columns: Vec<_> = columns.chain(own).collect();
    let mut statements = vec![
        format!("CREATE TABLE {table} ({}, PRIMARY KEY (id, valid_from))", columns.join(", ")),
        format!("CREATE UNIQUE INDEX ON {table} (id) WHERE is_current"),
        format!("COMMENT ON TABLE {table} IS {}", literal(&table_comment(dataset))),
    ];
    let own = OWN.iter().map(|(name, _, about)| (*name, format!("'{about}'")));
    let theirs = self::columns(dataset).map(|name| (name, comment(dataset, name)));
    statements.extend(theirs.chain(own).map(|(name, about)| on_column(&table, name, &about)));
    statements
}

/// The statements that give it a column that its table got.
pub fn add_column(dataset: &Dataset, name: &str, schema: &str) -> [String; 2] {
    let table = qualified(schema, &table_of(dataset.table));
    let definition = ddl::column_definition(dataset, name);
    [
        format!("ALTER TABLE {table} ADD COLUMN {definition}"),
        on_column(&table, name, &comment(dataset, name)),
    ]
}

fn on_column(table: &str, name: &str, about: &str) -> String {
    format!("COMMENT ON COLUMN {table}.{} IS {about}", ident(name))
}

fn comment(dataset: &Dataset, name: &str) -> String {
    literal(&ddl::column_comment(dataset, name))
}

/// By which it is known to be one.
pub fn table_comment(dataset: &Dataset) -> String {
    format!("History of {}: a row for each version of a record", dataset.table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_and_tenure_make_no_version() {
        let employees = super::super::dataset("dim_employees").unwrap();
        let names = |columns: Vec<&'static Column>| -> Vec<_> {
            columns.into_iter().map(|column| column.name).collect()
        };
        assert_eq!(names(carried(employees).collect()), ["age", "tenure_years"]);
        let versioned = names(versioned(employees).collect());
        assert!(versioned.contains(&"hire_date") && versioned.contains(&"active"));
        assert!(!versioned.contains(&"age") && !versioned.contains(&WRITTEN));
        assert!(columns(employees).any(|name| name == "age"));
    }

    #[test]
    fn facts_have_none() {
        let of = |table| may_be_kept(super::super::dataset(table).unwrap());
        assert!(of("dim_products") && !of("all_sales"));
    }
}

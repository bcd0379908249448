//! Tables that keep what another one held at the end of each day, as far as it changed.

use super::Dataset;
use super::dataset::SqlType;
use super::ddl::qualified;
use crate::quote::{ident, literal};

/// A table of days. It refers to no other by foreign keys: a TRUNCATE … CASCADE would take what
/// nobody can load again.
pub struct Snapshot {
    pub table: &'static str,
    pub about: &'static str,
    /// The table whose rows are kept.
    pub of: &'static Dataset,
    /// What its rows are told apart by; those of one key are added up.
    pub key: &'static [&'static str],
    pub sums: &'static [&'static str],
    /// A text that they have in common.
    pub label: &'static str,
    /// The reference to where they are, whose row has the time zone of their days.
    pub place: &'static str,
}

/// The column of a place that names its time zone.
pub const TIMEZONE: &str = "timezone";

impl Snapshot {
    /// What may change from day to day.
    pub fn values(&self) -> impl Iterator<Item = &'static str> {
        self.sums.iter().copied().chain([self.label])
    }

    /// The table of places.
    pub fn places(&self) -> &'static str {
        self.of.column(self.place).and_then(|column| column.refers_to()).unwrap_or_default()
    }

    pub fn sql_type(&self, column: &str) -> SqlType {
        self.of.column(column).map_or(SqlType::Text, |column| column.sql_type)
    }

    /// The statements that make it.
    pub fn create_table(&self, schema: &str) -> String {
        let table = qualified(schema, self.table);
        let copied: Vec<_> = self.key.iter().copied().chain(self.values()).collect();
        let columns: String = copied
            .iter()
            .map(|name| format!("{} {},\n    ", ident(name), self.sql_type(name).name()))
            .collect();
        let comment = |name: &str, about: &str| {
            format!("COMMENT ON COLUMN {table}.{} IS {};\n", ident(name), literal(about))
        };
        let of = self.of.table;
        let own = [
            ("id", "number of the row, of no meaning in Odoo".to_owned()),
            (
                "day",
                format!("the day from whose end on it was so, in the time zone of {}", self.place),
            ),
            ("until", "the day at whose end it was no longer so; NULL of what is so now".into()),
            ("taken_at", "when it was read, by Odoo's clock".into()),
        ];
        let comments = own
            .into_iter()
            .chain(copied.into_iter().map(|name| match self.sums.contains(&name) {
                true => (name, format!("{name} of {of}; 0 after its rows are gone")),
                false => (name, format!("{name} of {of}")),
            }))
            .map(|(name, about)| comment(name, &about))
            .collect::<String>();
        format!(
            "CREATE TABLE {table} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day date NOT NULL,
    until date,
    {columns}taken_at timestamp with time zone NOT NULL,
    UNIQUE NULLS NOT DISTINCT ({key}, day)
);
CREATE INDEX ON {table} (day);
CREATE INDEX ON {table} (until);
COMMENT ON TABLE {table} IS {about};
{comments}",
            key = self.key.join(", "),
            about = literal(self.about),
        )
    }
}

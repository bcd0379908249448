//! The days of the warehouse.

use super::ddl;
use crate::quote::literal;

/// A row for each day from the first to the last business date, and a year on.
pub const DIM_DATE: &str = "dim_date";

/// The last day that a business date may be, as SQL.
const LAST: &str = "(CURRENT_DATE + 3653)";

/// The comment by which a table of that name is known to be ours.
pub const ABOUT: &str = "Days, from the first to the last business date and a year on";

/// Columns, what they are of a day `d`, and their comments. The names of `$3` and `$4` are those of
/// months and of weekdays from Monday on.
const COLUMNS: &[(&str, &str, &str, &str)] = &[
    ("year", "integer", "extract(year FROM d)", "calendar year"),
    ("quarter", "integer", "extract(quarter FROM d)", "calendar quarter, 1 to 4"),
    ("month", "integer", "extract(month FROM d)", "1 to 12"),
    (
        "month_name",
        "text",
        "($3::text[])[extract(month FROM d)::integer]",
        "in the language of the server, else in English",
    ),
    (
        "iso_year",
        "integer",
        "extract(isoyear FROM d)",
        "year of the ISO 8601 week, which the days around New Year may share with another one",
    ),
    ("iso_week", "integer", "extract(week FROM d)", "week by ISO 8601, 1 to 53"),
    ("weekday", "integer", "extract(isodow FROM d)", "1 for Monday to 7 for Sunday"),
    (
        "weekday_name",
        "text",
        "($4::text[])[extract(isodow FROM d)::integer]",
        "in the language of the server, else in English",
    ),
    ("is_weekend", "boolean", "extract(isodow FROM d) > 5", "Saturday or Sunday"),
];

/// The statements that make it.
pub fn create_table(schema: &str) -> String {
    let table = ddl::qualified(schema, DIM_DATE);
    let columns: Vec<_> =
        COLUMNS.iter().map(|(name, sql_type, ..)| format!("{name} {sql_type} NOT NULL")).collect();
    let comments: Vec<_> = COLUMNS
        .iter()
        .map(|(name, .., about)| format!("COMMENT ON COLUMN {table}.{name} IS {};", literal(about)))
        .collect();
    format!(
        "CREATE TABLE {table} (day date PRIMARY KEY, {});\nCOMMENT ON TABLE {table} IS {};\n\
         COMMENT ON COLUMN {table}.day IS 'the day';\n{}",
        columns.join(", "),
        literal(ABOUT),
        comments.join("\n"),
    )
}

/// Adds the days from `$1` to a year after `$2` that are not there.
pub fn add_days(schema: &str) -> String {
    let names: Vec<_> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    let values: Vec<_> = COLUMNS.iter().map(|(_, _, value, _)| *value).collect();
    let table = ddl::qualified(schema, DIM_DATE);
    format!(
        "INSERT INTO {table} (day, {}) SELECT d, {} FROM generate_series(0, ($2 + interval '1 year')::date - $1) AS n \
         CROSS JOIN LATERAL (SELECT $1 + n) AS days (d) \
         WHERE NOT EXISTS (SELECT FROM {table} AS known WHERE known.day = d) \
         ON CONFLICT DO NOTHING",
        names.join(", "),
        values.join(", "),
    )
}

/// Gives days other names, where they differ from `$1` for months and `$2` for weekdays.
pub fn rename_days(schema: &str) -> String {
    format!(
        "UPDATE {table} AS row SET month_name = named.month_name, weekday_name = named.weekday_name \
         FROM (SELECT day, ($1::text[])[month] AS month_name, ($2::text[])[weekday] AS weekday_name FROM {table}) AS named \
         WHERE named.day = row.day \
           AND (row.month_name, row.weekday_name) IS DISTINCT FROM (named.month_name, named.weekday_name)",
        table = ddl::qualified(schema, DIM_DATE)
    )
}

/// The first day that is there, and the last one that counts as a business date.
pub fn known(schema: &str) -> String {
    format!(
        "SELECT min(day), (max(day) - interval '1 year')::date FROM {} \
         WHERE day BETWEEN '1970-01-01' AND {LAST} + interval '1 year'",
        ddl::qualified(schema, DIM_DATE)
    )
}

/// The first and the last day that a table tells of in a column, outside of `$1` to `$2` if these are
/// known. Slips of the pen, such as the year 201 or 20024, would make a row for each day up to there:
/// they do not count.
pub fn span(schema: &str, table: &str, column: &str, is_known: bool) -> String {
    let rest =
        if is_known { format!(" AND ({column} < $1 OR {column} > $2)") } else { String::new() };
    format!(
        "SELECT min({column}), max({column}) FROM {} \
         WHERE {column} BETWEEN '1970-01-01' AND {LAST}{rest}",
        ddl::qualified(schema, table)
    )
}

//! Rows into a table: one statement per page, which writes only what differs.

use std::collections::HashMap;

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use super::tables::MISSING_DATA;
use super::transform::Rows;
use crate::failure::Failure;
use crate::odoo::Cells;
use crate::quote::{ident, literal};
use crate::warehouse::ddl::qualified;
use crate::warehouse::{Dataset, SqlType, dataset};

/// What a page's statement did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    pub inserted: i64,
    pub updated: i64,
}

/// The statements that load a table, made once per run.
pub struct Loader {
    references: Vec<Reference>,
    upsert: String,
    /// Which ids of each referenced table are not there; `None` without references.
    absent: Option<String>,
    /// Forgets missing parents of rows whose reference is gone or has changed.
    resolve: Option<String>,
}

/// A reference column: its name, its place among the loaded columns, and its table.
struct Reference {
    column: &'static str,
    index: usize,
    table: &'static str,
    model: &'static str,
}

fn references(dataset: &'static Dataset) -> Vec<Reference> {
    let place = |column| dataset.loaded_columns().position(|loaded| loaded.name == column);
    dataset
        .references()
        .filter_map(|(column, table)| {
            let model = crate::warehouse::dataset(table)?.models[0];
            Some(Reference { column, index: place(column)?, table, model })
        })
        .collect()
}

impl Loader {
    pub fn new(dataset: &'static Dataset, schema: &str) -> Loader {
        let references = references(dataset);
        Loader {
            upsert: upsert(dataset, &references, schema),
            absent: (!references.is_empty()).then(|| absent(dataset, &references, schema)),
            resolve: (!references.is_empty()).then(|| resolve(dataset, &references, schema)),
            references,
        }
    }

    /// The ids that the rows refer to and that are not in the warehouse, by table.
    pub fn absent_parents(
        &self,
        rows: &Rows,
    ) -> Result<Vec<(&'static Dataset, Vec<i64>)>, Failure> {
        let Some(sql) = &self.absent else {
            return Ok(Vec::new());
        };
        let mut args = vec![rows.ids.clone().into()];
        for reference in &self.references {
            args.push(argument(&rows.columns[reference.index]));
        }
        Spi::connect(|client| {
            let mut parents = Vec::new();
            for row in client.select(sql, None, &args)? {
                let table: Option<String> = row.get(1)?;
                let ids: Option<Vec<i64>> = row.get(2)?;
                if let (Some(parent), Some(ids)) = (table.as_deref().and_then(dataset), ids) {
                    parents.push((parent, ids));
                }
            }
            Ok(parents)
        })
    }

    /// Writes the rows that are new or differ.
    pub fn load(&self, rows: &Rows) -> Result<Loaded, Failure> {
        let mut args = vec![rows.ids.clone().into()];
        args.extend(rows.columns.iter().map(argument));
        // One connection to SPI per page: its memory is freed only at the end of each.
        Spi::connect_mut(|client| {
            let counts = client.update(&self.upsert, None, &args)?.first();
            let loaded = Loaded {
                inserted: counts.get(1)?.unwrap_or(0),
                updated: counts.get(2)?.unwrap_or(0),
            };
            if let Some(resolve) = &self.resolve {
                client.update(resolve, None, &[rows.ids.clone().into()])?;
            }
            Ok(loaded)
        })
    }
}

/// A column as an array parameter; what is no bigint or boolean travels as text.
fn argument(cells: &Cells) -> DatumWithOid<'_> {
    match cells {
        Cells::Booleans(cells) => cells.clone().into(),
        Cells::Integers(cells) => cells.clone().into(),
        Cells::Texts(texts) => texts.iter().collect::<Vec<_>>().into(),
        Cells::Lists(lists) => {
            lists.iter().map(|ids| Some(array_text(ids))).collect::<Vec<_>>().into()
        }
    }
}

fn array_text(ids: &[i64]) -> String {
    let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

/// The type in which a column's cells are handed over.
fn carrier(sql_type: SqlType) -> &'static str {
    match sql_type {
        SqlType::Bigint => "bigint[]",
        SqlType::Boolean => "boolean[]",
        SqlType::Text | SqlType::BigintArray | SqlType::Numeric | SqlType::Timestamptz => "text[]",
    }
}

fn upsert(dataset: &'static Dataset, references: &[Reference], schema: &str) -> String {
    let table = qualified(schema, dataset.table);
    let columns: Vec<_> = dataset.loaded_columns().collect();
    let names: Vec<String> = columns.iter().map(|column| ident(column.name)).collect();
    let parameters: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| format!("${}::{}", index + 2, carrier(column.sql_type)))
        .collect();
    let mut values = Vec::new();
    let mut joins = String::new();
    for (index, column) in columns.iter().enumerate() {
        let name = &names[index];
        values.push(match references.iter().find(|reference| reference.index == index) {
            Some(reference) => {
                let parent = format!("parent_{index}");
                joins.push_str(&format!(
                    " LEFT JOIN ({}) AS {parent} ON {parent}.id = input.{name}",
                    present_ids(dataset, reference, schema)
                ));
                format!("{parent}.id AS {name}")
            }
            None => format!("input.{name}::{} AS {name}", column.sql_type.name()),
        });
    }
    let list = names.join(", ");
    let current: Vec<_> = names.iter().map(|name| format!("target.{name}")).collect();
    let fresh: Vec<_> = names.iter().map(|name| format!("EXCLUDED.{name}")).collect();
    let assignments: Vec<_> =
        names.iter().map(|name| format!("{name} = EXCLUDED.{name}")).collect();
    format!(
        "WITH input AS (SELECT * FROM unnest($1::bigint[], {parameters}) AS input (id, {list})), \
         fresh AS (SELECT input.id, {values} FROM input{joins}), \
         written AS (INSERT INTO {table} AS target (id, {list}, synced_at) \
           SELECT id, {list}, now() FROM fresh \
           ON CONFLICT (id) DO UPDATE SET {assignments}, deleted_at = NULL, synced_at = now() \
           WHERE ({current}) IS DISTINCT FROM ({fresh}) OR target.deleted_at IS NOT NULL \
           RETURNING xmax = 0 AS inserted), \
         missing AS ({missing}) \
         SELECT (SELECT count(*) FROM written WHERE inserted), \
                (SELECT count(*) FROM written WHERE NOT inserted)",
        parameters = parameters.join(", "),
        values = values.join(", "),
        assignments = assignments.join(", "),
        current = current.join(", "),
        fresh = fresh.join(", "),
        missing = missing(dataset, references, schema),
    )
}

/// The ids that a reference may point to; a table that refers to itself has those of this page too.
fn present_ids(dataset: &Dataset, reference: &Reference, schema: &str) -> String {
    let stored = format!("SELECT id FROM {}", qualified(schema, reference.table));
    match reference.table == dataset.table {
        true => format!("{stored} UNION SELECT id FROM input"),
        false => stored,
    }
}

/// Remembers the references that are not there.
fn missing(dataset: &Dataset, references: &[Reference], schema: &str) -> String {
    if references.is_empty() {
        return "SELECT WHERE false".into();
    }
    let lost: Vec<String> = references
        .iter()
        .map(|reference| {
            let column = ident(reference.column);
            format!(
                "SELECT input.id, {}, {}, input.{column} FROM input JOIN fresh ON fresh.id = input.id \
                 WHERE input.{column} IS NOT NULL AND fresh.{column} IS NULL",
                literal(reference.column),
                literal(reference.model),
            )
        })
        .collect();
    format!(
        "INSERT INTO {} AS known (target, row_id, column_name, odoo_model, missing_id) \
         SELECT {}, * FROM ({}) AS lost \
         ON CONFLICT (target, row_id, column_name) DO UPDATE SET missing_id = EXCLUDED.missing_id, \
           odoo_model = EXCLUDED.odoo_model, last_seen = now(), resolved_at = NULL, \
           attempts = known.attempts + 1",
        qualified(schema, MISSING_DATA),
        literal(dataset.table),
        lost.join(" UNION ALL "),
    )
}

/// Ids per referenced table that are neither there nor, in a table that refers to itself, in
/// this page.
fn absent(dataset: &Dataset, references: &[Reference], schema: &str) -> String {
    let parts: Vec<String> = references
        .iter()
        .enumerate()
        .map(|(index, reference)| {
            let own = match reference.table == dataset.table {
                true => " AND wanted.id <> ALL ($1::bigint[])",
                false => "",
            };
            format!(
                "SELECT {} AS parent, wanted.id FROM unnest(${}::bigint[]) AS wanted (id) \
                 WHERE wanted.id IS NOT NULL{own} \
                 AND NOT EXISTS (SELECT FROM {} AS there WHERE there.id = wanted.id)",
                literal(reference.table),
                index + 2,
                qualified(schema, reference.table),
            )
        })
        .collect();
    format!(
        "SELECT parent, array_agg(DISTINCT id ORDER BY id) FROM ({}) AS absent GROUP BY parent",
        parts.join(" UNION ALL ")
    )
}

/// Marks what was missing for these rows as resolved, unless this very statement's page
/// found it missing again.
fn resolve(dataset: &Dataset, references: &[Reference], schema: &str) -> String {
    let columns: Vec<_> = references.iter().map(|reference| literal(reference.column)).collect();
    format!(
        "UPDATE {} SET resolved_at = now() WHERE target = {} AND resolved_at IS NULL \
         AND row_id = ANY ($1::bigint[]) AND column_name IN ({}) AND last_seen < now()",
        qualified(schema, MISSING_DATA),
        literal(dataset.table),
        columns.join(", "),
    )
}

/// Restores the references to records that arrived after the rows that refer to them.
pub fn heal(schema: &str) -> Result<(), Failure> {
    let known = qualified(schema, MISSING_DATA);
    let open =
        format!("SELECT DISTINCT target, column_name FROM {known} WHERE resolved_at IS NULL");
    for (target, column) in pairs::<String>(&open)? {
        let reference =
            |dataset: &'static Dataset| dataset.references().find(|(name, _)| *name == column);
        let Some((_, parent)) = dataset(&target).and_then(reference) else {
            continue;
        };
        let (table, column_sql) = (qualified(schema, &target), ident(&column));
        let sql = format!(
            "WITH found AS (SELECT known.row_id, known.missing_id FROM {known} AS known \
               JOIN {parent} AS parent ON parent.id = known.missing_id \
               WHERE known.target = $1 AND known.column_name = $2 AND known.resolved_at IS NULL), \
             restored AS (UPDATE {table} AS target SET {column_sql} = found.missing_id, synced_at = now() \
               FROM found WHERE target.id = found.row_id AND target.{column_sql} IS NULL) \
             UPDATE {known} AS known SET resolved_at = now() FROM found \
               WHERE known.target = $1 AND known.column_name = $2 AND known.row_id = found.row_id",
            parent = qualified(schema, parent),
        );
        Spi::run_with_args(&sql, &[target.as_str().into(), column.as_str().into()])?;
    }
    // What was missing for a moment only, between two tables that refer to each other.
    Ok(Spi::run(&format!("DELETE FROM {known} WHERE first_seen = now() AND resolved_at = now()"))?)
}

/// How many references are missing, by table.
pub fn count_missing(schema: &str) -> Result<HashMap<String, i64>, Failure> {
    let known = qualified(schema, MISSING_DATA);
    let counts = pairs(&format!(
        "SELECT target, count(*) FROM {known} WHERE resolved_at IS NULL GROUP BY target"
    ))?;
    Ok(counts.into_iter().collect())
}

/// The rows of a query for a text and another value.
fn pairs<T: FromDatum + IntoDatum>(sql: &str) -> Result<Vec<(String, T)>, Failure> {
    Spi::connect(|client| {
        let mut pairs = Vec::new();
        for row in client.select(sql, None, &[])? {
            pairs.extend(row.get::<String>(1)?.zip(row.get::<T>(2)?));
        }
        Ok(pairs)
    })
}

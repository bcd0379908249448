//! Rows into a table: one statement per page, which writes only what differs.

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use super::reference::{Reference, references};
use super::tables::MISSING_DATA;
use super::transform::Rows;
use crate::failure::Failure;
use crate::odoo::Cells;
use crate::quote::{ident, literal};
use crate::warehouse::ddl::qualified;
use crate::warehouse::{self, Dataset, Source, SqlType};

/// What a page's statement did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    pub inserted: i64,
    pub updated: i64,
}

/// The statements that load a feed of a table, made once per run.
pub struct Loader {
    references: Vec<Reference>,
    upsert: String,
    /// Which ids of each referenced table are not there; `None` without references.
    absent: Option<String>,
    /// Forgets missing parents of rows whose reference is gone or has changed.
    resolve: Option<String>,
}

/// Ids that rows refer to and that are not in the warehouse.
pub struct Absent {
    pub dataset: &'static Dataset,
    pub feed: usize,
    pub ids: Vec<i64>,
}

impl Loader {
    pub fn new(dataset: &'static Dataset, feed: usize, schema: &str) -> Loader {
        let references = references(dataset, feed);
        let target = Target { dataset, feed, schema, references: &references };
        Loader {
            upsert: target.upsert(),
            absent: (!references.is_empty()).then(|| target.absent()),
            resolve: (!references.is_empty()).then(|| target.resolve()),
            references,
        }
    }

    /// The ids that the rows refer to and that are not in the warehouse.
    pub fn absent_parents(&self, rows: &Rows) -> Result<Vec<Absent>, Failure> {
        let Some(sql) = &self.absent else {
            return Ok(Vec::new());
        };
        let mut args = vec![rows.ids.clone().into()];
        args.extend(self.references.iter().map(|r| argument(&rows.columns[r.index])));
        Spi::connect(|client| {
            let mut absent: Vec<Absent> = Vec::new();
            for row in client.select(sql, None, &args)? {
                let (place, ids) = (row.get::<i32>(1)?, row.get::<Vec<i64>>(2)?);
                let reference = place.and_then(|place| self.references.get(place as usize));
                let parent = reference.and_then(|r| Some((r.parent()?, r.feed)));
                let (Some((dataset, feed)), Some(ids)) = (parent, ids) else {
                    continue;
                };
                let same = |known: &&mut Absent| {
                    known.dataset.table == dataset.table && known.feed == feed
                };
                match absent.iter_mut().find(same) {
                    Some(known) => known.ids.extend(ids),
                    None => absent.push(Absent { dataset, feed, ids }),
                }
            }
            Ok(absent)
        })
    }

    /// Writes the rows that are new or differ. `reason` says why Odoo gives no record of a feed,
    /// where that is known.
    pub fn load(
        &self,
        rows: &Rows,
        reason: impl Fn(&'static str, usize) -> Option<String>,
    ) -> Result<Loaded, Failure> {
        let mut args = vec![rows.ids.clone().into()];
        args.extend(rows.columns.iter().map(argument));
        if !self.references.is_empty() {
            let reasons = self.references.iter().map(|r| reason(r.table, r.feed));
            args.push(reasons.collect::<Vec<_>>().into());
        }
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
        _ => "text[]",
    }
}

/// What the statements are written for.
struct Target<'a> {
    dataset: &'static Dataset,
    feed: usize,
    schema: &'a str,
    references: &'a [Reference],
}

impl Target<'_> {
    /// `, 'pos' AS channel` in tables with channels.
    fn channel(&self) -> Option<String> {
        self.dataset.feeds[self.feed].channel.map(literal)
    }

    fn channel_or_none(&self) -> String {
        self.channel().unwrap_or_else(|| "''".into())
    }

    /// Rows that are as they should be are left out before the INSERT: it would lock them.
    fn upsert(&self) -> String {
        let table = qualified(self.schema, self.dataset.table);
        let key = self.dataset.key().join(", ");
        let loaded: Vec<_> = self.dataset.loaded_columns().collect();
        let loaded_names: Vec<_> = loaded.iter().map(|column| ident(column.name)).collect();
        let parameters: Vec<_> = loaded
            .iter()
            .enumerate()
            .map(|(index, column)| format!("${}::{}", index + 2, carrier(column.sql_type)))
            .collect();

        // The row as the expressions of corrected columns see it.
        let mut typed: Vec<_> = loaded
            .iter()
            .zip(&loaded_names)
            .map(|(column, name)| format!("input.{name}::{} AS {name}", column.sql_type.name()))
            .collect();
        typed.extend(self.channel().map(|channel| format!("{channel}::text AS channel")));
        let typed = typed.join(", ");

        let mut values = vec!["input.id".to_owned()];
        values.extend(self.channel().map(|channel| format!("{channel} AS channel")));
        let mut names = Vec::new();
        let mut joins = String::new();
        for column in self.dataset.value_columns() {
            let name = ident(column.name);
            let value = match column.source {
                Source::Generated(_) | Source::Refreshed(_) => continue,
                Source::Inherited { reference, column, .. } => {
                    format!("{}.{}", ident(&format!("parent {reference}")), ident(column))
                }
                Source::Reference { .. } => {
                    let parent = ident(&format!("parent {}", column.name));
                    let known = self.references.iter().find(|r| r.column == column.name);
                    let present = known
                        .map_or("SELECT NULL::bigint AS id WHERE false".into(), |r| {
                            self.present(r)
                        });
                    joins.push_str(&format!(
                        " LEFT JOIN ({present}) AS {parent} ON {parent}.id = input.{name}"
                    ));
                    format!("{parent}.id")
                }
                Source::Corrected { expression, .. } => {
                    format!("(SELECT {expression} FROM (SELECT {typed}) AS typed)")
                }
                _ => format!("input.{name}::{}", column.sql_type.name()),
            };
            values.push(format!("{value} AS {name}"));
            names.push(name);
        }
        let list = |format: &dyn Fn(&String) -> String| {
            names.iter().map(format).collect::<Vec<_>>().join(", ")
        };
        let (seen_again, again, present) = match self.dataset.kind {
            warehouse::Kind::Dimension => (
                ", deleted_at = NULL",
                " OR target.deleted_at IS NOT NULL",
                " AND target.deleted_at IS NULL",
            ),
            warehouse::Kind::Fact => ("", "", ""),
        };
        let same_key: Vec<_> =
            self.dataset.key().iter().map(|name| format!("target.{name} = fresh.{name}")).collect();
        format!(
            "WITH input AS (SELECT * FROM unnest($1::bigint[], {parameters}) AS input (id, {inputs})), \
             fresh AS (SELECT {values} FROM input{joins}), \
             written AS (INSERT INTO {table} AS target ({key}, {columns}, synced_at) \
               SELECT {key}, {columns}, clock_timestamp() FROM fresh \
               WHERE NOT EXISTS (SELECT FROM {table} AS target WHERE {same_key} \
                 AND ({current}) IS NOT DISTINCT FROM ({fresh}){present}) \
               ON CONFLICT ({key}) DO UPDATE SET {assignments}{seen_again}, synced_at = clock_timestamp() \
               WHERE ({current}) IS DISTINCT FROM ({excluded}){again} \
               RETURNING xmax = 0 AS inserted), \
             missing AS ({missing}) \
             SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written",
            parameters = parameters.join(", "),
            inputs = loaded_names.join(", "),
            values = values.join(", "),
            columns = names.join(", "),
            assignments = list(&|name| format!("{name} = EXCLUDED.{name}")),
            current = list(&|name| format!("target.{name}")),
            excluded = list(&|name| format!("EXCLUDED.{name}")),
            fresh = list(&|name| format!("fresh.{name}")),
            same_key = same_key.join(" AND "),
            missing = self.missing(),
        )
    }

    /// The rows that a reference may point to, with the columns that others inherit from them.
    /// A table that refers to itself has those of this page too.
    fn present(&self, reference: &Reference) -> String {
        let inherited = self.dataset.columns.iter().filter_map(|column| match column.source {
            Source::Inherited { reference: own, column, .. } if own == reference.column => {
                Some(format!(", there.{}", ident(column)))
            }
            _ => None,
        });
        let stored = format!(
            "SELECT there.id{} FROM {} AS there WHERE {}",
            inherited.collect::<String>(),
            qualified(self.schema, reference.table),
            reference.of_feed("there"),
        );
        match reference.points_to(self.dataset, self.feed) {
            true => format!("{stored} UNION SELECT id FROM input"),
            false => stored,
        }
    }

    /// Remembers the references that are not there.
    fn missing(&self) -> String {
        if self.references.is_empty() {
            return "SELECT WHERE false".into();
        }
        // The reasons come after the ids and the columns.
        let reasons = self.dataset.loaded_columns().count() + 2;
        let lost = self.references.iter().enumerate().map(|(place, reference)| {
            let column = ident(reference.column);
            format!(
                "SELECT input.id, {}, {}, input.{column}, (${reasons}::text[])[{}] \
                 FROM input JOIN fresh ON fresh.id = input.id \
                 WHERE input.{column} IS NOT NULL AND fresh.{column} IS NULL",
                literal(reference.column),
                literal(reference.model()),
                place + 1,
            )
        });
        format!(
            "INSERT INTO {} AS known (target, channel, row_id, column_name, odoo_model, missing_id, last_error) \
             SELECT {}, {}, * FROM ({}) AS lost \
             ON CONFLICT (target, channel, row_id, column_name) DO UPDATE SET \
               missing_id = EXCLUDED.missing_id, odoo_model = EXCLUDED.odoo_model, \
               last_error = EXCLUDED.last_error, last_seen = now(), resolved_at = NULL, attempts = known.attempts + 1",
            qualified(self.schema, MISSING_DATA),
            literal(self.dataset.table),
            self.channel_or_none(),
            lost.collect::<Vec<_>>().join(" UNION ALL "),
        )
    }

    /// For each reference, by its place, the ids that are neither there nor in this page.
    fn absent(&self) -> String {
        let parts = self.references.iter().enumerate().map(|(place, reference)| {
            let own = match reference.points_to(self.dataset, self.feed) {
                true => " AND wanted.id <> ALL ($1::bigint[])",
                false => "",
            };
            format!(
                "SELECT {place} AS place, wanted.id FROM unnest(${}::bigint[]) AS wanted (id) \
                 WHERE wanted.id IS NOT NULL{own} \
                 AND NOT EXISTS (SELECT FROM {} AS there WHERE there.id = wanted.id AND {})",
                place + 2,
                qualified(self.schema, reference.table),
                reference.of_feed("there"),
            )
        });
        format!(
            "SELECT place, array_agg(DISTINCT id ORDER BY id) FROM ({}) AS absent GROUP BY place ORDER BY place",
            parts.collect::<Vec<_>>().join(" UNION ALL ")
        )
    }

    /// Marks what was missing for these rows as resolved, unless it was found missing again
    /// just now.
    fn resolve(&self) -> String {
        format!(
            "UPDATE {} SET resolved_at = now() WHERE target = {} AND channel = {} \
             AND resolved_at IS NULL AND row_id = ANY ($1::bigint[]) AND last_seen < now()",
            qualified(self.schema, MISSING_DATA),
            literal(self.dataset.table),
            self.channel_or_none(),
        )
    }
}

/// Brings the columns that depend on today's date up to date, where they differ.
pub fn refresh(dataset: &Dataset, schema: &str) -> Result<(), Failure> {
    let columns: Vec<(String, &str)> = dataset
        .columns
        .iter()
        .filter_map(|column| match column.source {
            Source::Refreshed(expression) => Some((ident(column.name), expression)),
            _ => None,
        })
        .collect();
    if columns.is_empty() {
        return Ok(());
    }
    let list = |format: &dyn Fn(&(String, &str)) -> String| {
        columns.iter().map(format).collect::<Vec<_>>().join(", ")
    };
    Ok(Spi::run(&format!(
        "UPDATE {} SET {} WHERE ({}) IS DISTINCT FROM ({})",
        qualified(schema, dataset.table),
        list(&|(name, expression)| format!("{name} = {expression}")),
        list(&|(name, _)| name.clone()),
        list(&|(_, expression)| (*expression).to_owned()),
    ))?)
}

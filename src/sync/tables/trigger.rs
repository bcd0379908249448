//! The trigger that marks rows which somebody edits: it is made again where it is missing, as after
//! DROP EXTENSION. What was edited meanwhile left no trace, so all rows of such a table are in doubt
//! until they are read again.

use std::time::SystemTime;

use pgrx::prelude::*;

use crate::failure::Failure;
use crate::query;
use crate::server::Server;
use crate::state::store::Extension;
use crate::sync::load::owner::Table;
use crate::sync::mapping::feed::Plan;
use crate::sync::run::driver::Run;
use crate::warehouse::Dataset;
use crate::warehouse::ddl::{self, EDITED_TRIGGER};

const TABLE: &str = "unwatched";

/// The tables `$2` of a schema `$1`, with their trigger `$3` if they have one.
const TABLES: &str = "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    AND n.nspname = $1 AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'p') \
    LEFT JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND t.tgname = $3";

/// Makes the triggers of tables that have none. Returns the tables.
pub fn watch(
    extension: &Extension,
    server: &Server,
    datasets: &[&'static Dataset],
) -> Result<Vec<String>, Failure> {
    let schema = server.options.schema.as_str();
    let tables = missing(schema, datasets)?;
    for dataset in datasets.iter().filter(|dataset| tables.iter().any(|t| t == dataset.table)) {
        make(dataset, schema, extension)?;
        doubt(extension, server, dataset)?;
    }
    Ok(tables)
}

/// Makes a table's trigger as the table's owner, who had it before: that needs no privilege of the
/// caller's.
fn make(dataset: &Dataset, schema: &str, extension: &Extension) -> Result<(), Failure> {
    let statements = ddl::edited_trigger(dataset, schema, &extension.function("row_edited"));
    let run = || Ok(statements.iter().try_for_each(|statement| Spi::run(statement))?);
    Table::new(schema, dataset.table).run(&[], run)
}

/// The tables of a schema that lack the trigger.
pub fn missing(schema: &str, datasets: &[&'static Dataset]) -> Result<Vec<String>, Failure> {
    tables(schema, datasets, "t.oid IS NULL")
}

/// Those whose trigger somebody has disabled. That is left to him.
pub fn disabled(schema: &str, datasets: &[&'static Dataset]) -> Result<Vec<String>, Failure> {
    tables(schema, datasets, "t.tgenabled = 'D'")
}

fn tables(
    schema: &str,
    datasets: &[&'static Dataset],
    condition: &str,
) -> Result<Vec<String>, Failure> {
    let sql = format!("SELECT array_agg(c.relname::text) FROM {TABLES} WHERE {condition}");
    let names: Vec<String> = datasets.iter().map(|dataset| dataset.table.to_owned()).collect();
    let args = [schema.into(), names.into(), EDITED_TRIGGER.into()];
    Ok(query::ask::<Vec<String>>(&sql, &args)?.unwrap_or_default())
}

/// Remembers that a table's rows may have been edited unseen.
fn doubt(extension: &Extension, server: &Server, dataset: &Dataset) -> Result<(), Failure> {
    if !extension.has(TABLE)? {
        return Ok(());
    }
    let channels = dataset.feeds.iter().map(|feed| feed.channel.unwrap_or_default().to_owned());
    let sql = format!(
        "INSERT INTO {} (server, target, channel) SELECT $1, $2, unnest($3::text[]) \
         ON CONFLICT (server, target, channel) DO UPDATE SET since = now()",
        extension.table(TABLE)
    );
    let args =
        [server.name.as_str().into(), dataset.table.into(), channels.collect::<Vec<_>>().into()];
    extension.write(&sql, &args)
}

impl Run {
    /// Whether rows of a feed may have been edited unseen.
    pub(in crate::sync) fn is_in_doubt(&self, plan: &Plan) -> Result<bool, Failure> {
        if !self.extension.has(TABLE)? {
            return Ok(false);
        }
        let sql = format!(
            "SELECT 1 FROM {} WHERE server = $1 AND target = $2 AND channel = $3",
            self.extension.table(TABLE)
        );
        let args = [self.server.name.as_str().into(), plan.table().into(), plan.channel().into()];
        Ok(!self.extension.read(&sql, &args, |row| row.get::<i32>(1))?.is_empty())
    }

    /// After all rows of a feed were read, from `started` on: they are in no doubt.
    pub(in crate::sync) fn vouch(&self, plan: &Plan, started: SystemTime) -> Result<(), Failure> {
        if !self.is_in_doubt(plan)? {
            return Ok(());
        }
        let sql = format!(
            "DELETE FROM {} WHERE server = $1 AND target = $2 AND channel = $3 AND since < to_timestamp($4)",
            self.extension.table(TABLE)
        );
        let started = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let args = [
            self.server.name.as_str().into(),
            plan.table().into(),
            plan.channel().into(),
            started.as_secs_f64().into(),
        ];
        self.extension.write(&sql, &args)
    }
}

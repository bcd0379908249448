//! The trigger that marks rows which somebody edits: it is made again where it is missing, as after
//! DROP EXTENSION. What was edited meanwhile left no trace, so all rows of such a table are in doubt
//! until they are read again.

use pgrx::prelude::*;

use crate::failure::Failure;
use crate::query;
use crate::server::Server;
use crate::state::Store;
use crate::sync::load::owner::Table;
use crate::warehouse::Dataset;
use crate::warehouse::ddl::{self, EDITED_TRIGGER};

/// The tables `$2` of a schema `$1`, with their trigger `$3` if they have one.
const TABLES: &str = "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    AND n.nspname = $1 AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'p') \
    LEFT JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND t.tgname = $3";

/// Makes the triggers of tables that have none. Returns the tables.
pub fn watch(
    store: &Store,
    server: &Server,
    datasets: &[&'static Dataset],
) -> Result<Vec<String>, Failure> {
    let schema = server.options.schema.as_str();
    let tables = missing(schema, datasets)?;
    for dataset in datasets.iter().filter(|dataset| tables.iter().any(|t| t == dataset.table)) {
        make(dataset, schema, store)?;
        let channels = dataset.feeds.iter().map(|feed| feed.channel_or_none().to_owned());
        store.note_unwatched(&server.name, dataset.table, channels.collect())?;
    }
    Ok(tables)
}

/// Makes a table's trigger as the table's owner, who had it before: that needs no privilege of the
/// caller's.
fn make(dataset: &Dataset, schema: &str, store: &Store) -> Result<(), Failure> {
    let statements = ddl::edited_trigger(dataset, schema, &store.function("row_edited"));
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

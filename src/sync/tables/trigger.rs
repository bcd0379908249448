//! The trigger that marks rows which somebody edits: it is made again where it is missing, as after
//! DROP EXTENSION. What was edited meanwhile left no trace, so all rows of such a table are in doubt
//! until they are read again. Where a table's engine has no triggers, edits are not seen.

use pgrx::prelude::*;

use crate::failure::Failure;
use crate::query;
use crate::server::Server;
use crate::state::Store;
use crate::sync::load::owner::Table;
use crate::sync::load::refused;
use crate::warehouse::Dataset;
use crate::warehouse::ddl::{self, EDITED_TRIGGER};

/// The tables `$2` of a schema `$1`, with their trigger `$3` if they have one.
const TABLES: &str = "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    AND n.nspname = $1 AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'p') \
    LEFT JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND t.tgname = $3";

/// What to do about a table whose edits are not seen.
pub const UNSEEN: &str = "Rows that somebody edits are not known to be; a run with full_refresh => true puts them right.";

/// Makes the triggers of tables that have none. Returns the tables.
pub fn watch(
    store: &Store,
    server: &Server,
    datasets: &[&'static Dataset],
) -> Result<Vec<String>, Failure> {
    let tables = to_be_made(store, server, datasets)?;
    let mut made = Vec::new();
    for dataset in datasets.iter().filter(|dataset| tables.iter().any(|t| t == dataset.table)) {
        if make(store, server, dataset)? {
            let channels = dataset.feeds.iter().map(|feed| feed.channel_or_none().to_owned());
            store.note_unwatched(&server.name, dataset.table, channels.collect())?;
            made.push(dataset.table.to_owned());
        }
    }
    Ok(made)
}

/// The tables that lack the trigger, but for those whose engine has refused it.
pub fn to_be_made(
    store: &Store,
    server: &Server,
    datasets: &[&'static Dataset],
) -> Result<Vec<String>, Failure> {
    let schema = server.options.schema.as_str();
    let mut tables = missing(schema, datasets)?;
    if !tables.is_empty() {
        let without = store.known_to_lack(&server.name, schema, EDITED_TRIGGER)?;
        tables.retain(|table| !without.contains(table));
    }
    Ok(tables)
}

/// Makes the trigger of a table that got new columns.
pub fn renew(store: &Store, server: &Server, dataset: &Dataset) -> Result<(), Failure> {
    let without = store.known_to_lack(&server.name, &server.options.schema, EDITED_TRIGGER)?;
    match without.iter().any(|table| table == dataset.table) {
        true => Ok(()),
        false => make(store, server, dataset).map(drop),
    }
}

/// Makes a table's trigger as the table's owner, who had it before: that needs no privilege of the
/// caller's. `false` if the table's engine refuses it.
fn make(store: &Store, server: &Server, dataset: &Dataset) -> Result<bool, Failure> {
    let schema = server.options.schema.as_str();
    let statements = ddl::edited_trigger(dataset, schema, &store.function("row_edited"));
    let run = || Ok(statements.iter().try_for_each(|statement| Spi::run(statement))?);
    let make = || Table::new(schema, dataset.table).run(&[], run);
    refused::unless(schema, dataset, EDITED_TRIGGER, UNSEEN, make)
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

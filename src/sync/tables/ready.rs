//! The warehouse's tables: made where they are missing, completed where they are older, and
//! left alone in everything else.

use std::collections::{HashMap, HashSet};

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use crate::failure::Failure;
use crate::query;
use crate::quote::ident;
use crate::server::Server;
use crate::state::Store;
use crate::sync::load::deletes;
use crate::sync::load::first_load::{is_bare, is_keyed};
use crate::sync::load::owner::Table;
use crate::sync::load::partitions::making::Partitions;
use crate::sync::load::patience::patiently;
use crate::sync::load::privileges;
use crate::sync::load::refused;
use crate::sync::tables::columns::{Columns, Existing, existing, lock};
use crate::sync::tables::history;
use crate::sync::tables::moved;
use crate::sync::tables::partition::retain::LetGo;
use crate::sync::tables::trigger;
use crate::warehouse::ddl::{self, Layout, On};
use crate::warehouse::deleted::ODOO_DELETED;
use crate::warehouse::missing::MISSING_DATA;
use crate::warehouse::own::{OWN_TABLES, own_tables};
use crate::warehouse::{Dataset, Source, SqlType, Warehouse};

/// Widths of text columns that the user narrowed, by table and column.
pub type Widths = HashMap<(String, String), usize>;

/// The tables, ready to be loaded.
#[derive(Default)]
pub struct Ready {
    pub widths: Widths,
    /// Tables that are not, and why: that is no other table's trouble.
    pub broken: HashMap<&'static str, Failure>,
    /// Tables that get their foreign keys and indexes when they are loaded.
    pub first_loads: HashSet<String>,
    /// Ids that were let go.
    pub let_go: LetGo,
}

/// Makes a server's tables ready. What was made anew, or completed, is read in full by the next
/// run.
pub fn make_ready(warehouse: &Warehouse, store: &Store, server: &Server) -> Result<Ready, Failure> {
    let schema = server.options.schema.as_str();
    if store.owns(schema) {
        return Err(not_for_a_warehouse(server));
    }
    let mut ready = Ready::default();
    let declared: Vec<_> = warehouse.declared().collect();
    let mut moved = moved::moved(store, server)?;
    let own = declared.iter().map(|dataset| dataset.table).chain(own_tables());
    if let Some(failure) = own.filter_map(|table| moved.remove(table)).next() {
        return Err(failure);
    }
    let mut found = existing(schema)?;
    for dataset in &declared {
        found.get(dataset.table).map_or(Ok(()), |own| refuse_others(server, dataset, own))?;
    }
    // Before all others: tables that get new columns get the trigger too.
    let mut made = trigger::watch(store, server, &declared)?;
    note_bare(&declared, &found, store, server)?;
    let has_all = own_tables().all(|own| Table::new(schema, own).exists());
    if !has_all || !is_complete(&declared, &found) {
        made.extend(make(&declared, store, server)?);
        found = existing(schema)?;
    }
    declared.iter().try_for_each(|dataset| ready.take(schema, dataset, &found))?;
    for mirror in warehouse.mirrors() {
        let done = match moved.remove(mirror.table) {
            Some(failure) => Err(failure),
            None => complete_mirror(mirror, store, server, &found).and_then(|new| {
                let is_as_found = new.is_empty();
                made.extend(new);
                match is_as_found {
                    true => ready.take(schema, mirror, &found),
                    false => ready.take(schema, mirror, &existing(schema)?),
                }
            }),
        };
        if let Err(failure) = done {
            ready.broken.insert(mirror.table, failure);
        }
    }
    ready.broken.extend(history::make_ready(warehouse, store, server)?);
    ready.first_loads = store.first_loads(&server.name)?;
    ready.let_go = LetGo::of_server(store, server)?;
    moved::note(store, server, warehouse, &ready.first_loads)?;
    if !made.is_empty() {
        store.forget_watermarks(&server.name, &made)?;
        store.cache(&server.name)?.forget_values(&made)?;
    }
    Ok(ready)
}

/// Remembers again the tables that an interrupted first load left, where the notes are gone: the
/// extension was made anew, or the server forgotten.
fn note_bare(
    declared: &[&'static Dataset],
    found: &Existing,
    store: &Store,
    server: &Server,
) -> Result<(), Failure> {
    if !store.is_unread(&server.name)? {
        return Ok(());
    }
    let mut bare = Vec::new();
    for dataset in declared.iter().filter(|dataset| found.contains_key(dataset.table)) {
        if is_keyed(dataset) && is_bare(&server.options.schema, dataset)? {
            bare.push(dataset.table);
        }
    }
    store.begin_first_loads(&server.name, &bare)
}

impl Ready {
    /// Looks at the columns that a table has.
    fn take(&mut self, schema: &str, dataset: &Dataset, found: &Existing) -> Result<(), Failure> {
        let columns = found.get(dataset.table);
        for (name, sql_type) in dataset.all_columns() {
            let Some(actual) = columns.and_then(|columns| columns.get(name)) else {
                continue;
            };
            if !compatible(sql_type, actual) {
                return Err(incompatible(schema, dataset, name, sql_type, actual));
            }
            if let Some(width) = width(actual) {
                self.widths.insert((dataset.table.to_owned(), name.to_owned()), width);
            }
        }
        Ok(())
    }
}

/// Makes a mirror's table, its columns or its trigger, unless that takes long.
fn complete_mirror(
    mirror: &'static Dataset,
    store: &Store,
    server: &Server,
    found: &Existing,
) -> Result<Vec<String>, Failure> {
    let is_complete = is_complete(&[mirror], found);
    if is_complete && trigger::to_be_made(store, server, &[mirror])?.is_empty() {
        return Ok(Vec::new());
    }
    patiently(|| {
        let mut made = trigger::watch(store, server, &[mirror])?;
        if !is_complete {
            made.extend(make_mirror(mirror, store, server)?);
        }
        Ok(made)
    })
}

fn make_mirror(
    mirror: &'static Dataset,
    store: &Store,
    server: &Server,
) -> Result<Vec<String>, Failure> {
    match store.has_mirror(&server.name, mirror.table)? {
        true => make(&[mirror], store, server),
        false => Ok(Vec::new()),
    }
}

/// Whether a table's columns, if it is there, can take what is loaded.
pub fn check_columns(schema: &str, dataset: &Dataset, found: &Existing) -> Result<(), Failure> {
    Ready::default().take(schema, dataset, found)
}

fn is_complete(datasets: &[&Dataset], found: &Existing) -> bool {
    datasets.iter().all(|dataset| {
        found.get(dataset.table).is_some_and(|columns| {
            dataset.all_columns().iter().all(|(name, _)| columns.contains_key(*name))
        })
    })
}

/// The extension's tables go with it; those of a warehouse stay.
fn not_for_a_warehouse(server: &Server) -> Failure {
    Failure::new(
        State::ERRCODE_INVALID_PARAMETER_VALUE,
        format!("schema \"{}\" is the extension's own", server.options.schema),
    )
    .detail("DROP EXTENSION would drop the tables of a warehouse in it.")
    .hint(format!(
        "Name another one: ALTER SERVER {} OPTIONS (SET schema '…');",
        ident(&server.name)
    ))
}

/// Makes the schema and what is missing of some tables in it, all that are declared at once. New
/// ones have their primary key alone until they are loaded. Returns the tables that are new or
/// have new columns.
fn make(
    datasets: &[&'static Dataset],
    store: &Store,
    server: &Server,
) -> Result<Vec<String>, Failure> {
    let schema = server.options.schema.as_str();
    lock(schema)?;
    let found = existing(schema)?;
    let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)";
    if Spi::get_one_with_args(sql, &[schema.into()])? != Some(true) {
        run(&format!("CREATE SCHEMA {}", ident(schema)))?;
    }
    for own in OWN_TABLES.iter().filter(|own| !Table::new(schema, own.name).exists()) {
        run(&(own.create)(schema))?;
    }
    if !found.contains_key(ODOO_DELETED) {
        // In a warehouse of before whoever may write the one may write the other.
        privileges::copy(schema, MISSING_DATA, ODOO_DELETED)?;
    }
    let is_new = |table: &str| !found.contains_key(table);
    let keyed = datasets.iter().filter(|dataset| is_new(dataset.table) && is_keyed(dataset));
    let keyed: Vec<_> = keyed.map(|dataset| dataset.table).collect();
    store.begin_first_loads(&server.name, &keyed)?;
    let first_loads = store.first_loads(&server.name)?;
    // Columns of new tables, and new columns of others.
    let mut made: HashSet<(&str, &str)> = HashSet::new();
    for dataset in datasets {
        let there = found.get(dataset.table);
        let is_there = |name: &str| there.is_some_and(|columns| columns.contains_key(name));
        let names = dataset.all_columns().into_iter().map(|(name, _)| name);
        let new: Vec<_> = names.filter(|name| !is_there(name)).collect();
        match there {
            None => create(dataset, store, server)?,
            Some(_) if new.is_empty() => {}
            Some(_) => {
                announce(schema, dataset, &new)?;
                alter(schema, dataset, &ddl::add_columns(dataset, &new, schema))?;
            }
        }
        made.extend(new.into_iter().map(|name| (dataset.table, name)));
    }
    for dataset in datasets {
        let on = On { schema, name: dataset.table };
        let is_for_later = first_loads.contains(dataset.table);
        let is_completed = made.iter().any(|(table, _)| *table == dataset.table);
        for column in dataset.value_columns() {
            let key = ddl::foreign_key(dataset, column, schema, on);
            let (mut key_to_make, mut index) = (None, None);
            if made.contains(&(dataset.table, column.name)) {
                (key_to_make, index) = (key, ddl::index(dataset, column, on));
            } else if let Some(key) = key.filter(|_| column.refers_to().is_some_and(is_new)) {
                // DROP TABLE … CASCADE of the parent took the key along, or it leads to a table
                // that was let go. The references are restored when the rows are back.
                let reason = "the table was dropped by hand";
                deletes::release_absent(schema, dataset, column, reason)?;
                alter(schema, dataset, &ddl::drop_foreign_key(dataset, column, on))?;
                key_to_make = Some(key);
            } else if is_completed {
                // Tables of the first release have the column without it.
                index = ddl::day_index(dataset, column, on);
            }
            if is_for_later {
                continue;
            }
            if let Some(sql) = key_to_make {
                let name = ddl::foreign_key_name(dataset, column);
                let make = || alter(schema, dataset, &sql);
                refused::unless(schema, dataset, &name, "", make)?;
            }
            if let Some(sql) = index {
                alter(schema, dataset, &sql)?;
            }
        }
        if is_completed {
            for sql in ddl::comments(dataset, schema) {
                alter(schema, dataset, &sql)?;
            }
            trigger::renew(store, server, dataset)?;
        }
    }
    let mut tables: Vec<String> = made.into_iter().map(|(table, _)| table.to_owned()).collect();
    tables.sort_unstable();
    tables.dedup();
    Ok(tables)
}

/// Makes a table, with its first partition if it is to be in partitions.
fn create(dataset: &Dataset, store: &Store, server: &Server) -> Result<(), Failure> {
    let schema = server.options.schema.as_str();
    let Some(rows) = store.rows_in_partition(&server.name, dataset.table)? else {
        return run(&ddl::create_table(dataset, schema, Layout::Plain));
    };
    run(&ddl::create_table(dataset, schema, Layout::Partitioned))?;
    Partitions::new(schema, dataset.table).begin(rows)
}

/// Makes sure that a table which is there is one that a sync may fill, which says of each row when it was
/// written: the rows of another one would be overwritten and deleted.
pub fn refuse_others(server: &Server, dataset: &Dataset, columns: &Columns) -> Result<(), Failure> {
    if columns.contains_key("synced_at") {
        return Ok(());
    }
    let table = ddl::qualified(&server.options.schema, dataset.table);
    Err(Failure::new(
        State::ERRCODE_DUPLICATE_TABLE,
        format!("relation {table} already exists"),
    )
    .detail("A sync fills a table of that name. It has not made this one, which has no column synced_at.")
    .hint(format!(
        "Move it out of the way: ALTER TABLE {table} RENAME TO …; or have the server's tables in a schema of their own: \
         ALTER SERVER {} OPTIONS (ADD schema '…');",
        ident(&server.name)
    )))
}

/// Says what columns that are declared cost a table that was made without them.
fn announce(schema: &str, dataset: &Dataset, new: &[&str]) -> Result<(), Failure> {
    let is_declared = |name: &&&str| {
        let source = dataset.column(name).map(|column| column.source);
        !matches!(source, Some(Source::Added(_) | Source::Kept(_)))
    };
    let declared: Vec<_> = new.iter().filter(is_declared).copied().collect();
    if declared.is_empty() {
        return Ok(());
    }
    let table = ddl::qualified(schema, dataset.table);
    let is_generated = |name: &&str| {
        matches!(dataset.column(name).map(|column| column.source), Some(Source::Generated(_)))
    };
    let generated: Vec<_> = declared.iter().copied().filter(is_generated).collect();
    let notice = Failure::new(
        State::ERRCODE_SUCCESSFUL_COMPLETION,
        format!("table {table} gets new columns, and all its records are read again"),
    );
    let columns = format!("Columns: {}.", declared.join(", "));
    if generated.is_empty() {
        notice.detail(columns).notice();
        return Ok(());
    }
    let size =
        "SELECT pg_size_pretty(sum(pg_table_size(relid))) FROM pg_partition_tree(to_regclass($1))";
    let size = query::ask::<String>(size, &[table.into()])?.unwrap_or_default();
    let rewrite = format!(
        "PostgreSQL writes the table ({size}) anew now, locked, for those that are generated: {}.",
        generated.join(", ")
    );
    notice.detail(columns).and_detail(&rewrite).notice();
    Ok(())
}

fn run(statement: &str) -> Result<(), Failure> {
    Ok(Spi::run(statement)?)
}

/// Changes a table as its owner: a column that is added may have every row written again.
fn alter(schema: &str, dataset: &Dataset, statement: &str) -> Result<(), Failure> {
    Table::new(schema, dataset.table).alter(|| run(statement))
}

/// Whether a column can take the values. Users may narrow texts and fix a number's scale.
fn compatible(expected: SqlType, actual: &str) -> bool {
    match expected {
        SqlType::Text => actual == "text" || actual.starts_with("character varying"),
        SqlType::Numeric => actual.starts_with("numeric"),
        _ => actual == expected.name(),
    }
}

/// The n of `character varying(n)`.
fn width(actual: &str) -> Option<usize> {
    actual.strip_prefix("character varying(")?.strip_suffix(')')?.parse().ok()
}

fn incompatible(
    schema: &str,
    dataset: &Dataset,
    column: &str,
    expected: SqlType,
    actual: &str,
) -> Failure {
    let table = ddl::qualified(schema, dataset.table);
    Failure::new(
        State::ERRCODE_DATATYPE_MISMATCH,
        format!(
            "column \"{column}\" of table {table} has type {actual}, expected {}",
            expected.name()
        ),
    )
    .hint(format!(
        "ALTER TABLE {table} ALTER COLUMN {} TYPE {}; or move the table out of the way.",
        ident(column),
        expected.name()
    ))
}

//! The tables of histories: made beside the tables whose past they keep, seeded with what these have,
//! and completed with the columns that they get.

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use crate::failure::{Failure, notice};
use crate::pg::{self, Relation};
use crate::query;
use crate::quote::ident;
use crate::server::Server;
use crate::state::Store;
use crate::sync::load::deletes::of_feed;
use crate::sync::load::own::history::{self as versions, Versions};
use crate::sync::load::owner::{self, Table};
use crate::sync::load::patience::patiently;
use crate::sync::load::privileges;
use crate::sync::load::references::references;
use crate::sync::tables::columns::{existing, lock};
use crate::warehouse::ddl::qualified;
use crate::warehouse::history;
use crate::warehouse::missing::{self, MISSING_DATA};
use crate::warehouse::{Dataset, Warehouse};

/// Makes the histories of a server's tables ready. Returns the tables of which that failed, and why.
pub fn make_ready(
    warehouse: &Warehouse,
    store: &Store,
    server: &Server,
) -> Result<Vec<(&'static str, Failure)>, Failure> {
    let (kept, mut broken) = (store.histories(&server.name)?, Vec::new());
    if kept.is_empty() {
        return Ok(broken);
    }
    let found = existing(&server.options.schema)?;
    for dataset in kept.iter().filter_map(|target| warehouse.dataset(target)) {
        let history = found.get(&history::table_of(dataset.table));
        let is_complete =
            history.is_some_and(|own| history::columns(dataset).all(|name| own.contains_key(name)));
        if !is_complete
            && found.contains_key(dataset.table)
            && let Err(failure) = patiently(|| complete(store, server, dataset))
        {
            broken.push((dataset.table, failure));
        }
    }
    Ok(broken)
}

/// Gives a history the columns that its table got, or makes it again.
fn complete(store: &Store, server: &Server, dataset: &'static Dataset) -> Result<(), Failure> {
    let schema = server.options.schema.as_str();
    lock(schema)?;
    let name = history::table_of(dataset.table);
    let Some(columns) = existing(schema)?.remove(&name) else {
        notice!("{name} is not there and made again, with what {} has now", dataset.table);
        return make(store, server, dataset);
    };
    let lacking: Vec<_> =
        history::columns(dataset).filter(|column| !columns.contains_key(*column)).collect();
    let own = Table::new(schema, &name);
    for statement in lacking.iter().flat_map(|name| history::add_column(dataset, name, schema)) {
        own.alter(|| Ok(Spi::run(&statement)?))?;
    }
    // Their values come into the versions that there are.
    let is_new = |name: &&'static str| lacking.contains(name);
    let new = history::versioned(dataset).map(|column| column.name).filter(is_new);
    let new: Vec<String> = new.map(str::to_owned).collect();
    let sql = format!(
        "UPDATE {} SET unknown_columns = unknown_columns || $1 WHERE is_current AND $1 <> '{{}}'",
        qualified(schema, &name)
    );
    own.alter(|| Ok(Spi::run_with_args(&sql, &[new.into()])?))
}

/// Makes the history of a table, which belongs to the table's owner, and seeds it.
pub fn make(store: &Store, server: &Server, dataset: &'static Dataset) -> Result<(), Failure> {
    let schema = server.options.schema.as_str();
    require_create(schema, dataset)?;
    let statements = history::create_table(dataset, schema);
    Table::new(schema, dataset.table)
        .alter(|| Ok(statements.iter().try_for_each(|statement| Spi::run(statement))?))?;
    privileges::copy(schema, dataset.table, &history::table_of(dataset.table))?;
    seed(store, server, dataset)
}

/// Goes on with a history that was made before, and not kept for a while.
pub fn resume(store: &Store, server: &Server, dataset: &'static Dataset) -> Result<(), Failure> {
    let schema = server.options.schema.as_str();
    complete(store, server, dataset)?;
    versions::require(schema, dataset)?;
    versions::end_absent(schema, dataset, &of_feed(dataset, 0, "row"))?;
    seed(store, server, dataset)
}

/// Whether a table's history is there, as one that was made before.
pub fn is_ours(schema: &str, dataset: &Dataset) -> Result<bool, Failure> {
    let sql = "SELECT pg_catalog.obj_description(to_regclass($1), 'pg_class') = $2";
    let table = qualified(schema, &history::table_of(dataset.table));
    query::is_true(sql, &[table.into(), history::table_comment(dataset).into()])
}

/// Begins the versions of the rows that a table has.
fn seed(store: &Store, server: &Server, dataset: &'static Dataset) -> Result<(), Failure> {
    let schema = server.options.schema.as_str();
    let references = references(dataset, 0);
    let versions = Versions {
        dataset,
        schema,
        references: &references,
        carried_from: "fresh",
        clock: "now()",
    };
    let sql = versions.seed(&of_feed(dataset, 0, "row"));
    let (rows, columns, ids) = missing_of(schema, dataset)?;
    let unknown = store.unknown_columns(&server.name, dataset.table)?;
    let args = [rows.into(), columns.into(), ids.into(), unknown.into()];
    let seed = || Ok(Spi::run_with_args(&sql, &args)?);
    Table::new(schema, dataset.table).run(owner::LOAD, seed)
}

/// What rows lack of references: rows, columns and ids.
type Missing = (Vec<i64>, Vec<String>, Vec<i64>);

/// What rows of a table lack.
fn missing_of(schema: &str, dataset: &Dataset) -> Result<Missing, Failure> {
    let sql = format!(
        "SELECT coalesce(array_agg(row_id), '{{}}'), coalesce(array_agg(column_name), '{{}}'), \
           coalesce(array_agg(missing_id), '{{}}') FROM {} AS known WHERE {} AND resolved_at IS NULL",
        qualified(schema, MISSING_DATA),
        missing::condition(dataset.table, &dataset.feeds[0], "known"),
    );
    let ask = || {
        Spi::connect(|client| {
            let found = client.select(&sql, None, &[])?.first();
            Ok((
                found.get(1)?.unwrap_or_default(),
                found.get(2)?.unwrap_or_default(),
                found.get(3)?.unwrap_or_default(),
            ))
        })
    };
    Table::missing(schema).run(owner::READ, ask)
}

/// Makes sure that the owner of a table may make another one beside it.
fn require_create(schema: &str, dataset: &Dataset) -> Result<(), Failure> {
    let Some(relation) = Relation::find(schema, dataset.table) else {
        return Ok(());
    };
    let sql = "SELECT has_schema_privilege($1::oid, $2, 'CREATE')";
    if query::is_true(sql, &[relation.owner.into(), schema.into()])? {
        return Ok(());
    }
    let owner = pg::role_name(relation.owner);
    Err(Failure::new(
        State::ERRCODE_INSUFFICIENT_PRIVILEGE,
        format!("permission denied for schema {schema}"),
    )
    .detail(format!("The history of {} belongs to the table's owner, \"{owner}\".", dataset.table))
    .hint(format!("GRANT CREATE ON SCHEMA {} TO {};", ident(schema), ident(&owner))))
}

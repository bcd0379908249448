//! What odoo_keep_history declares, and odoo_forget_history undoes.

use pgrx::PgSqlErrorCode as State;

use super::names::{invalid, named, own_name};
use crate::failure::{Failure, notice};
use crate::pg::{self, Relation};
use crate::query::{self, require_writable};
use crate::quote::{MAX_NAME, ident, literal};
use crate::server::Server;
use crate::server::lock;
use crate::state::{Store, warehouse_of};
use crate::sync::tables::history;
use crate::warehouse::ddl::qualified;
use crate::warehouse::history::{is_own, may_be_kept, table_of};
use crate::warehouse::{self, Dataset};

/// Keeps the history of a table from now on, beginning with what the table has. Returns the name of
/// the history's table.
pub fn keep_history(server: &Server, target: &str) -> Result<String, Failure> {
    require_writable()?;
    let store = Store::find()?;
    let dataset = named(&warehouse_of(&server.name)?, server, target)?;
    let (schema, target) = (server.options.schema.as_str(), dataset.table);
    if !may_be_kept(dataset) {
        return Err(refuse_facts(dataset));
    }
    if store.keeps_history(&server.name, target)? {
        return Err(Failure::new(
            State::ERRCODE_DUPLICATE_OBJECT,
            format!("the history of table \"{target}\" is kept already"),
        )
        .detail(format!("It is in {}.", qualified(schema, &table_of(target))))
        .hint(format!("SELECT odoo_forget_history({}); ends it.", literal(target))));
    }
    require_owned(schema, dataset)?;
    require_names(dataset)?;
    lock::take(server, warehouse::entity_of(dataset))?;
    lock::take_rows(server, warehouse::entity_of(dataset))?;
    let name = table_of(target);
    let exists = "SELECT to_regclass($1) IS NOT NULL";
    if !query::is_true(exists, &[qualified(schema, &name).into()])? {
        history::make(&store, server, dataset)?;
    } else if history::is_ours(schema, dataset)? {
        history::resume(&store, server, dataset)?;
    } else {
        return Err(is_taken(schema, dataset));
    }
    store.keep_history(&server.name, target)?;
    Ok(name)
}

/// Keeps it no more. Its table stays as it is.
pub fn forget_history(server: &Server, target: &str) -> Result<(), Failure> {
    require_writable()?;
    let store = Store::find()?;
    let target = match store.keeps_history(&server.name, target)? {
        true => target,
        false => own_name(server, target),
    };
    match store.may_forget_history(&server.name, target)? {
        Some(true) => {}
        Some(false) => {
            return Err(Failure::new(
                State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                format!("permission denied to end the history of table \"{target}\""),
            )
            .detail("Only the role that began it, its members and superusers may."));
        }
        None => {
            return Err(Failure::new(
                State::ERRCODE_UNDEFINED_OBJECT,
                format!("server \"{}\" keeps no history of \"{target}\"", server.name),
            )
            .hint(
                "SELECT target FROM odoo_sync_status WHERE history; lists those that are kept.",
            ));
        }
    }
    let dataset = warehouse_of(&server.name)?.dataset(target);
    let entity = dataset.map_or(target, |dataset| warehouse::entity_of(dataset));
    lock::take(server, entity)?;
    lock::take_rows(server, entity)?;
    store.forget_history(&server.name, target)?;
    stays(&server.options.schema, target);
    Ok(())
}

/// Says what becomes of a history that is kept no more.
pub fn stays(schema: &str, target: &str) {
    let table = qualified(schema, &table_of(target));
    notice!("{table} stays, and is written no more; DROP TABLE {table}; drops it");
}

fn refuse_facts(dataset: &Dataset) -> Failure {
    Failure::new(
        State::ERRCODE_WRONG_OBJECT_TYPE,
        format!("table \"{}\" is one of facts", dataset.table),
    )
    .detail("Its rows are what happened, or what there is; histories are kept of dimensions and mirrors.")
    .hint("Which rows of facts are gone: TABLE odoo_deleted;")
}

/// Makes sure that the table is there, and the caller has its owner's rights.
fn require_owned(schema: &str, dataset: &Dataset) -> Result<(), Failure> {
    let table = qualified(schema, dataset.table);
    let Some(relation) = Relation::find(schema, dataset.table) else {
        return Err(Failure::new(
            State::ERRCODE_UNDEFINED_TABLE,
            format!("table {table} does not exist yet"),
        )
        .hint(format!("SELECT * FROM odoo_sync({});", literal(warehouse::entity_of(dataset)))));
    };
    if relation.is_owned() {
        return Ok(());
    }
    let owner = pg::role_name(relation.owner);
    Err(Failure::new(
        State::ERRCODE_INSUFFICIENT_PRIVILEGE,
        format!("must be owner of table {}", dataset.table),
    )
    .detail(format!("The history belongs to the table's owner, \"{owner}\"."))
    .hint(format!("Run it as {}.", ident(&owner))))
}

/// Makes sure that the names of the history's own are free.
fn require_names(dataset: &Dataset) -> Result<(), Failure> {
    let name = table_of(dataset.table);
    if name.len() > MAX_NAME {
        return Err(invalid(format!("the table name \"{name}\" is longer than {MAX_NAME} bytes"))
            .detail("A history has the name of its table, and _history behind it."));
    }
    match dataset.all_columns().into_iter().find(|(name, _)| is_own(name)) {
        None => Ok(()),
        Some((column, _)) => Err(Failure::new(
            State::ERRCODE_DUPLICATE_COLUMN,
            format!("table \"{}\" has a column \"{column}\"", dataset.table),
        )
        .detail("A history has a column of that name for itself.")
        .hint("Have the field under another name: odoo_add_column(…, column_name => …).")),
    }
}

fn is_taken(schema: &str, dataset: &Dataset) -> Failure {
    let name = table_of(dataset.table);
    let table = qualified(schema, &name);
    Failure::new(State::ERRCODE_DUPLICATE_TABLE, format!("relation {table} already exists"))
        .detail(format!("It is not a history of {} that odoo_etl made.", dataset.table))
        .hint(format!("Move it out of the way: ALTER TABLE {table} RENAME TO …;"))
}

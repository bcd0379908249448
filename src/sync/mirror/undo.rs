//! What undoes a declaration: odoo_mirror_drop and odoo_drop_column.

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use super::history::stays;
use super::names::{invalid, named, own_name, refuse_scheduled};
use crate::failure::Failure;
use crate::query::{self, require_writable};
use crate::quote::{ident, literal};
use crate::server::Server;
use crate::server::lock;
use crate::state::Store;
use crate::sync::load::owner::Table;
use crate::warehouse::ddl::qualified;
use crate::warehouse::history::table_of;
use crate::warehouse::{self, Warehouse};

/// Forgets a mirror, and drops its table.
pub fn drop_mirror(server: &Server, target: &str) -> Result<(), Failure> {
    require_writable()?;
    let store = Store::find()?;
    let target = match store.has_mirror(&server.name, target)? {
        true => target,
        false => own_name(server, target),
    };
    match store.may_drop_mirror(&server.name, target)? {
        Some(true) => {}
        Some(false) => {
            return Err(Failure::new(
                State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                format!("permission denied to drop the mirror \"{target}\""),
            )
            .detail("Only the role that made it, its members and superusers may."));
        }
        None => {
            return Err(Failure::new(
                State::ERRCODE_UNDEFINED_OBJECT,
                format!("server \"{}\" has no mirror \"{target}\"", server.name),
            )
            .hint("TABLE odoo_mirrors; lists them."));
        }
    }
    refuse_scheduled(&store, server, target)?;
    lock::take(server, target)?;
    lock::take_rows(server, target)?;
    run(&format!("DROP TABLE IF EXISTS {}", qualified(&server.options.schema, target)))?;
    if store.keeps_history(&server.name, target)? {
        stays(&server.options.schema, target);
    }
    store.forget_mirror(&server.name, target)
}

/// Drops a column that was added.
pub fn drop_column(server: &Server, target: &str, name: &str) -> Result<(), Failure> {
    require_writable()?;
    let store = Store::find()?;
    let known = store.additions(&server.name)?;
    let warehouse = Warehouse::with(&known);
    let dataset = named(&warehouse, server, target)?;
    let target = dataset.table;
    let own: Vec<_> = known.columns.iter().filter(|column| column.target == target).collect();
    let Some(column) = own.iter().find(|column| column.name == name) else {
        return Err(Failure::new(
            State::ERRCODE_UNDEFINED_COLUMN,
            format!("no column \"{name}\" was added to table \"{target}\""),
        )
        .detail("Columns that the table is declared with stay."));
    };
    let mirror = known.mirrors.iter().find(|mirror| mirror.target == target);
    if mirror.is_some() && own.len() == 1 {
        return Err(invalid(format!("\"{name}\" is the last column of the mirror \"{target}\""))
            .hint(format!("SELECT odoo_mirror_drop({});", literal(target))));
    }
    if column.is_automatic && !column.is_gone {
        return Err(invalid(format!("the mirror \"{target}\" has a column for every field"))
            .detail(format!("The next run would make \"{name}\" again."))
            .hint("Mirror it with a list of fields."));
    }
    lock::take(server, warehouse::entity_of(dataset))?;
    // PostgreSQL knows who may alter a table, if it is there.
    let schema = &server.options.schema;
    let table = qualified(schema, target);
    let sql = "SELECT to_regclass($1) IS NULL AND NOT has_schema_privilege($2, 'CREATE')";
    if query::is_true(sql, &[table.as_str().into(), schema.as_str().into()])? {
        let message = format!("permission denied for schema {schema}");
        return Err(Failure::new(State::ERRCODE_INSUFFICIENT_PRIVILEGE, message));
    }
    drop_from(schema, target, name)?;
    if store.keeps_history(&server.name, target)? {
        drop_from(schema, &table_of(target), name)?;
    }
    store.forget_column(&server.name, target, name)
}

/// Drops a column of a table, if they are there.
fn drop_from(schema: &str, table: &str, column: &str) -> Result<(), Failure> {
    let own = Table::new(schema, table);
    let table = qualified(schema, table);
    let sql = format!("ALTER TABLE {table} DROP COLUMN IF EXISTS {}", ident(column));
    if own.exists() { own.alter(|| run(&sql)) } else { Ok(()) }
}

fn run(statement: &str) -> Result<(), Failure> {
    Ok(Spi::run(statement)?)
}

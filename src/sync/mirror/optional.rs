//! What odoo_enable turns on, and odoo_disable off: entities that not everybody is to see.

use pgrx::PgSqlErrorCode as State;

use super::names::refuse_scheduled;
use crate::failure::{Failure, notice};
use crate::query::{self, require_writable};
use crate::quote::literal;
use crate::server::Server;
use crate::server::lock;
use crate::state::{Store, warehouse_of};
use crate::warehouse::ddl::qualified;
use crate::warehouse::{Entity, OPTIONAL};

/// Has runs fill an entity's tables from now on; the next one makes them.
pub fn enable(server: &Server, entity: &str) -> Result<(), Failure> {
    require_writable()?;
    let (store, entity) = (Store::find()?, optional(entity)?);
    require_owner(server)?;
    let warehouse = warehouse_of(&server.name)?;
    if is_on(&store, server, entity)? {
        return Err(Failure::new(
            State::ERRCODE_DUPLICATE_OBJECT,
            format!("entity \"{}\" is on already", entity.name),
        )
        .hint(format!("SELECT odoo_disable({}); turns it off.", literal(entity.name))));
    }
    let is_of_entity =
        |name| name == entity.name || entity.datasets.iter().any(|dataset| dataset.table == name);
    if let Some(mirror) = warehouse.mirrors().find(|mirror| is_of_entity(mirror.table)) {
        return Err(Failure::new(
            State::ERRCODE_DUPLICATE_OBJECT,
            format!("server \"{}\" has a mirror \"{}\"", server.name, mirror.table),
        )
        .detail("The entity has that name.")
        .hint(format!(
            "Drop it: SELECT odoo_mirror_drop({}); or do without the entity.",
            literal(mirror.table)
        )));
    }
    store.enable(&server.name, entity.name)
}

/// Fills them no more. They stay as they are.
pub fn disable(server: &Server, entity: &str) -> Result<(), Failure> {
    require_writable()?;
    let (store, entity) = (Store::find()?, optional(entity)?);
    require_owner(server)?;
    if !is_on(&store, server, entity)? {
        return Err(off(entity.name));
    }
    refuse_scheduled(&store, server, entity.name)?;
    lock::take(server, entity.name)?;
    lock::take_rows(server, entity.name)?;
    let tables: Vec<_> = entity.datasets.iter().map(|dataset| dataset.table.to_owned()).collect();
    store.disable(&server.name, entity.name, &tables)?;
    for table in tables {
        let table = qualified(&server.options.schema, &table);
        notice!("{table} stays, and is written no more; DROP TABLE {table}; drops it");
    }
    Ok(())
}

/// The error of one who names an entity that is off.
pub fn off(name: &str) -> Failure {
    Failure::new(
        State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("entity \"{name}\" is off"),
    )
    .detail("It is off by default, as not everybody is to see it.")
    .hint(format!("The server's owner turns it on: SELECT odoo_enable({});", literal(name)))
}

fn is_on(store: &Store, server: &Server, entity: &Entity) -> Result<bool, Failure> {
    Ok(store.enabled(&server.name)?.iter().any(|name| name == entity.name))
}

fn optional(name: &str) -> Result<&'static Entity, Failure> {
    OPTIONAL.iter().find(|entity| entity.name == name).ok_or_else(|| {
        let names: Vec<_> = OPTIONAL.iter().map(|entity| entity.name).collect();
        Failure::new(
            State::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("\"{name}\" is no entity that is off by default"),
        )
        .hint(format!("Those are: {}. All others are on.", names.join(", ")))
    })
}

/// Makes sure that the caller has the rights of the server's owner.
fn require_owner(server: &Server) -> Result<(), Failure> {
    let sql =
        "SELECT pg_has_role(srvowner, 'USAGE') FROM pg_catalog.pg_foreign_server WHERE oid = $1";
    match query::is_true(sql, &[server.oid.into()])? {
        true => Ok(()),
        false => Err(Failure::new(
            State::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("must be owner of foreign server {}", server.name),
        )),
    }
}

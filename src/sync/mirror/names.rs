//! What a mirror and its columns may be called, and what a user means by a name.

use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;
use crate::query::{self};
use crate::quote::{MAX_NAME, literal};
use crate::server::Server;
use crate::state::Store;
use crate::warehouse::ddl::qualified;
use crate::warehouse::own::is_own;
use crate::warehouse::{self, ALL, Dataset, ENTITIES, OPTIONAL, Warehouse, path};

/// A path of names and dots: what a declaration may say beyond is not for users.
pub fn simple_path(text: &str) -> Result<path::Path, Failure> {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if !text.split('.').all(is_name) {
        return Err(invalid(format!("\"{text}\" is no field"))
            .hint("A field's name, or several with dots between them: uom_id.name."));
    }
    // Declarations live for ever.
    let text: &'static str = Box::leak(text.into());
    Ok(path::Path { fields: text.split('.').collect(), test: None, guard: None })
}

pub fn require_name(what: &str, name: &str) -> Result<(), Failure> {
    let problem = match name.len() {
        0 => "is empty".to_owned(),
        1..=MAX_NAME if !name.contains('\0') => return Ok(()),
        1..=MAX_NAME => "has a NUL in it".to_owned(),
        _ => format!("is longer than {MAX_NAME} bytes"),
    };
    Err(invalid(format!("the {what} name \"{name}\" {problem}")))
}

/// Makes sure that a mirror may have the name.
pub fn require_free(server: &Server, target: &str) -> Result<(), Failure> {
    require_name("table", target)?;
    if target.contains('.') {
        let schema = &server.options.schema;
        return Err(invalid(format!("the table name \"{target}\" has a dot in it"))
            .detail(format!("Mirrors of server \"{}\" are tables of its schema, \"{schema}\".", server.name))
            .hint("Name the table alone; tables in another schema are those of a server with another option schema."));
    }
    let is_entity = ENTITIES.iter().chain(OPTIONAL).any(|entity| entity.name == target);
    if is_entity || is_own(target) || target == ALL || warehouse::dataset(target).is_some() {
        return Err(invalid(format!("\"{target}\" is a name of odoo_etl's own"))
            .detail(format!("Server \"{}\" fills a table or an entity of that name.", server.name))
            .hint("Name another one: odoo_mirror(…, target => …)."));
    }
    Ok(())
}

pub fn refuse_relation(schema: &str, name: &str) -> Result<(), Failure> {
    let table = qualified(schema, name);
    match query::is_true("SELECT to_regclass($1) IS NOT NULL", &[table.as_str().into()])? {
        false => Ok(()),
        true => Err(Failure::new(
            State::ERRCODE_DUPLICATE_TABLE,
            format!("relation {table} already exists"),
        )
        .hint("Name another one: odoo_mirror(…, target => …); or move it out of the way.")),
    }
}

pub fn refuse_scheduled(store: &Store, server: &Server, target: &str) -> Result<(), Failure> {
    let Some(role) = store.scheduler(&server.name, target)? else {
        return Ok(());
    };
    Err(Failure::new(State::ERRCODE_OBJECT_IN_USE, format!("the mirror \"{target}\" is scheduled"))
        .detail(format!("Role \"{role}\" has scheduled it."))
        .hint(format!("SELECT odoo_unschedule({});", literal(target))))
}

/// The table that a user means, with or without the server's schema before its name.
pub fn named(
    warehouse: &Warehouse,
    server: &Server,
    name: &str,
) -> Result<&'static Dataset, Failure> {
    let found = warehouse.dataset(name).or_else(|| warehouse.dataset(own_name(server, name)));
    found.ok_or_else(|| {
        let tables: Vec<_> = warehouse.datasets().map(|dataset| dataset.table).collect();
        invalid(format!("\"{name}\" is no table of the warehouse"))
            .hint(format!("Tables: {}.", tables.join(", ")))
    })
}

/// A table's name without the server's schema before it.
pub fn own_name<'a>(server: &Server, name: &'a str) -> &'a str {
    let own = name.strip_prefix(server.options.schema.as_str());
    own.and_then(|rest| rest.strip_prefix('.')).unwrap_or(name)
}

pub fn invalid(message: String) -> Failure {
    Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, message)
}

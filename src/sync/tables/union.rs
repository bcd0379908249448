//! One table of all servers: a view over their schemas, with the server of each row.

use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode as State, pg_sys};

use super::views::{Place, columns_of};
use crate::failure::{Failure, notice, some_of};
use crate::pg::Relation;
use crate::quote::{ident, literal};
use crate::server::Server;
use crate::state::Store;
use crate::warehouse::ddl::qualified;

/// Of what servers a row is.
const SERVER: &str = "server";

/// A server's table.
struct Part<'a> {
    server: &'a Server,
    table: pg_sys::Oid,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    /// Its type, as all servers may have it: a text of any width is a text.
    sql_type: String,
    /// Whether the table has it in that type.
    is_plain: bool,
    /// PostgreSQL's category, within which it finds a type that several have in common.
    category: String,
}

/// Those of a relation that can be read, in their order. A type is named by what it is without its width.
const COLUMNS: &str = "SELECT a.attname::text, \
        format_type(CASE a.atttypid WHEN 'varchar'::regtype THEN 'text'::regtype ELSE a.atttypid END, -1), \
        a.atttypmod = -1 AND a.atttypid <> 'varchar'::regtype, t.typcategory::text \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

/// Makes the view, or replaces it. Returns it.
pub fn create_union(target: &str, schema: &str) -> Result<pg_sys::Oid, Failure> {
    let servers = Server::usable()?;
    let parts = parts(&servers, target)?;
    let Some(first) = parts.first() else { return Err(nowhere(target, &servers)) };
    let place = Place::over(&servers, "all servers", schema)?;
    let view = qualified(schema, target);
    let columns = common_columns(&parts, columns_before(schema, target)?);
    let selects: Vec<_> = parts.iter().map(|part| part.select(target, &columns)).collect();
    place.make(
        target,
        &format!(
            "CREATE OR REPLACE VIEW {view} WITH (security_invoker) AS {}",
            selects.join(" UNION ALL ")
        ),
    )?;
    place.describe_as(target, first.table, |column| {
        (column == SERVER).then(|| "the Odoo server".to_owned())
    })?;
    Relation::find(schema, target).map(|view| view.oid).ok_or_else(|| nowhere(target, &servers))
}

/// The tables of that name. What has none is told of.
fn parts<'a>(servers: &'a [Server], target: &str) -> Result<Vec<Part<'a>>, Failure> {
    let store = Store::find()?;
    let mut parts: Vec<Part<'a>> = Vec::new();
    for server in servers {
        let schema = &server.options.schema;
        let known = store.known_servers(&server.name, schema)?;
        let is_others =
            known.iter().any(|known| known.schema == *schema && known.server != server.name);
        if is_others || parts.iter().any(|part| part.server.options.schema == *schema) {
            notice!(
                "server \"{}\": left out, another one fills its schema \"{schema}\"",
                server.name
            );
            continue;
        }
        let table = Relation::find(schema, target).map_or(pg_sys::InvalidOid, |table| table.oid);
        let columns = columns(table)?;
        match columns.is_empty() {
            true => {
                let table = qualified(schema, target);
                notice!("server \"{}\": left out, table {table} does not exist", server.name);
            }
            false => parts.push(Part { server, table, columns }),
        }
    }
    Ok(parts)
}

fn columns(table: pg_sys::Oid) -> Result<Vec<Column>, Failure> {
    Spi::connect(|client| {
        let rows = client.select(COLUMNS, None, &[table.into()])?;
        let column = |row: pgrx::spi::SpiHeapTupleData<'_>| {
            Ok(Column {
                name: row.get(1)?.unwrap_or_default(),
                sql_type: row.get(2)?.unwrap_or_default(),
                is_plain: row.get(3)?.unwrap_or_default(),
                category: row.get(4)?.unwrap_or_default(),
            })
        };
        rows.map(column).collect()
    })
}

/// The columns of the view that is there: those stay where they are.
fn columns_before(schema: &str, target: &str) -> Result<Vec<String>, Failure> {
    match Relation::find(schema, target) {
        Some(_) => columns_of(&qualified(schema, target)),
        None => Ok(Vec::new()),
    }
}

/// The columns that all tables have, those from before first. What is left out is told of.
fn common_columns(parts: &[Part<'_>], before: Vec<String>) -> Vec<String> {
    let mut names = before;
    for column in parts.iter().flat_map(|part| &part.columns) {
        if !names.contains(&column.name) {
            names.push(column.name.clone());
        }
    }
    names.retain(|name| {
        let found: Vec<_> = parts.iter().filter_map(|part| part.column(name)).collect();
        let reason = match found.as_slice() {
            // The view's own.
            _ if name == SERVER && found.is_empty() => return false,
            _ if name == SERVER => "the view has one of that name",
            _ if found.len() < parts.len() => "not all servers have it",
            [first, others @ ..] if !others.iter().all(|other| first.matches(other)) => {
                "its types have nothing in common"
            }
            _ => return true,
        };
        notice!("column \"{name}\": left out, {reason}");
        false
    });
    names
}

impl Part<'_> {
    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn select(&self, target: &str, columns: &[String]) -> String {
        let columns = columns.iter().filter_map(|name| self.column(name)).map(Column::selected);
        format!(
            "SELECT {}::text AS {SERVER}{} FROM {}",
            literal(&self.server.name),
            columns.map(|column| format!(", {column}")).collect::<String>(),
            qualified(&self.server.options.schema, target)
        )
    }
}

impl Column {
    fn selected(&self) -> String {
        let name = ident(&self.name);
        match self.is_plain {
            true => name,
            false => format!("{name}::{} AS {name}", self.sql_type),
        }
    }

    /// Whether PostgreSQL finds a type for both: numbers, texts or dates.
    fn matches(&self, other: &Column) -> bool {
        self.sql_type == other.sql_type
            || self.category == other.category && ["N", "S", "D"].contains(&self.category.as_str())
    }
}

fn nowhere(target: &str, servers: &[Server]) -> Failure {
    let schemas = servers.iter().map(|server| server.options.schema.as_str());
    Failure::new(State::ERRCODE_UNDEFINED_TABLE, format!("no server has a table \"{target}\""))
        .detail(format!("Schemas: {}.", some_of(schemas)))
        .hint("A table comes with the first run: SELECT server, target FROM odoo_status;")
}

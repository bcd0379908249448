//! The tables of a server as tools for reports take them: a view for each, in which a column is one
//! value.

use pgrx::pg_sys;

use super::views::Place;
use crate::failure::Failure;
use crate::pg::Relation;
use crate::query;
use crate::server::Server;
use crate::warehouse::datasets;
use crate::warehouse::ddl::qualified;
use crate::warehouse::own::OWN_TABLES;

/// Lists are texts with commas, JSON is its text.
const SELECTED: &str = "SELECT string_agg(CASE \
        WHEN t.typelem <> 0 AND t.typlen = -1 THEN format('array_to_string(%1$I, '', '') AS %1$I', a.attname) \
        WHEN t.typname = 'jsonb' THEN format('%1$I::text AS %1$I', a.attname) \
        ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attnum) \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped";

/// Makes a view for each table that is there, or replaces it. Returns the views.
pub fn create_model(server: &Server, schema: &str) -> Result<Vec<pg_sys::Oid>, Failure> {
    let place = Place::open(server, schema)?;
    let warehouse = &server.options.schema;
    let tables =
        datasets().map(|dataset| dataset.table).chain(OWN_TABLES.iter().map(|own| own.name));
    let mut views = Vec::new();
    for table in tables {
        let Some(relation) = Relation::find(warehouse, table) else { continue };
        let columns = query::ask::<String>(SELECTED, &[relation.oid.into()])?.unwrap_or_default();
        let (view, from) = (qualified(schema, table), qualified(warehouse, table));
        place.make(table, &format!("CREATE OR REPLACE VIEW {view} WITH (security_invoker) AS SELECT {columns} FROM {from}"))?;
        place.describe_as(table, relation.oid, |_| None)?;
        views.extend(Relation::find(schema, table).map(|view| view.oid));
    }
    Ok(views)
}

//! The warehouse's tables: made where they are missing.

use pgrx::prelude::*;

use crate::failure::Failure;
use crate::quote::{ident, literal};
use crate::warehouse::{self, ddl};

/// What a load could not resolve; its rows name tables, columns and Odoo's ids.
pub const MISSING_DATA: &str = "missing_data";

/// Makes the schema and the tables that are missing. Every table of the warehouse is made, so
/// that each reference has its foreign key from the beginning.
pub fn ensure(schema: &str) -> Result<(), Failure> {
    let wanted = || warehouse::datasets().map(|dataset| dataset.table).chain([MISSING_DATA]);
    if existing(schema, wanted())? == wanted().count() {
        return Ok(());
    }
    // Two first runs at once would both try to make the tables.
    run("SELECT pg_advisory_xact_lock(hashtext('odoo_etl tables'))")?;
    if !schema_exists(schema)? {
        run(&format!("CREATE SCHEMA {}", ident(schema)))?;
    }
    let mut made = Vec::new();
    for dataset in warehouse::datasets() {
        if existing(schema, [dataset.table])? == 0 {
            run(&ddl::create_table(dataset, schema))?;
            made.push(dataset);
        }
    }
    for dataset in made {
        for statement in ddl::complete_table(dataset, schema) {
            run(&statement)?;
        }
    }
    if existing(schema, [MISSING_DATA])? == 0 {
        run(&missing_data(schema))?;
    }
    Ok(())
}

fn run(statement: &str) -> Result<(), Failure> {
    Ok(Spi::run(statement)?)
}

fn schema_exists(schema: &str) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)";
    Ok(Spi::get_one_with_args(sql, &[schema.into()])? == Some(true))
}

/// How many of the tables exist.
fn existing<'a>(schema: &str, tables: impl IntoIterator<Item = &'a str>) -> Result<usize, Failure> {
    let names: Vec<_> = tables.into_iter().map(literal).collect();
    let sql = format!(
        "SELECT count(*) FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname IN ({})",
        names.join(", ")
    );
    let count: Option<i64> = Spi::get_one_with_args(&sql, &[schema.into()])?;
    Ok(usize::try_from(count.unwrap_or(0)).unwrap_or(0))
}

fn missing_data(schema: &str) -> String {
    let table = ddl::qualified(schema, MISSING_DATA);
    format!(
        "CREATE TABLE {table} (
            target text NOT NULL,
            row_id bigint NOT NULL,
            column_name text NOT NULL,
            odoo_model text NOT NULL,
            missing_id bigint NOT NULL,
            first_seen timestamp with time zone NOT NULL DEFAULT now(),
            last_seen timestamp with time zone NOT NULL DEFAULT now(),
            attempts bigint NOT NULL DEFAULT 1,
            resolved_at timestamp with time zone,
            PRIMARY KEY (target, row_id, column_name)
        );
        CREATE INDEX ON {table} (target) WHERE resolved_at IS NULL;
        COMMENT ON TABLE {table} IS 'References to records that Odoo did not give: the column is NULL in the row until the record arrives';
        COMMENT ON COLUMN {table}.target IS 'table that holds the row';
        COMMENT ON COLUMN {table}.row_id IS 'id of the row';
        COMMENT ON COLUMN {table}.column_name IS 'the reference that is NULL for it';
        COMMENT ON COLUMN {table}.odoo_model IS 'model of the missing record';
        COMMENT ON COLUMN {table}.missing_id IS 'Odoo''s id of the missing record';
        COMMENT ON COLUMN {table}.attempts IS 'how often it was asked for in vain';
        COMMENT ON COLUMN {table}.resolved_at IS 'when the reference was restored, or no longer there';"
    )
}

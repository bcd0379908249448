//! What the extension remembers of each table's runs, in its own tables.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::plan::Plan;
use super::run::TableReport;
use crate::backend;
use crate::failure::Failure;
use crate::quote::ident;
use crate::warehouse::Source;

/// Who owns the extension, and the schema that its tables live in.
pub struct Extension {
    owner: pg_sys::Oid,
    schema: String,
}

impl Extension {
    pub fn find() -> Result<Extension, Failure> {
        let sql = "SELECT e.extowner, n.nspname::text FROM pg_catalog.pg_extension e \
                   JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace \
                   WHERE e.extname = 'odoo_etl'";
        let (owner, schema) = Spi::get_two::<pg_sys::Oid, String>(sql)?;
        Ok(Extension {
            owner: owner.unwrap_or(pg_sys::InvalidOid),
            schema: schema.unwrap_or_default(),
        })
    }

    /// Writes to the extension's own tables. Users cannot do so by hand; the statement runs as
    /// the extension's owner, with names that are all qualified.
    fn write(&self, sql: &str, args: &[pgrx::datum::DatumWithOid<'_>]) -> Result<(), Failure> {
        backend::as_role(self.owner, || Spi::run_with_args(sql, args))?;
        Ok(())
    }

    /// Remembers how a table's load ended.
    pub fn remember(&self, server: &str, report: &TableReport) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {}.odoo_sync_state AS state \
               (server, target, status, last_started, last_finished, last_success, rows_fetched, last_error) \
             VALUES ($1, $2, $3, clock_timestamp() - make_interval(secs => $4), clock_timestamp(), \
               CASE WHEN $5 IS NULL THEN clock_timestamp() END, $6, $5) \
             ON CONFLICT (server, target) DO UPDATE SET status = EXCLUDED.status, \
               last_started = EXCLUDED.last_started, last_finished = EXCLUDED.last_finished, \
               last_success = coalesce(EXCLUDED.last_success, state.last_success), \
               rows_fetched = EXCLUDED.rows_fetched, last_error = EXCLUDED.last_error",
            ident(&self.schema)
        );
        self.write(
            &sql,
            &[
                server.into(),
                report.target.into(),
                report.status.name().into(),
                report.seconds.into(),
                report.error.clone().into(),
                report.fetched.into(),
            ],
        )
    }

    /// Remembers where each column of a table comes from in this Odoo, where that has changed.
    pub fn remember_columns(&self, server: &str, plan: &Plan) -> Result<(), Failure> {
        let mut rows: Vec<[Option<String>; 5]> = Vec::new();
        for (name, sql_type) in plan.dataset.all_columns() {
            let planned = plan.columns.iter().find(|planned| planned.column.name == name);
            let fields = planned.map(|planned| {
                planned.values.origins().map(|origin| origin.path()).collect::<Vec<_>>()
            });
            let kind = match plan.dataset.column(name).map(|column| column.source) {
                _ if name == "id" => "key",
                Some(Source::Reference { .. }) => "reference",
                Some(Source::Generated(_) | Source::Refreshed(_)) => "generated",
                Some(Source::Inherited { .. }) => "inherited",
                Some(_) => "field",
                None => "bookkeeping",
            };
            let field = match name {
                "id" => Some("id".to_owned()),
                _ => fields.filter(|fields| !fields.is_empty()).map(|fields| fields.join(", ")),
            };
            let model = field.as_ref().map(|_| plan.model.clone());
            let named = |text: &str| Some(text.to_owned());
            rows.push([named(name), named(sql_type.name()), model, field, named(kind)]);
        }
        let column = |index: usize| -> Vec<Option<String>> {
            rows.iter().map(|row| row[index].clone()).collect()
        };
        let sql = format!(
            "INSERT INTO {}.odoo_sync_columns AS known \
               (server, target, channel, column_name, column_type, odoo_model, odoo_field, kind, position) \
             SELECT $1, $2, $3, * FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY \
             ON CONFLICT (server, target, channel, column_name) DO UPDATE SET \
               column_type = EXCLUDED.column_type, odoo_model = EXCLUDED.odoo_model, \
               odoo_field = EXCLUDED.odoo_field, kind = EXCLUDED.kind, position = EXCLUDED.position \
             WHERE (known.column_type, known.odoo_model, known.odoo_field, known.kind, known.position) \
               IS DISTINCT FROM (EXCLUDED.column_type, EXCLUDED.odoo_model, EXCLUDED.odoo_field, EXCLUDED.kind, EXCLUDED.position)",
            ident(&self.schema)
        );
        self.write(
            &sql,
            &[
                server.into(),
                plan.dataset.table.into(),
                plan.feed.channel.unwrap_or_default().into(),
                column(0).into(),
                column(1).into(),
                column(2).into(),
                column(3).into(),
                column(4).into(),
            ],
        )
    }
}

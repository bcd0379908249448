//! odoo_create_reports, odoo_create_model, odoo_union and odoo_drop_reports. What they take and return is
//! said in sql/reports.sql.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::arguments::required;
use crate::failure::{Failure, OrRaise};
use crate::server::Server;
use crate::sync;

extension_sql_file!("../../sql/reports.sql", name = "reports", requires = ["home"]);

/// Makes the views. Returns them.
#[pg_extern(sql = false)]
fn odoo_create_reports(
    schema: Option<&str>,
    server: Option<&str>,
) -> SetOfIterator<'static, pg_sys::Oid> {
    create(schema, server, sync::create_reports)
}

/// Makes the views of tables. Returns them.
#[pg_extern(sql = false)]
fn odoo_create_model(
    schema: Option<&str>,
    server: Option<&str>,
) -> SetOfIterator<'static, pg_sys::Oid> {
    create(schema, server, sync::create_model)
}

fn create(
    schema: Option<&str>,
    server: Option<&str>,
    views: fn(&Server, &str) -> Result<Vec<pg_sys::Oid>, Failure>,
) -> SetOfIterator<'static, pg_sys::Oid> {
    let create = || views(&Server::named_or_only(server)?, required("schema", schema)?);
    SetOfIterator::new(create().or_raise())
}

/// Makes the view of a table of all servers. Returns it.
#[pg_extern(sql = false)]
fn odoo_union(target: Option<&str>, schema: Option<&str>) -> pg_sys::Oid {
    let union = || sync::create_union(required("target", target)?, required("schema", schema)?);
    union().or_raise()
}

/// Drops them.
#[pg_extern(sql = false)]
fn odoo_drop_reports(schema: Option<&str>) {
    required("schema", schema).and_then(sync::drop_reports).or_raise();
}

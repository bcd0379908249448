//! odoo_dashboard. What it takes and returns is said in sql/dashboard.sql.

use pgrx::prelude::*;

use super::arguments::required;
use crate::dashboard;
use crate::failure::OrRaise;
use crate::server::Server;

extension_sql_file!("../../sql/dashboard.sql", name = "dashboard", requires = ["home"]);

#[pg_extern(sql = false)]
fn odoo_dashboard(schema: Option<&str>, period: Option<&str>, server: Option<&str>) -> String {
    let page = || {
        let schema = required("schema", schema)?;
        dashboard::page(&Server::named_or_only(server)?, schema, period)
    };
    page().or_raise()
}

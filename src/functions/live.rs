//! odoo_live: rows as they would be loaded now. What people call is in sql/live.sql.

use pgrx::prelude::*;

use super::arguments::{not_negative, required};
use super::domain;
use crate::failure::OrRaise;
use crate::server::Server;
use crate::sync::{Live, LiveRequest};

extension_sql_file!("../../sql/live.sql", name = "live", requires = ["domain"]);

/// Rows of a table of the warehouse, each as a line of JSON.
#[pg_extern(sql = false)]
fn odoo_live(
    target: Option<&str>,
    since: Option<TimestampWithTimeZone>,
    filters: Option<&str>,
    max_rows: Option<i64>,
    server: Option<&str>,
) -> SetOfIterator<'static, String> {
    let begin = || {
        let table = required("target", target)?;
        let filters = domain::argument(filters)?;
        let max_rows = not_negative("max_rows", max_rows)?;
        let since = since.map(domain::utc).transpose()?;
        let request = LiveRequest { table, since: since.as_deref(), filters, max_rows };
        Live::begin(&Server::named_or_only(server)?, request)
    };
    match begin().or_raise() {
        Some(live) => SetOfIterator::new(live),
        None => SetOfIterator::empty(),
    }
}

//! odoo_forget.

use pgrx::prelude::*;

use super::arguments::required;
use crate::failure::OrRaise;
use crate::sync;

/// Forgets what was synced from a server, which may have been renamed, dropped or pointed at
/// another Odoo database. The warehouse's tables stay; the next run reads everything and replaces
/// what they hold.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
fn odoo_forget(server: Option<&str>) {
    required("server", server).and_then(sync::forget).or_raise();
}

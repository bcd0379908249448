//! odoo_forget.

use pgrx::prelude::*;

use crate::failure::{Failure, OrRaise};
use crate::sync;

/// Forgets what was synced from a server, which may have been renamed, dropped or pointed at
/// another Odoo database. The warehouse's tables stay; the next run reads everything and replaces
/// what they hold.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
fn odoo_forget(server: Option<&str>) {
    let forget = || sync::forget(server.ok_or_else(|| Failure::null_argument("server"))?);
    forget().or_raise();
}

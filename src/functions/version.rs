//! odoo_version.

use pgrx::prelude::*;

use crate::failure::OrRaise;
use crate::server::Server;

/// The release of a server's Odoo as it names itself, e.g. `19.0` or `17.0+e`. Odoo tells it
/// without a login.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
fn odoo_version(server: default!(Option<&str>, "NULL")) -> String {
    let ask = || {
        let session = Server::named_or_only(server)?.session()?;
        session.call(|odoo| odoo.version())
    };
    ask().or_raise().text
}

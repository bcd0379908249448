//! odoo_connections, odoo_disconnect and odoo_disconnect_all: what a session keeps between statements.

use pgrx::PgSqlErrorCode as State;
use pgrx::pg_sys::Oid;
use pgrx::prelude::*;

use super::arguments::required;
use crate::failure::{Failure, OrRaise};
use crate::query;
use crate::server::{self, Listed};

type Row =
    (Option<String>, Option<String>, Option<String>, String, Option<TimestampWithTimeZone>, bool);

/// The logins that the session keeps. Names of what was dropped since are NULL.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn odoo_connections() -> TableIterator<
    'static,
    (
        name!(server_name, Option<String>),
        name!(user_name, Option<String>),
        name!(login, Option<String>),
        name!(protocol, String),
        name!(since, Option<TimestampWithTimeZone>),
        name!(used_in_xact, bool),
    ),
> {
    let rows: Result<Vec<Row>, Failure> = server::kept_logins().into_iter().map(row).collect();
    TableIterator::new(rows.or_raise())
}

fn row(kept: Listed) -> Result<Row, Failure> {
    let named = |sql, oid: Oid| query::ask::<String>(sql, &[oid.into()]);
    let server = "SELECT (SELECT srvname::text FROM pg_catalog.pg_foreign_server WHERE oid = $1)";
    let user = "SELECT (SELECT rolname::text FROM pg_catalog.pg_roles WHERE oid = $1)";
    // As of options of a user mapping, nobody else learns of it.
    let may_see = "SELECT pg_catalog.pg_has_role(oid, 'USAGE') FROM pg_catalog.pg_roles WHERE oid = $1 \
                   UNION ALL SELECT false LIMIT 1";
    let login = query::is_true(may_see, &[kept.role.into()])?.then_some(kept.login);
    let since = TimestampWithTimeZone::try_from(kept.since).ok();
    let protocol = kept.protocol.name().to_owned();
    Ok((named(server, kept.server)?, named(user, kept.role)?, login, protocol, since, kept.is_used))
}

/// Forgets what the session keeps of a server.
#[pg_extern(sql = false)]
fn odoo_disconnect(server: Option<&str>) -> bool {
    let find = || {
        let name = required("server", server)?;
        let sql = "SELECT (SELECT oid FROM pg_catalog.pg_foreign_server WHERE srvname = $1)";
        query::ask::<Oid>(sql, &[name.into()])?.ok_or_else(|| {
            let message = format!("server \"{name}\" does not exist");
            Failure::new(State::ERRCODE_UNDEFINED_OBJECT, message)
                .hint("What is kept: SELECT * FROM odoo_connections();")
        })
    };
    server::disconnect(Some(find().or_raise()))
}

/// Forgets all that the session keeps.
#[pg_extern(sql = false)]
fn odoo_disconnect_all() -> bool {
    server::disconnect(None)
}

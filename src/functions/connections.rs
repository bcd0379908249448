//! odoo_connections, odoo_disconnect and odoo_disconnect_all: what a session keeps between statements.

use pgrx::PgSqlErrorCode as State;
use pgrx::pg_sys::Oid;
use pgrx::prelude::*;

use super::arguments::required;
use crate::failure::{Failure, OrRaise};
use crate::query;
use crate::server::{self, Listed};

type Row = (Option<String>, Option<String>, String, String, Option<TimestampWithTimeZone>, bool);

/// The logins that the session keeps. Names of what was dropped since are NULL.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn odoo_connections() -> TableIterator<
    'static,
    (
        name!(server_name, Option<String>),
        name!(user_name, Option<String>),
        name!(login, String),
        name!(protocol, String),
        name!(since, Option<TimestampWithTimeZone>),
        name!(used_in_xact, bool),
    ),
> {
    let rows: Result<Vec<_>, Failure> = own().or_raise().into_iter().map(row).collect();
    TableIterator::new(rows.or_raise().into_iter().flatten())
}

/// `None` of what has not logged in.
fn row(kept: Listed) -> Result<Option<Row>, Failure> {
    let Some(protocol) = kept.protocol else { return Ok(None) };
    let named = |sql, oid: Oid| query::ask::<String>(sql, &[oid.into()]);
    let server = "SELECT (SELECT srvname::text FROM pg_catalog.pg_foreign_server WHERE oid = $1)";
    let user = "SELECT (SELECT rolname::text FROM pg_catalog.pg_roles WHERE oid = $1)";
    let (server, user) = (named(server, kept.key.0)?, named(user, kept.key.1)?);
    let since = TimestampWithTimeZone::try_from(kept.since).ok();
    Ok(Some((server, user, kept.login, protocol.name().to_owned(), since, kept.is_used)))
}

/// What is kept for roles whose rights the current one has: as of options of a user mapping, nobody
/// else learns of it.
fn own() -> Result<Vec<Listed>, Failure> {
    let has_rights = "SELECT coalesce((SELECT pg_catalog.pg_has_role(oid, 'USAGE') \
                      FROM pg_catalog.pg_roles WHERE oid = $1), false)";
    let own = |kept: Listed| Ok(query::is_true(has_rights, &[kept.key.1.into()])?.then_some(kept));
    let found: Result<Vec<_>, Failure> = server::kept().into_iter().map(own).collect();
    Ok(found?.into_iter().flatten().collect())
}

/// Forgets what the session keeps of a server.
#[pg_extern(sql = false)]
fn odoo_disconnect(server: Option<&str>) -> bool {
    let end = || {
        let name = required("server", server)?;
        let sql = "SELECT (SELECT oid FROM pg_catalog.pg_foreign_server WHERE srvname = $1)";
        let oid = query::ask::<Oid>(sql, &[name.into()])?.ok_or_else(|| {
            let message = format!("server \"{name}\" does not exist");
            Failure::new(State::ERRCODE_UNDEFINED_OBJECT, message)
                .hint("What is kept: SELECT * FROM odoo_connections();")
        })?;
        disconnect(|kept| kept.key.0 == oid)
    };
    end().or_raise()
}

/// Forgets all that the session keeps.
#[pg_extern(sql = false)]
fn odoo_disconnect_all() -> bool {
    disconnect(|_| true).or_raise()
}

fn disconnect(is_meant: impl Fn(&Listed) -> bool) -> Result<bool, Failure> {
    let ended = own()?.into_iter().filter(is_meant).map(|kept| server::disconnect(kept.key));
    Ok(ended.filter(|was_login| *was_login).count() > 0)
}

//! One runner per server and entity.

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use crate::failure::Failure;
use crate::server::Server;
use crate::warehouse::Entity;

/// Keeps others from an entity until the transaction ends; fails at once if another is at it.
pub fn take(server: &Server, entity: &Entity) -> Result<(), Failure> {
    let key = format!("odoo_etl {} {}", server.name, entity.name);
    let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))";
    if Spi::get_one_with_args::<bool>(sql, &[key.as_str().into()])? == Some(true) {
        return Ok(());
    }
    let holder = "SELECT pid FROM pg_catalog.pg_locks \
                  WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
                  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
                  AND (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0)";
    let pid: Option<i32> = Spi::get_one_with_args(holder, &[key.as_str().into()]).unwrap_or(None);
    let message =
        format!("entity \"{}\" of server \"{}\" is being synced already", entity.name, server.name);
    Err(Failure::new(State::ERRCODE_LOCK_NOT_AVAILABLE, message)
        .detail(match pid {
            Some(pid) => format!("The process with PID {pid} is at it."),
            None => "Another session is at it.".into(),
        })
        .hint("Wait for it to end."))
}

//! Who may do what at a time, by advisory locks that end with their transaction.
//!
//! One runner per server and entity. Beside it, who writes rows of an entity, be it as the
//! parents of others, says so: a function keeps its rows locked until its transaction ends, and
//! nobody shall wait for that. So a function holds the rows' lock alone, jobs, which commit at
//! once, share it, and who does not get it does without the rows. No wait, no deadlock.

use std::time::Duration;

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use crate::failure::{Cause, Failure};
use crate::pg;
use crate::server::Server;
use crate::settings::{self, Without};
use crate::state::try_lock;

/// How long a function waits for jobs that are writing a page.
const PATIENCE: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// Keeps other runners from an entity; fails at once if one is at it.
pub fn take(server: &Server, entity: &str) -> Result<(), Failure> {
    let key = format!("odoo_etl {} {}", server.name, entity);
    match try_lock("pg_try_advisory_xact_lock", &key)? {
        true => Ok(()),
        false => Err(taken(server, entity, &key)),
    }
}

/// Says that a function will write rows of its own entity; fails if another one has.
pub fn take_rows(server: &Server, entity: &str) -> Result<(), Failure> {
    for _ in 0..PATIENCE {
        if may_write(server, entity, false)? {
            return Ok(());
        }
        let holder = Holder::find(&rows_key(server, entity))?;
        if holder.is_some_and(|holder| holder.is_alone) {
            break;
        }
        pg::sleep(PAUSE);
    }
    Err(rows_taken(server, entity))
}

/// Whether rows of an entity may be written now. If so, nobody else's transaction keeps one of
/// them locked for longer than it takes to write a page.
pub fn may_write(server: &Server, entity: &str, is_job: bool) -> Result<bool, Failure> {
    if settings::is_without(Without::RowLocks) {
        return Ok(true);
    }
    let function = match is_job {
        true => "pg_try_advisory_xact_lock_shared",
        false => "pg_try_advisory_xact_lock",
    };
    try_lock(function, &rows_key(server, entity))
}

/// The error of a runner that may not write the rows of its own entity.
pub fn rows_taken(server: &Server, entity: &str) -> Failure {
    taken(server, entity, &rows_key(server, entity))
}

fn rows_key(server: &Server, entity: &str) -> String {
    format!("odoo_etl rows {} {}", server.name, entity)
}

/// Who holds a lock.
struct Holder {
    pid: i32,
    /// Not shared, as jobs do.
    is_alone: bool,
}

impl Holder {
    fn find(key: &str) -> Result<Option<Holder>, Failure> {
        let sql = "SELECT pid, mode = 'ExclusiveLock' FROM pg_catalog.pg_locks \
                   WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
                   AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
                   AND (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0) \
                   UNION ALL SELECT NULL, NULL LIMIT 1";
        let (pid, is_alone) = Spi::get_two_with_args::<i32, bool>(sql, &[key.into()])?;
        Ok(pid.map(|pid| Holder { pid, is_alone: is_alone == Some(true) }))
    }
}

fn taken(server: &Server, entity: &str, key: &str) -> Failure {
    let message =
        format!("entity \"{}\" of server \"{}\" is being synced already", entity, server.name);
    Failure::new(State::ERRCODE_LOCK_NOT_AVAILABLE, message)
        .cause(Cause::Taken)
        .detail(match Holder::find(key) {
            Ok(Some(Holder { pid, .. })) => format!("The process with PID {pid} is at it."),
            _ => "Another session is at it.".into(),
        })
        .hint("Wait for it to end.")
}

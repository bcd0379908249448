//! What waits for those who use a table, but not for long.

use pgrx::prelude::*;

use crate::failure::Failure;
use crate::pg;
use crate::query;
use crate::warehouse::ddl::qualified;

/// How long.
const PATIENCE: &str = "5s";

/// Does something that takes locks which others may hold; an error undoes it.
pub fn patiently<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let before = query::ask::<String>("SELECT current_setting('lock_timeout')", &[])?;
    let wait = |time: &str| {
        let sql = "SELECT set_config('lock_timeout', $1, true)";
        Spi::get_one_with_args::<String>(sql, &[time.into()]).map(drop)
    };
    let done = pg::subtransaction(|| {
        wait(PATIENCE)?;
        body()
    })?;
    wait(&before.unwrap_or_default())?;
    Ok(done)
}

/// What is waited for.
#[derive(Debug, Clone, Copy)]
pub enum Lock {
    /// Others may read meanwhile.
    ShareRowExclusive,
    AccessExclusive,
}

impl Lock {
    /// The modes of locks that are not in its way.
    fn beside(self) -> Vec<String> {
        let modes: &[&str] = match self {
            Lock::ShareRowExclusive => &["AccessShareLock", "RowShareLock"],
            Lock::AccessExclusive => &[],
        };
        modes.iter().map(|mode| (*mode).to_owned()).collect()
    }
}

/// Who keeps others from some tables, in transactions of other sessions.
pub fn holders(tables: Vec<String>, lock: Lock) -> Result<Option<String>, Failure> {
    let sql = "SELECT string_agg(DISTINCT format('%s holds %s on %s.', coalesce( \
            'The process with PID ' || l.pid || coalesce(' of role ' || quote_ident(a.usename), ''), \
            'The prepared transaction ' || quote_literal(x.gid)), l.mode, l.relation::regclass), E'\\n') \
        FROM pg_catalog.pg_locks l \
        LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
        LEFT JOIN pg_catalog.pg_prepared_xacts x ON l.pid IS NULL AND l.virtualtransaction = '-1/' || x.transaction \
        WHERE l.relation IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name) AND l.granted \
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
          AND l.pid IS DISTINCT FROM pg_backend_pid() AND l.mode <> ALL ($2::text[])";
    query::ask::<String>(sql, &[tables.into(), lock.beside().into()])
}

/// What a failure to lock a table whole comes to: who holds it, and what to do. Others stay as they are.
pub fn in_use(schema: &str, table: &str, hint: &str, failure: Failure) -> Failure {
    if failure.sqlstate != PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE {
        return failure;
    }
    let own = qualified(schema, table);
    let writers = || holders(linked(&own)?, Lock::ShareRowExclusive);
    let found = [holders(vec![own.clone()], Lock::AccessExclusive), writers()];
    let found: Vec<_> = found.into_iter().filter_map(|found| found.ok().flatten()).collect();
    let detail = if found.is_empty() { failure.message } else { found.join("\n") };
    Failure::new(failure.sqlstate, format!("table {table} is in use")).detail(detail).hint(hint)
}

/// The tables that refer to one, or that it refers to.
fn linked(table: &str) -> Result<Vec<String>, Failure> {
    let sql = "SELECT array_agg(DISTINCT linked::regclass::text) FROM pg_catalog.pg_constraint, \
                 unnest(ARRAY[conrelid, confrelid]) AS linked \
               WHERE contype = 'f' AND to_regclass($1) IN (conrelid, confrelid) AND linked <> to_regclass($1)";
    Ok(query::ask::<Vec<String>>(sql, &[table.into()])?.unwrap_or_default())
}

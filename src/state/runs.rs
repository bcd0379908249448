//! What runs did: the log, table runs and sequence run, and how the last one of each table ended,
//! table state.

use std::collections::HashMap;
use std::time::Duration;

use super::store::{Store, text};
use crate::failure::Failure;
use crate::pg::SessionLock;
use crate::query::{ask, current_user};
use crate::quote::literal;

const RUNS: &str = "runs";
const STATE: &str = "state";

/// What the log counts, column by column.
const SUMS: [&str; 12] = [
    "fetched",
    "inserted",
    "updated",
    "deleted",
    "pages",
    "requests",
    "retries",
    "bytes",
    "seconds",
    "seconds_waiting",
    "seconds_loading",
    "seconds_decoding",
];

/// The log's status of a table that a run is at.
const RUNNING: &str = "running";

/// Which run it is.
#[derive(Debug, Clone, Copy)]
pub struct RunKey<'a> {
    pub number: i64,
    pub server: &'a str,
    /// `sync`, `job`, `reconcile` or `follow`.
    pub kind: &'a str,
}

/// What a run did with a table.
#[derive(Debug, Clone)]
pub struct TableRun<'a> {
    pub entity: &'a str,
    pub target: &'a str,
    pub status: &'a str,
    pub fetched: i64,
    pub inserted: i64,
    pub updated: i64,
    pub deleted: i64,
    pub missing: i64,
    pub quarantined: i64,
    pub pages: i64,
    pub requests: u64,
    pub retries: u64,
    pub bytes: u64,
    pub seconds: f64,
    /// Of these, waiting for Odoo.
    pub waiting: f64,
    /// On threads of their own.
    pub decoding: f64,
    pub error: Option<&'a str>,
    pub sqlstate: Option<&'a str>,
}

impl Store {
    /// The number of a new run. It is used up at once, even if the transaction is undone.
    pub fn next_run(&self) -> Result<i64, Failure> {
        let sql = format!("SELECT nextval({})", literal(&self.table("run")));
        Ok(self.ask(&sql, &[])?.unwrap_or(0))
    }

    /// Holds the lock of a run, until what is returned is dropped: as long as its session does, its
    /// rows of the log that say `running` are true. `None` where older scripts know of no such
    /// rows.
    ///
    /// It is the session's, not the transaction's, so that it is there from one commit of a job to
    /// the next.
    pub fn hold_run(&self, number: i64) -> Result<Option<SessionLock>, Failure> {
        if !self.is_current {
            return Ok(None);
        }
        // As its function run_goes_on has it.
        let sql = "SELECT hashtextextended(format('odoo_etl run %s', $1::bigint), 0)";
        Ok(ask::<i64>(sql, &[number.into()])?.and_then(SessionLock::take))
    }

    /// Logs that a run is at a table, and what it did up to here; the error is what is true when
    /// the row is found so after the run's end.
    ///
    /// Durable with the caller's transaction, that of a job's page: others see it from then on, and
    /// it is true of what they see of the table.
    pub fn log_running(&self, run: RunKey<'_>, table: TableRun<'_>) -> Result<(), Failure> {
        self.log(run, &TableRun { status: RUNNING, ..table }, false)
    }

    /// Logs what a run did with a table, in the place of what it logged before, or in addition to it.
    ///
    /// Durable with the caller's transaction. Where that is the one which loaded the table, a run
    /// that fails whole leaves no row; who catches the failure logs it.
    pub fn log(&self, run: RunKey<'_>, table: &TableRun<'_>, adds: bool) -> Result<(), Failure> {
        let sum = |column: &&str| match adds {
            true => format!("{column} = runs.{column} + EXCLUDED.{column}"),
            false => format!("{column} = EXCLUDED.{column}"),
        };
        let sums: Vec<_> = SUMS.iter().map(sum).collect();
        let sql = format!(
            "INSERT INTO {} AS runs (run, server, entity, target, kind, status, role, pid, started, finished, \
               fetched, inserted, updated, deleted, missing, quarantined, pages, requests, retries, bytes, \
               seconds, seconds_waiting, seconds_loading, seconds_decoding, error, sqlstate) \
             SELECT $1, $2, $3, $4, $5, $6, $7, pg_backend_pid(), clock_timestamp() - make_interval(secs => $18), \
               clock_timestamp(), $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23 \
             ON CONFLICT (run, target) DO UPDATE SET status = EXCLUDED.status, finished = EXCLUDED.finished, \
               missing = EXCLUDED.missing, quarantined = EXCLUDED.quarantined, {}, \
               error = EXCLUDED.error, sqlstate = EXCLUDED.sqlstate",
            self.table(RUNS),
            sums.join(", "),
        );
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let args = [
            run.number.into(),
            run.server.into(),
            table.entity.into(),
            table.target.into(),
            run.kind.into(),
            table.status.into(),
            current_user()?.into(),
            table.fetched.into(),
            table.inserted.into(),
            table.updated.into(),
            table.deleted.into(),
            table.missing.into(),
            table.quarantined.into(),
            table.pages.into(),
            number(table.requests).into(),
            number(table.retries).into(),
            number(table.bytes).into(),
            table.seconds.into(),
            table.waiting.into(),
            (table.seconds - table.waiting).max(0.0).into(),
            table.decoding.into(),
            table.error.into(),
            table.sqlstate.into(),
        ];
        self.write(&sql, &args)
    }

    /// Deletes rows of the log that are older than so many minutes. Durable with the caller's
    /// transaction.
    pub fn prune_log(&self, minutes: i32) -> Result<(), Failure> {
        let sql = format!(
            "DELETE FROM {} WHERE finished < now() - make_interval(mins => $1)",
            self.table(RUNS)
        );
        self.write(&sql, &[minutes.into()])
    }

    /// Sets how the last run of a table ended. After a failure its scheduled job waits, for as many
    /// intervals as there were failures, but five at most.
    ///
    /// Durable with the caller's transaction, as the table's row of the log.
    pub fn set_state(
        &self,
        server: &str,
        table: &TableRun<'_>,
        interval: Option<Duration>,
    ) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {} AS state \
               (server, target, entity, status, last_started, last_finished, last_success, last_duration, \
                rows_fetched, failures, next_start, last_error, last_sqlstate) \
             VALUES ($1, $2, $3, $4, clock_timestamp() - make_interval(secs => $5), clock_timestamp(), \
               CASE WHEN $6 IS NULL THEN clock_timestamp() - make_interval(secs => $5) END, \
               make_interval(secs => $5), $7, ($4 = 'failed')::integer, NULL, $6, $8) \
             ON CONFLICT (server, target) DO UPDATE SET status = EXCLUDED.status, entity = EXCLUDED.entity, \
               last_started = EXCLUDED.last_started, last_finished = EXCLUDED.last_finished, \
               last_success = coalesce(EXCLUDED.last_success, state.last_success), \
               last_duration = EXCLUDED.last_duration, rows_fetched = EXCLUDED.rows_fetched, \
               failures = CASE WHEN EXCLUDED.failures > 0 THEN state.failures + 1 ELSE 0 END, \
               last_error = EXCLUDED.last_error, last_sqlstate = EXCLUDED.last_sqlstate",
            self.table(STATE)
        );
        let args = [
            server.into(),
            table.target.into(),
            table.entity.into(),
            table.status.into(),
            table.seconds.into(),
            table.error.into(),
            table.fetched.into(),
            table.sqlstate.into(),
        ];
        self.write(&sql, &args)?;
        // Runs that failed together shall not come back together.
        let sql = format!(
            "UPDATE {} SET next_start = CASE WHEN failures > 0 THEN clock_timestamp() + \
               make_interval(secs => $3 * least(failures, 5) * (0.9 + 0.2 * random())) END \
             WHERE server = $1 AND target = $2 AND (failures > 0 OR next_start IS NOT NULL)",
            self.table(STATE)
        );
        let interval = interval.map(|interval| interval.as_secs_f64());
        self.write(&sql, &[server.into(), table.target.into(), interval.into()])
    }

    /// Notes that a look at entities has found their tables up to date, so long ago. The state of
    /// those whose last run did not end well stays as it is.
    ///
    /// Durable with the caller's transaction; if it is lost, the tables are up to date all the same.
    pub fn note_success(
        &self,
        server: &str,
        entities: &[&str],
        ago: Duration,
    ) -> Result<(), Failure> {
        let sql = format!(
            "UPDATE {} SET last_success = greatest(last_success, clock_timestamp() - make_interval(secs => $3)) \
             WHERE server = $1 AND entity = ANY ($2) AND last_error IS NULL",
            self.table(STATE)
        );
        let args = [server.into(), entities.to_vec().into(), ago.as_secs_f64().into()];
        self.write(&sql, &args)
    }

    /// How the last runs of an entity's tables ended.
    pub fn last_statuses(&self, server: &str, entity: &str) -> Result<Vec<String>, Failure> {
        let sql =
            format!("SELECT status FROM {} WHERE server = $1 AND entity = $2", self.table(STATE));
        self.read(&sql, &[server.into(), entity.into()], |row| text(&row, 1))
    }

    /// Whether a job is at an entity, though its lock is free for a moment between two pages.
    pub fn is_running(&self, server: &str, entity: &str) -> Result<bool, Failure> {
        if !self.is_current {
            return Ok(false);
        }
        let sql = format!(
            "SELECT EXISTS (SELECT FROM {} WHERE server = $1 AND entity = $2 AND status = '{RUNNING}' AND {}(run))",
            self.table(RUNS),
            self.function("run_goes_on"),
        );
        self.is_true(&sql, &[server.into(), entity.into()])
    }

    /// Until when entities wait that failed, by name.
    pub fn waiting(&self, server: &str) -> Result<HashMap<String, String>, Failure> {
        let sql = format!(
            "SELECT entity, max(next_start)::timestamptz(0)::text FROM {} \
             WHERE server = $1 GROUP BY entity HAVING max(next_start) > clock_timestamp()",
            self.table(STATE)
        );
        let waiting =
            self.read(&sql, &[server.into()], |row| Ok((text(&row, 1)?, text(&row, 2)?)))?;
        Ok(waiting.into_iter().collect())
    }

    /// Completes what interrupted runs left in the log, and in the state of their tables. Returns
    /// the entities, and what to say of them.
    ///
    /// Durable with the caller's transaction; of two sessions that find the same row, one completes
    /// it, and no one waits.
    pub fn close_interrupted(&self, server: &str) -> Result<Vec<(String, String)>, Failure> {
        if !self.is_current {
            return Ok(Vec::new());
        }
        let sql = format!(
            "WITH left_open AS (SELECT run, target FROM {runs} \
                 WHERE server = $1 AND status = '{RUNNING}' AND NOT {goes_on}(run) \
                 FOR UPDATE SKIP LOCKED), \
             closed AS (UPDATE {runs} AS runs SET status = 'interrupted' FROM left_open \
                 WHERE (runs.run, runs.target) = (left_open.run, left_open.target) RETURNING runs.*), \
             latest AS (SELECT DISTINCT ON (target) * FROM closed ORDER BY target, run DESC), \
             known AS (INSERT INTO {state} AS state \
                 (server, target, entity, status, last_started, last_finished, last_duration, rows_fetched, failures, last_error) \
               SELECT server, target, entity, status, started, finished, make_interval(secs => seconds), fetched, 0, error \
               FROM latest \
               ON CONFLICT (server, target) DO UPDATE SET status = EXCLUDED.status, last_started = EXCLUDED.last_started, \
                 last_finished = EXCLUDED.last_finished, last_duration = EXCLUDED.last_duration, \
                 rows_fetched = EXCLUDED.rows_fetched, last_error = EXCLUDED.last_error, last_sqlstate = NULL) \
             SELECT entity, min(error) FROM latest GROUP BY entity",
            goes_on = self.function("run_goes_on"),
            runs = self.table(RUNS),
            state = self.table(STATE),
        );
        self.change(&sql, &[server.into()], |row| Ok((text(&row, 1)?, text(&row, 2)?)))
    }
}

//! What a run leaves behind: the state of its tables, a row of the log for each, a line in the
//! server's log, and alerts.

use std::collections::HashSet;
use std::process;
use std::time::Duration;

use pgrx::prelude::*;
use pgrx::spi::{SpiError, SpiHeapTupleData};
use serde_json::json;

use crate::failure::Failure;
use crate::pg::{self, SessionLock};
use crate::query::{ask, current_user};
use crate::quote::ident;
use crate::settings::{self, LogLevel};
use crate::state::store::Extension;
use crate::sync::work::report::{Status, TableReport};

/// What kind of run it is, as the log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sync,
    Job,
    Reconcile,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Sync => "sync",
            Kind::Job => "job",
            Kind::Reconcile => "reconcile",
        }
    }
}

/// The journal of one run.
pub struct Journal {
    run: i64,
    kind: Kind,
    /// The time between two scheduled runs: a failed one is followed by a pause of as many of
    /// them as there were failures.
    interval: Option<Duration>,
    /// Held by a run that commits, as long as it goes on: its rows of the log say `running`, and
    /// who finds one without this lock knows that the run was interrupted.
    lock: Option<SessionLock>,
    /// The tables that such rows are there of.
    shown: HashSet<&'static str>,
}

const FINE: i32 = 0;
const PARTIAL: i32 = 1;

/// The log's status of a table that a run is at.
const RUNNING: &str = "running";

/// An alert's text is a part of its payload, which has 8000 bytes at most.
const ALERT: usize = 500;

impl Journal {
    pub fn begin(extension: &Extension, kind: Kind) -> Result<Journal, Failure> {
        let sql = format!(
            "SELECT nextval('{}.odoo_sync_run')",
            ident(&extension.schema).replace('\'', "''")
        );
        let run = extension.read(&sql, &[], |row| row.get::<i64>(1))?;
        Ok(Journal {
            run: run.into_iter().flatten().next().unwrap_or(0),
            kind,
            interval: None,
            lock: None,
            shown: HashSet::new(),
        })
    }

    pub fn set_interval(&mut self, interval: Option<Duration>) {
        self.interval = interval;
    }

    /// Lets others see how far the run is, from now on: it commits what it does.
    pub fn begin_showing(&mut self, extension: &Extension) -> Result<(), Failure> {
        if extension.is_current {
            let sql = "SELECT hashtextextended(format('odoo_etl run %s', $1::bigint), 0)";
            let key = ask::<i64>(sql, &[self.run.into()])?;
            self.lock = key.and_then(SessionLock::take);
        }
        Ok(())
    }

    /// Shows what was done with a table up to here, to those who see it when this transaction
    /// has committed. Returns whether the table was not shown before.
    pub fn show(
        &mut self,
        extension: &Extension,
        server: &str,
        report: &TableReport,
    ) -> Result<bool, Failure> {
        if self.lock.is_none() {
            return Ok(false);
        }
        // What is true of it once its session is gone.
        let error = format!(
            "the session with PID {} was cancelled, or ended, before the run did",
            process::id()
        );
        let report = TableReport { error: Some(error), ..report.clone() };
        self.log(extension, server, &report, RUNNING)?;
        Ok(self.shown.insert(report.target))
    }

    /// Whether a table is shown.
    pub fn shows(&self, table: &str) -> bool {
        self.lock.is_none() || self.shown.contains(table)
    }

    /// Writes how the tables of one entity ended.
    pub fn write(
        &self,
        extension: &Extension,
        server: &str,
        reports: &[&TableReport],
    ) -> Result<(), Failure> {
        let Some(entity) = reports.first().map(|report| report.entity) else {
            return Ok(());
        };
        let before = self.before(extension, server, entity)?;
        for report in reports {
            self.log(extension, server, report, report.status.name())?;
            self.say(server, report);
            // The state of a table that another session is at is that session's to tell.
            if report.status != Status::Skipped {
                self.remember(extension, server, report)?;
            }
        }
        let with = |status| reports.iter().find(|report| report.status == status);
        let event = match (with(Status::Failed), with(Status::Partial)) {
            (Some(report), _) => Some(("failed", report)),
            (None, Some(report)) if before != PARTIAL => Some(("partial", report)),
            (None, None) if before != FINE && with(Status::Ok).is_some() => {
                Some(("recovered", &reports[0]))
            }
            _ => None,
        };
        match event {
            Some((event, report)) => alert(event, server, Some(entity), report.error.as_deref()),
            None => Ok(()),
        }
    }

    /// How the last run of an entity ended: [`FINE`], [`PARTIAL`] or more.
    fn before(&self, extension: &Extension, server: &str, entity: &str) -> Result<i32, Failure> {
        let sql = format!(
            "SELECT coalesce(max(CASE status WHEN 'failed' THEN 2 WHEN 'interrupted' THEN 2 WHEN 'partial' THEN 1 ELSE 0 END), 0) \
             FROM {}.odoo_sync_state WHERE server = $1 AND entity = $2",
            ident(&extension.schema)
        );
        let before =
            extension.read(&sql, &[server.into(), entity.into()], |row| row.get::<i32>(1))?;
        Ok(before.into_iter().flatten().next().unwrap_or(FINE))
    }

    fn remember(
        &self,
        extension: &Extension,
        server: &str,
        report: &TableReport,
    ) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {}.odoo_sync_state AS state \
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
            ident(&extension.schema)
        );
        extension.write(
            &sql,
            &[
                server.into(),
                report.target.into(),
                report.entity.into(),
                report.status.name().into(),
                report.seconds.into(),
                report.error.clone().into(),
                report.fetched.into(),
                report.sqlstate.clone().into(),
            ],
        )?;
        // Runs that failed together shall not come back together.
        let sql = format!(
            "UPDATE {}.odoo_sync_state SET next_start = CASE WHEN failures > 0 THEN clock_timestamp() + \
               make_interval(secs => $3 * least(failures, 5) * (0.9 + 0.2 * random())) END \
             WHERE server = $1 AND target = $2 AND (failures > 0 OR next_start IS NOT NULL)",
            ident(&extension.schema)
        );
        let interval = self.interval.map(|interval| interval.as_secs_f64());
        extension.write(&sql, &[server.into(), report.target.into(), interval.into()])
    }

    fn log(
        &self,
        extension: &Extension,
        server: &str,
        report: &TableReport,
        status: &str,
    ) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {}.odoo_sync_runs (run, server, entity, target, kind, status, role, pid, started, finished, \
               fetched, inserted, updated, deleted, missing, quarantined, pages, requests, retries, bytes, \
               seconds, seconds_waiting, seconds_loading, seconds_decoding, error, sqlstate) \
             SELECT $1, $2, $3, $4, $5, $6, $7, pg_backend_pid(), clock_timestamp() - make_interval(secs => $18), \
               clock_timestamp(), $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23 \
             ON CONFLICT (run, target) DO UPDATE SET status = EXCLUDED.status, finished = EXCLUDED.finished, \
               fetched = EXCLUDED.fetched, inserted = EXCLUDED.inserted, updated = EXCLUDED.updated, \
               deleted = EXCLUDED.deleted, missing = EXCLUDED.missing, quarantined = EXCLUDED.quarantined, \
               pages = EXCLUDED.pages, requests = EXCLUDED.requests, retries = EXCLUDED.retries, \
               bytes = EXCLUDED.bytes, seconds = EXCLUDED.seconds, seconds_waiting = EXCLUDED.seconds_waiting, \
               seconds_loading = EXCLUDED.seconds_loading, seconds_decoding = EXCLUDED.seconds_decoding, \
               error = EXCLUDED.error, sqlstate = EXCLUDED.sqlstate",
            ident(&extension.schema)
        );
        let role = current_user()?;
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        extension.write(
            &sql,
            &[
                self.run.into(),
                server.into(),
                report.entity.into(),
                report.target.into(),
                self.kind.name().into(),
                status.into(),
                role.into(),
                report.fetched.into(),
                report.inserted.into(),
                report.updated.into(),
                report.deleted.into(),
                report.missing.into(),
                report.quarantined.into(),
                report.pages.into(),
                number(report.traffic.requests).into(),
                number(report.traffic.retries).into(),
                number(report.traffic.bytes).into(),
                report.seconds.into(),
                report.waiting.into(),
                (report.seconds - report.waiting).max(0.0).into(),
                report.traffic.decoding.as_secs_f64().into(),
                report.error.clone().into(),
                report.sqlstate.clone().into(),
            ],
        )
    }

    /// The same facts on one line of the server's log.
    fn say(&self, server: &str, report: &TableReport) {
        let level = match report.status {
            Status::Failed | Status::Partial | Status::Denied => LogLevel::Problems,
            _ if report.inserted + report.updated + report.deleted > 0 => LogLevel::Changes,
            _ => LogLevel::All,
        };
        if level > settings::log_level() {
            return;
        }
        let TableReport { target, fetched, inserted, updated, deleted, missing, .. } = report;
        let traffic = &report.traffic;
        let error = report.error.as_ref().map_or(String::new(), |error| format!(", {error}"));
        pg::log_line(&format!(
            "odoo_etl: {} {} of {target} from {server}: {fetched} fetched, {inserted} inserted, {updated} updated, \
             {deleted} deleted, {missing} missing, {} quarantined, {} pages, {} requests, {} retries, {} bytes, \
             {:.3} s, {:.3} s waiting for Odoo, {:.3} s decoding{error}",
            self.kind.name(),
            report.status.name(),
            report.quarantined,
            report.pages,
            traffic.requests,
            traffic.retries,
            traffic.bytes,
            report.seconds,
            report.waiting,
            traffic.decoding.as_secs_f64(),
        ));
    }
}

/// Completes what interrupted runs left, and tells of it: no run can tell of its own end by a
/// cancel, a kill or a crash. Nobody waits for another session that is doing so.
pub fn close_interrupted(extension: &Extension, server: &str) -> Result<(), Failure> {
    if !extension.is_current {
        return Ok(());
    }
    let sql = format!(
        "WITH left_open AS (SELECT run, target FROM {schema}.odoo_sync_runs \
             WHERE server = $1 AND status = 'running' AND NOT {schema}.odoo_run_goes_on(run) \
             FOR UPDATE SKIP LOCKED), \
         closed AS (UPDATE {schema}.odoo_sync_runs AS runs SET status = 'interrupted' FROM left_open \
             WHERE (runs.run, runs.target) = (left_open.run, left_open.target) RETURNING runs.*), \
         latest AS (SELECT DISTINCT ON (target) * FROM closed ORDER BY target, run DESC), \
         known AS (INSERT INTO {schema}.odoo_sync_state AS state \
             (server, target, entity, status, last_started, last_finished, last_duration, rows_fetched, failures, last_error) \
           SELECT server, target, entity, status, started, finished, make_interval(secs => seconds), fetched, 0, error \
           FROM latest \
           ON CONFLICT (server, target) DO UPDATE SET status = EXCLUDED.status, last_started = EXCLUDED.last_started, \
             last_finished = EXCLUDED.last_finished, last_duration = EXCLUDED.last_duration, \
             rows_fetched = EXCLUDED.rows_fetched, last_error = EXCLUDED.last_error, last_sqlstate = NULL) \
         SELECT entity, min(error) FROM latest GROUP BY entity",
        schema = ident(&extension.schema)
    );
    let text = |row: &SpiHeapTupleData<'_>, place| {
        Ok::<_, SpiError>(row.get::<String>(place)?.unwrap_or_default())
    };
    let found =
        extension.change_all(&sql, &[server.into()], |row| Ok((text(&row, 1)?, text(&row, 2)?)))?;
    found
        .iter()
        .try_for_each(|(entity, error)| alert("interrupted", server, Some(entity), Some(error)))
}

/// Tells those who LISTEN odoo_etl.
pub fn alert(
    event: &str,
    server: &str,
    entity: Option<&str>,
    error: Option<&str>,
) -> Result<(), Failure> {
    let error = error.map(|error| error.chars().take(ALERT).collect::<String>());
    let payload = json!({"event": event, "server": server, "entity": entity, "error": error});
    Ok(Spi::run_with_args(
        "SELECT pg_catalog.pg_notify('odoo_etl', $1)",
        &[payload.to_string().into()],
    )?)
}

/// Deletes rows of the log that are older than odoo_etl.log_retention.
pub fn prune(extension: &Extension) -> Result<(), Failure> {
    let sql = format!(
        "DELETE FROM {}.odoo_sync_runs WHERE finished < now() - make_interval(mins => $1)",
        ident(&extension.schema)
    );
    extension.write(&sql, &[settings::log_retention().into()])
}

//! What a run leaves behind: the state of its tables, a row of the log for each, a line in the
//! server's log, and alerts.

use std::collections::HashSet;
use std::process;
use std::time::Duration;

use pgrx::prelude::*;
use serde_json::json;

use crate::failure::Failure;
use crate::pg::{self, SessionLock};
use crate::settings::{self, LogLevel};
use crate::state::{RunKey, Store, TableRun};
use crate::sync::work::report::{Status, TableReport};

/// What kind of run it is, as the log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sync,
    Job,
    Reconcile,
    Follow,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Sync => "sync",
            Kind::Job => "job",
            Kind::Reconcile => "reconcile",
            Kind::Follow => "follow",
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
    /// What is written is added to the run's rows.
    adds: bool,
}

/// An alert's text is a part of its payload, which has 8000 bytes at most.
const ALERT: usize = 500;

impl Journal {
    pub fn begin(store: &Store, kind: Kind) -> Result<Journal, Failure> {
        Ok(Journal { adds: false, ..Journal::adding(store.next_run()?, kind) })
    }

    /// That of a run which adds to the rows of another one.
    pub fn adding(run: i64, kind: Kind) -> Journal {
        Journal { run, kind, interval: None, lock: None, shown: HashSet::new(), adds: true }
    }

    pub fn run(&self) -> i64 {
        self.run
    }

    pub fn set_interval(&mut self, interval: Option<Duration>) {
        self.interval = interval;
    }

    /// Lets others see how far the run is, from now on: it commits what it does.
    pub fn begin_showing(&mut self, store: &Store) -> Result<(), Failure> {
        self.lock = store.hold_run(self.run)?;
        Ok(())
    }

    /// Shows what was done with a table up to here, to those who see it when this transaction
    /// has committed. Returns whether the table was not shown before.
    pub fn show(
        &mut self,
        store: &Store,
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
        let table = TableRun { error: Some(&error), ..table_run(report) };
        store.log_running(self.key(server), table)?;
        Ok(self.shown.insert(report.target))
    }

    fn key<'a>(&self, server: &'a str) -> RunKey<'a> {
        RunKey { number: self.run, server, kind: self.kind.name() }
    }

    /// Whether a table is shown.
    pub fn shows(&self, table: &str) -> bool {
        self.lock.is_none() || self.shown.contains(table)
    }

    /// Writes how the tables of one entity ended.
    pub fn write(
        &self,
        store: &Store,
        server: &str,
        reports: &[&TableReport],
    ) -> Result<(), Failure> {
        let Some(entity) = reports.first().map(|report| report.entity) else {
            return Ok(());
        };
        let before = store.last_statuses(server, entity)?;
        let before = before.iter().map(|status| Outcome::of(status)).max();
        let before = before.unwrap_or(Outcome::Fine);
        for report in reports {
            let table = table_run(report);
            store.log(self.key(server), &table, self.adds)?;
            self.say(server, report);
            // The state of a table that another session is at is that session's to tell.
            if report.status != Status::Skipped {
                store.set_state(server, &table, self.interval)?;
            }
        }
        let with = |status| reports.iter().find(|report| report.status == status);
        let event = match (with(Status::Failed), with(Status::Partial)) {
            (Some(report), _) => Some(("failed", report)),
            (None, Some(report)) if before != Outcome::Partial => Some(("partial", report)),
            (None, None) if before != Outcome::Fine && with(Status::Ok).is_some() => {
                Some(("recovered", &reports[0]))
            }
            _ => None,
        };
        match event {
            Some((event, report)) => alert(event, server, Some(entity), report.error.as_deref()),
            None => Ok(()),
        }
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

/// How the last run of an entity ended, as far as alerts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Fine,
    Partial,
    Failed,
}

impl Outcome {
    fn of(status: &str) -> Outcome {
        match status {
            "failed" | "interrupted" => Outcome::Failed,
            "partial" => Outcome::Partial,
            _ => Outcome::Fine,
        }
    }
}

fn table_run(report: &TableReport) -> TableRun<'_> {
    TableRun {
        entity: report.entity,
        target: report.target,
        status: report.status.name(),
        fetched: report.fetched,
        inserted: report.inserted,
        updated: report.updated,
        deleted: report.deleted,
        missing: report.missing,
        quarantined: report.quarantined,
        pages: report.pages,
        requests: report.traffic.requests,
        retries: report.traffic.retries,
        bytes: report.traffic.bytes,
        seconds: report.seconds,
        waiting: report.waiting,
        decoding: report.traffic.decoding.as_secs_f64(),
        error: report.error.as_deref(),
        sqlstate: report.sqlstate.as_deref(),
    }
}

/// Completes what interrupted runs left, and tells of it: no run can tell of its own end by a
/// cancel, a kill or a crash.
pub fn close_interrupted(store: &Store, server: &str) -> Result<(), Failure> {
    let found = store.close_interrupted(server)?;
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
pub fn prune(store: &Store) -> Result<(), Failure> {
    store.prune_log(settings::log_retention())
}

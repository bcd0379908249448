//! What a run did, table by table, and what is said once at its end.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::failure::{Failure, warning};
use crate::odoo::Traffic;
use crate::server::Session;
use crate::sync::load::loader::Loaded;
use crate::sync::load::restore;
use crate::sync::work::context::Context;
use crate::warehouse::{self, Dataset, Entity};

/// How a table's load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Ok,
    /// Some values could not be read; they are in quarantine.
    Partial,
    /// Odoo has no such model: its module is not installed.
    Absent,
    /// The Odoo user may not read the model.
    Denied,
    /// Another session is at it.
    Skipped,
    Failed,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Partial => "partial",
            Status::Absent => "absent",
            Status::Denied => "denied",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
        }
    }
}

/// What a run did with one table.
#[derive(Debug, Clone)]
pub struct TableReport {
    pub entity: &'static str,
    pub target: &'static str,
    pub fetched: i64,
    pub inserted: i64,
    pub updated: i64,
    /// Rows deleted, or marked so, because Odoo no longer has the record.
    pub deleted: i64,
    /// Values of the table in quarantine, as of the run's end.
    pub quarantined: i64,
    /// References of the table that are NULL for lack of the record, as of the run's end.
    pub missing: i64,
    pub status: Status,
    pub error: Option<String>,
    pub sqlstate: Option<String>,
    pub seconds: f64,
    /// Of these, waiting for Odoo.
    pub waiting: f64,
    pub pages: i64,
    pub traffic: Traffic,
}

impl TableReport {
    pub fn new(dataset: &Dataset) -> TableReport {
        TableReport {
            entity: warehouse::entity_of(dataset),
            target: dataset.table,
            fetched: 0,
            inserted: 0,
            updated: 0,
            deleted: 0,
            quarantined: 0,
            missing: 0,
            status: Status::Ok,
            error: None,
            sqlstate: None,
            seconds: 0.0,
            waiting: 0.0,
            pages: 0,
            traffic: Traffic::default(),
        }
    }

    /// Notes why it ended so.
    pub fn end(&mut self, status: Status, failure: &Failure) {
        self.status = status;
        self.error = Some(failure.message.clone());
        self.sqlstate = Some(failure.code());
    }

    /// What is left of it after an error undid the work: time and requests were spent.
    pub fn undone(&self, before: &TableReport) -> TableReport {
        let TableReport { seconds, waiting, traffic, .. } = self.clone();
        TableReport { seconds, waiting, traffic, ..before.clone() }
    }

    /// A page came.
    pub fn add_page(&mut self) {
        self.pages += 1;
    }

    /// Records came whose rows are as they were.
    pub fn add_unchanged(&mut self, records: usize) {
        self.fetched += records as i64;
    }

    /// Records came again that were counted before.
    pub fn count_once(&mut self, again: usize) {
        self.fetched -= again as i64;
    }

    pub fn add_deleted(&mut self, rows: i64) {
        self.deleted += rows;
    }

    /// Odoo has no such model.
    pub fn set_absent(&mut self) {
        self.status = Status::Absent;
    }

    /// Some values could not be read.
    pub fn set_partial(&mut self) {
        self.status = Status::Partial;
    }

    pub fn unchanged(&self) -> i64 {
        // A row that came as a parent may be written again with the references that it lacked.
        (self.fetched - self.inserted - self.updated).max(0)
    }

    pub fn add(&mut self, fetched: usize, loaded: Loaded) {
        self.fetched += fetched as i64;
        self.inserted += loaded.inserted;
        self.updated += loaded.updated;
    }
}

/// The reports of a run.
pub struct Reports {
    /// In the order in which the tables were first touched.
    tables: Vec<TableReport>,
    /// Values that were cut or cleaned: what to say of them, with `{}` for how many.
    blemishes: HashMap<String, usize>,
    /// What was asked of Odoo, and how long was waited, up to the last entry in a report. The
    /// login is no table's.
    seen: (Traffic, Duration),
}

impl Reports {
    pub fn new(session: &Session) -> Reports {
        let seen = (session.traffic(), session.waited());
        Reports { tables: Vec::new(), blemishes: HashMap::new(), seen }
    }

    /// That of a table.
    pub fn of(&mut self, dataset: &Dataset) -> &mut TableReport {
        let known = self.tables.iter().position(|report| report.target == dataset.table);
        let index = known.unwrap_or_else(|| {
            self.tables.push(TableReport::new(dataset));
            self.tables.len() - 1
        });
        &mut self.tables[index]
    }

    pub fn all(&self) -> &[TableReport] {
        &self.tables
    }

    pub fn into_all(self) -> Vec<TableReport> {
        self.tables
    }

    /// Those of an entity's tables. Tables that it only refers to are those of another entity's
    /// runs to tell of.
    pub fn of_entity(&self, entity: &Entity) -> Vec<&TableReport> {
        self.tables.iter().filter(|report| report.entity == entity.name).collect()
    }

    pub fn forget(&mut self, entity: &Entity) {
        self.tables.retain(|report| report.entity != entity.name);
    }

    /// What the reports are after an error undid what was done since.
    pub fn undo(&mut self, before: Vec<TableReport>) {
        let undone = std::mem::replace(&mut self.tables, before);
        for report in &mut self.tables {
            if let Some(after) = undone.iter().find(|after| after.target == report.target) {
                *report = after.undone(report);
            }
        }
    }

    pub fn blemish(&mut self, what: String, count: usize) {
        if count > 0 {
            *self.blemishes.entry(what).or_default() += count;
        }
    }

    /// Notes what work on a table took, since a time and since the last note.
    pub fn charge(&mut self, session: &Session, dataset: &Dataset, begin: Instant) {
        let now = (session.traffic(), session.waited());
        let (traffic, waited) = std::mem::replace(&mut self.seen, now);
        let report = self.of(dataset);
        report.seconds += begin.elapsed().as_secs_f64();
        report.waiting += (now.1 - waited).as_secs_f64();
        report.traffic += now.0 - traffic;
    }

    /// Completes the reports, and tells of values that were cut or cleaned.
    pub fn complete(&mut self, context: &Context) -> Result<(), Failure> {
        let mut blemishes: Vec<_> = self.blemishes.drain().collect();
        blemishes.sort();
        for (what, count) in blemishes {
            warning!("{}", what.replace("{}", &count.to_string()));
        }
        let missing = restore::count_missing(context.schema())?;
        let quarantined = context.store.count_quarantined(&context.server.name)?;
        self.tables.sort_by_key(|report| warehouse::position(report.target));
        for report in &mut self.tables {
            report.missing = missing.get(report.target).copied().unwrap_or(0);
            report.quarantined = quarantined.get(report.target).copied().unwrap_or(0);
            if report.quarantined > 0 && report.status == Status::Ok {
                report.status = Status::Partial;
            }
        }
        Ok(())
    }
}

//! What a run did, table by table.

use crate::failure::Failure;
use crate::odoo::Traffic;
use crate::sync::load::loader::Loaded;
use crate::warehouse::{self, Dataset};

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

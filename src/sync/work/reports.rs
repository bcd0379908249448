//! The reports of a run, table by table, and what is said once at its end.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::failure::{Failure, warning};
use crate::odoo::Traffic;
use crate::server::Session;
use crate::sync::load::restore;
use crate::sync::work::context::Context;
use crate::sync::work::report::{Status, TableReport};
use crate::warehouse::{self, Dataset, Entity};

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

//! A page of records into its table, after those that it refers to.

use std::rc::Rc;
use std::time::Duration;

use pgrx::PgSqlErrorCode as State;

use crate::extract::{self, BadValue, Fetched, bisect};
use crate::failure::Failure;
use crate::odoo::Page;
use crate::pg;
use crate::state::Unread;
use crate::sync::load::loader::{Absent, Loaded};
use crate::sync::mapping::feed::Mapping;
use crate::sync::transform::rows::Rows;
use crate::sync::work::parts::Work;
use crate::sync::work::targets::Target;
use crate::warehouse::Dataset;

/// Rows of a feed that are ready to be written.
struct Batch {
    dataset: &'static Dataset,
    target: Rc<Target>,
    rows: Rows,
    bad: Vec<BadValue>,
    /// All that the rows refer to was there before.
    is_complete: bool,
}

/// How often rows are written again after a deadlock.
const DEADLOCKS: usize = 3;

/// How long the rows are left to the other session before.
const AFTER_DEADLOCK: Duration = Duration::from_millis(100);

/// Why a parent is missing though Odoo has it.
const HELD: &str = "another session was writing the table; the next run of its entity brings it";

impl Work {
    /// Loads a page, after the records that it refers to. Nothing is written before all of them
    /// have come, so that no row is locked while Odoo is asked.
    pub fn load(
        &mut self,
        dataset: &'static Dataset,
        target: &Rc<Target>,
        fetched: Fetched,
    ) -> Result<(), Failure> {
        self.fetching.begin_page();
        let mut batches = Vec::new();
        self.gather(dataset, target, fetched, &mut batches)?;
        let loaded = self.write(&batches)?;
        for (batch, loaded) in batches.iter().zip(loaded) {
            if let Some(loaded) = loaded {
                self.reports.of(batch.dataset).add(batch.rows.ids.len(), loaded);
            }
        }
        Ok(())
    }

    /// The rows of a page, and before them those that they refer to. Those of the same table
    /// join its statement: parents and children may then come in any order.
    fn gather(
        &mut self,
        dataset: &'static Dataset,
        target: &Rc<Target>,
        fetched: Fetched,
        batches: &mut Vec<Batch>,
    ) -> Result<(), Failure> {
        let Fetched { page, mut bad } = fetched;
        let mut rows = self.transform(target, page)?;
        let ids = rows.ids.clone();
        self.fetching.begin_waiting(dataset, target, &ids);
        let mut is_complete = true;
        loop {
            let absent = target.loader.absent_parents(&rows)?;
            is_complete &= absent.is_empty();
            let (own, others): (Vec<_>, Vec<_>) = absent.into_iter().partition(|absent| {
                absent.dataset.table == dataset.table && absent.feed == target.feed
            });
            let own = own.into_iter().flat_map(|absent| absent.ids).collect();
            let wanted = self.fetching.not_yet_asked(dataset, target.feed, own);
            if wanted.is_empty() {
                for absent in others {
                    self.gather_parents(absent, batches)?;
                }
                break;
            }
            for some in wanted.chunks(self.context.server.options.batch()) {
                if let Some(more) = self.fetch(&target.mapping, some)? {
                    rows.append(self.transform(target, more.page)?);
                    bad.extend(more.bad);
                }
            }
        }
        self.fetching.end_waiting(dataset, target, &ids);
        batches.push(Batch { dataset, target: target.clone(), rows, bad, is_complete });
        Ok(())
    }

    /// Writes rows, all or none of them; what a transaction of another session has locked for
    /// long is left out. Two jobs that write the same parents in different orders may meet in a
    /// deadlock: the one that PostgreSQL picks writes again.
    fn write(&mut self, batches: &[Batch]) -> Result<Vec<Option<Loaded>>, Failure> {
        for batch in batches {
            if self.context.may_write(batch.dataset)? {
                batch.target.loader.cover(&batch.rows, self.context.is_job)?;
            }
        }
        let mut trust = true;
        for _ in 0..DEADLOCKS {
            match pg::subtransaction(|| self.write_once(batches, trust)) {
                // Another session has added or deleted rows meanwhile.
                Err(Failure {
                    sqlstate: State::ERRCODE_UNIQUE_VIOLATION | State::ERRCODE_FOREIGN_KEY_VIOLATION,
                    ..
                }) if trust => trust = false,
                // The other one has to wake up to take what it waited for.
                Err(failure) if failure.sqlstate == State::ERRCODE_T_R_DEADLOCK_DETECTED => {
                    pg::sleep(AFTER_DEADLOCK)
                }
                done => return done,
            }
        }
        pg::subtransaction(|| self.write_once(batches, false))
    }

    /// `trust` is for what was seen of the rows before.
    fn write_once(
        &mut self,
        batches: &[Batch],
        trust: bool,
    ) -> Result<Vec<Option<Loaded>>, Failure> {
        let mut loaded = Vec::new();
        for (index, batch) in batches.iter().enumerate() {
            let Batch { dataset, target, rows, bad, is_complete } = batch;
            let is_parent = index + 1 < batches.len();
            if !self.context.may_write(dataset)? {
                if !is_parent {
                    return Err(self.context.rows_taken(dataset));
                }
                self.fetching.set_reason(dataset, target.feed, Some(HELD));
                loaded.push(None);
                continue;
            }
            self.fetching.set_reason(dataset, target.feed, None);
            let reason = |table, feed| self.fetching.reason(table, feed);
            let (context, mapping) = (&self.context, &target.mapping);
            let seen = self.seen(mapping, bad)?;
            let is_new = trust && *is_complete && seen.is_none() && target.loader.is_new(rows)?;
            loaded.push(Some(match is_new {
                true => target.loader.insert(rows)?,
                false => target.loader.load(rows, reason, seen.as_ref())?,
            }));
            let bad = unread(bad);
            context.store.quarantine(context.key(mapping), &mapping.model, &rows.ids, &bad)?;
            self.note_denied(mapping)?;
            if !bad.is_empty() {
                self.reports.of(dataset).set_partial();
            }
        }
        Ok(loaded)
    }

    /// The rows of a page, which refer to nothing that was let go.
    fn transform(&mut self, target: &Target, page: Page) -> Result<Rows, Failure> {
        let Work { context, fetching, reports, targets } = self;
        let mut rows = fetching.rows(context, reports, &target.mapping, page)?;
        for reference in target.loader.references() {
            let gone =
                reference.feed().map_or(&[][..], |feed| targets.let_go().of(reference.table, feed));
            if !gone.is_empty() {
                rows.let_go(reference.index, |id| {
                    gone.iter().any(|(from, to)| (*from..*to).contains(&id))
                });
            }
        }
        Ok(rows)
    }

    /// The rows of records that others refer to. What Odoo does not give stays missing.
    fn gather_parents(&mut self, absent: Absent, batches: &mut Vec<Batch>) -> Result<(), Failure> {
        let Absent { dataset, feed, ids } = absent;
        let dataset = self.targets.current(dataset);
        let wanted = self.fetching.not_yet_asked(dataset, feed, ids);
        let Some(target) = self.target(dataset, feed)? else {
            return Ok(());
        };
        for some in wanted.chunks(self.context.server.options.batch()) {
            match self.fetch(&target.mapping, some) {
                Ok(Some(fetched)) => self.gather(dataset, &target, fetched, batches)?,
                Ok(None) => {}
                Err(failure) if failure.is_denied() => {
                    self.deny(dataset, feed, failure)?;
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Reads records by id, if they belong to the table; `None` if Odoo gives none of them.
    pub fn fetch(&self, mapping: &Mapping, ids: &[i64]) -> Result<Option<Fetched>, Failure> {
        self.fetch_by(mapping, ids, bisect::recover)
    }

    /// The same with a way to go on after a fault.
    pub fn fetch_by(
        &self,
        mapping: &Mapping,
        ids: &[i64],
        recover: bisect::Recover,
    ) -> Result<Option<Fetched>, Failure> {
        let found =
            extract::visible_in(&self.context.session, &mapping.model, ids, mapping.domain())?;
        if found.is_empty() {
            return Ok(None);
        }
        let fields = mapping.fields();
        let page =
            extract::read(&self.context.session, &mapping.model, found.clone(), &fields, None)?;
        match page.outcome()? {
            Ok(page) => Ok(Some(Fetched { page, bad: Vec::new() })),
            Err(error) if error.is_about_fields() && self.targets.is_from_memory() => {
                Err(error.into())
            }
            Err(error) => {
                recover(&self.context.session, &mapping.model, found, &fields, error).map(Some)
            }
        }
    }
}

/// What the quarantine keeps of values that could not be read.
fn unread(bad: &[BadValue]) -> Vec<Unread> {
    let unread = |bad: &BadValue| Unread {
        record: bad.id,
        field: bad.field.clone().unwrap_or_default(),
        error: bad.error.clone(),
    };
    bad.iter().map(unread).collect()
}

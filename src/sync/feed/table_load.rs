//! The load of one feed of a table, page by page.

use std::collections::VecDeque;
use std::mem;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};

use super::window::{Changed, Poll, latest_change, scan};
use crate::extract::{Fetched, Scan};
use crate::failure::Failure;
use crate::odoo::Page;
use crate::pg;
use crate::state::{Mark, Reached, Resume};
use crate::sync::feed::silent;
use crate::sync::feed::unchanged;
use crate::sync::feed::vanished::{Gone, Scanned};
use crate::sync::load::{deletes, owner, restore};
use crate::sync::mapping::lineage::lineage;
use crate::sync::work::changes::Moment;
use crate::sync::work::context::Context;
use crate::sync::work::parts::Work;
use crate::sync::work::progress::{Phase, Progress};
use crate::sync::work::targets::Target;
use crate::warehouse::Dataset;

/// A feed whose pages are being loaded.
pub struct TableLoad {
    dataset: &'static Dataset,
    feed: usize,
    target: Rc<Target>,
    stage: Stage,
    /// When the changes to read began; `None` to read everything.
    since: Option<String>,
    /// What has changed since then, if it was asked for and is not too much.
    changed: Option<Changed>,
    /// Records with values that changed in silence, asked for before the first page.
    silent: Option<VecDeque<i64>>,
    mark: Mark,
    progress: Option<Progress>,
    rows: usize,
    /// The latest change seen.
    latest: Option<String>,
    /// What the whole table looks like, if one page holds it.
    digest: Option<i64>,
    is_unchanged: bool,
    begin: Instant,
    started: SystemTime,
    /// Whether everything is read, and the feed is known to have had no row before.
    was_empty: bool,
    /// When the scan began by Odoo's clock, be it in an earlier job.
    began: Option<DateTime<Utc>>,
    /// Where an earlier part of the same scan ended, and how long it took.
    after: Option<i64>,
    before: Duration,
}

enum Stage {
    /// Whether anything has changed, in the table or beside it.
    Poll(Box<Poll>),
    Scan(Box<Scan>),
    Over,
}

impl TableLoad {
    /// Begins, or in a job goes on where the last one stopped, and waits for no record. `None`
    /// if Odoo has no such model, or is known to keep it from the user.
    pub fn begin(
        work: &mut Work,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<TableLoad>, Failure> {
        work.timed(dataset, |work| TableLoad::begin_now(work, dataset, feed))
    }

    pub fn is_of(&self, (dataset, feed): (&Dataset, usize)) -> bool {
        (self.dataset.table, self.feed) == (dataset.table, feed)
    }

    pub fn dataset(&self) -> &'static Dataset {
        self.dataset
    }

    pub fn feed(&self) -> usize {
        self.feed
    }

    /// Whether nothing has changed what is known of the feed since it was begun.
    pub fn is_current(&self, work: &Work) -> Result<bool, Failure> {
        Ok(self.mark.version == work.mark(&self.target.mapping, None)?.version)
    }

    /// Has Odoo work on the pages that are known, and waits for nothing.
    pub fn pump(&mut self) {
        if let Stage::Scan(scan) = &mut self.stage {
            // What fails does so again when its turn comes.
            let _ = scan.pump();
        }
    }

    fn begin_now(
        work: &mut Work,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<TableLoad>, Failure> {
        let Some(target) = work.target(dataset, feed)? else {
            return Ok(None);
        };
        let mapping = &target.mapping;
        owner::require_loadable(work.context.schema(), dataset)?;
        let Work { context, .. } = &*work;
        let may_write = || context.may_write(dataset);
        if context.store.remember_columns(context.key(mapping), &lineage(mapping), may_write)? {
            // The rows that were loaded before lack its values.
            let table = dataset.table.to_owned();
            context.store.forget_watermarks(&context.server.name, &[table])?;
        }
        let now = context.session.server_time();
        let mut mark = work.mark(mapping, now)?;
        let resume =
            mark.resume.take().filter(|_| context.remembers_pages() && !context.full_refresh);
        let since = match &resume {
            Some(resume) => resume.since.clone(),
            None if mark.since.is_some() && work.is_to_be_read_again(mapping)? => None,
            None => work.since(mapping, &mark),
        };
        let Resume { after, latest, seconds, began, .. } = resume.unwrap_or_default();
        let poll = match &since {
            Some(time) => Poll::begin(work, mapping, feed, time)?,
            None => None,
        };
        let stage = match poll {
            Some(poll) => Stage::Poll(Box::new(poll)),
            None => Stage::Scan(scan(work, mapping, since.as_deref(), after)?),
        };
        let started = SystemTime::now();
        // What is read whole in every run is small, and needs no such question.
        let may_be_first = since.is_none() && !mapping.is_read_whole();
        let was_empty = may_be_first && deletes::has_no_rows(work.context.schema(), dataset, feed)?;
        Ok(Some(TableLoad {
            dataset,
            feed,
            stage,
            since,
            changed: None,
            silent: None,
            mark,
            progress: None,
            rows: 0,
            latest,
            digest: None,
            is_unchanged: false,
            begin: Instant::now(),
            started,
            was_empty,
            began: began.or(now),
            after,
            before: Duration::from_secs_f64(seconds.max(0.0)),
            target: target.clone(),
        }))
    }

    /// Loads the next page. `false` after the last one, when what is gone was deleted and the
    /// watermark has moved.
    pub fn step(&mut self, work: &mut Work) -> Result<bool, Failure> {
        let dataset = self.dataset;
        work.timed(dataset, |work| {
            pg::in_own_memory(|| match self.load_page(work) {
                Err(failure)
                    if failure.is_denied() && self.rows == 0 && !work.targets.is_from_memory() =>
                {
                    work.deny(dataset, self.feed, failure).map(|()| false)
                }
                Err(failure) => Err(failure),
                Ok(true) => Ok(true),
                Ok(false) => self.finish(work).map(|()| false),
            })
        })
    }

    /// Whether it went on where another job had stopped.
    pub fn is_resumed(&self) -> bool {
        self.after.is_some()
    }

    /// Whether all that is left is on its way.
    pub fn is_all_asked(&self) -> bool {
        match &self.stage {
            Stage::Poll(_) => false,
            Stage::Scan(scan) => scan.is_all_asked(),
            Stage::Over => true,
        }
    }

    /// `false` if that was the last one.
    fn load_page(&mut self, work: &mut Work) -> Result<bool, Failure> {
        let mut silent = match self.silent.take() {
            Some(silent) => silent,
            None => self.find_silent(&work.context)?,
        };
        let before = self.rows;
        let more = self.load_scanned(work)?;
        if !more && self.rows == before {
            let batch = silent.len().min(work.context.server.options.batch());
            self.load_silent(work, silent.drain(..batch).collect())?;
        }
        let is_over = !more && silent.is_empty();
        self.silent = Some(silent);
        Ok(!is_over)
    }

    /// What a scan of changes does not see; a scan of everything sees all.
    fn find_silent(&self, context: &Context) -> Result<VecDeque<i64>, Failure> {
        if self.since.is_none() {
            return Ok(VecDeque::new());
        }
        let (schema, mapping) = (context.schema(), &self.target.mapping);
        Ok(silent::turned(&context.session, schema, mapping, self.feed)?.into_iter().collect())
    }

    fn load_silent(&self, work: &mut Work, ids: Vec<i64>) -> Result<(), Failure> {
        if ids.is_empty() {
            return Ok(());
        }
        if let Some(fetched) = work.fetch(&self.target.mapping, &ids)? {
            work.load(self.dataset, &self.target, fetched)?;
            work.reports.of(self.dataset).add_page();
        }
        Ok(())
    }

    /// The next page of the scan; `false` if that was the last one.
    fn load_scanned(&mut self, work: &mut Work) -> Result<bool, Failure> {
        let mut scan = match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Over => return Ok(false),
            Stage::Scan(scan) => scan,
            Stage::Poll(poll) => {
                self.take_changes(work, *poll)?;
                match &self.changed {
                    Some(changed) if changed.is_empty() => return Ok(false),
                    Some(changed) => changed.scan(work, &self.target.mapping, self.after)?,
                    None => scan(work, &self.target.mapping, self.since.as_deref(), self.after)?,
                }
            }
        };
        let progress = match &mut self.progress {
            Some(progress) => progress,
            none => none.insert(Progress::begin(&work.context.server, self.dataset.table)?),
        };
        let page = scan.next()?;
        progress.expect(scan.total());
        let is_whole = scan.present().is_some();
        let bad = scan.take_bad();
        let is_over = scan.is_over();
        self.stage = Stage::Scan(scan);
        let Some(page) = page else {
            return Ok(false);
        };
        self.rows += page.rows();
        // Records that came as parents before are not counted again.
        let ids = page.ids();
        let again = work.fetching.count_asked(self.dataset, self.feed, &ids);
        let now = work.context.session.server_time();
        self.latest = self.latest.take().max(latest_change(&page, now));
        if is_whole && is_over && bad.is_empty() && self.since.is_none() && self.after.is_none() {
            let zone = &work.context.server.options.timezone;
            self.digest = unchanged::digest(&self.target.mapping, &page, zone);
        }
        self.is_unchanged = self.is_as_before(work, &page)?;
        if self.is_unchanged {
            work.reports.of(self.dataset).add_unchanged(ids.len());
        } else {
            work.load(self.dataset, &self.target, Fetched { page, bad })?;
        }
        let report = work.reports.of(self.dataset);
        report.count_once(again);
        report.add_page();
        if let Some(progress) = &mut self.progress {
            progress.tell(self.rows);
        }
        if is_over {
            return Ok(false);
        }
        if let (Some(last), true) = (ids.last(), work.context.remembers_pages()) {
            let (context, resume) = (&work.context, self.resume(*last));
            context.store.remember_page(context.key(&self.target.mapping), &resume)?;
        }
        Ok(true)
    }

    /// Learns what has changed. The scan began when that was asked for, be it for another table.
    fn take_changes(&mut self, work: &mut Work, poll: Poll) -> Result<(), Failure> {
        self.changed = poll.end(work, &self.target.mapping)?;
        if let Some(Changed { asked, .. }) = &self.changed {
            let begun = Moment { here: self.begin, in_odoo: self.began }.min(*asked);
            (self.begin, self.began) = (begun.here, begun.in_odoo);
        }
        Ok(())
    }

    /// Where another job would go on after this page.
    fn resume(&self, last: i64) -> Resume {
        Resume {
            after: Some(last),
            since: self.since.clone(),
            latest: self.latest.clone(),
            seconds: self.worked().as_secs_f64(),
            began: self.began,
        }
    }

    /// How long the parts of the scan took.
    fn worked(&self) -> Duration {
        self.before + self.begin.elapsed()
    }

    /// How long ago the scan began: by Odoo's clock hours may lie between its parts, or in one of
    /// them, if this machine slept.
    fn took(&self, now: Option<DateTime<Utc>>) -> Duration {
        let passed = self.began.zip(now).and_then(|(began, now)| (now - began).to_std().ok());
        self.worked().max(passed.unwrap_or_default())
    }

    /// Whether Odoo shows the very values that the last run loaded.
    fn is_as_before(&self, work: &Work, page: &Page) -> Result<bool, Failure> {
        let Some(digest) = self.digest else {
            return Ok(false);
        };
        let since = self.mark.since.as_deref();
        unchanged::is_as_before(work, &self.target.mapping, self.feed, (digest, page), since)
    }

    /// What the scan has seen.
    fn scanned(&self) -> Scanned<'_> {
        Scanned {
            dataset: self.dataset,
            target: &self.target,
            since: self.since.as_deref(),
            started: self.started,
            was_empty: self.was_empty,
            present: self.present(),
            changed: self.changed.as_ref(),
        }
    }

    /// Every id of the table, if the scan saw them all at once.
    fn present(&self) -> Option<&[i64]> {
        match &self.stage {
            Stage::Scan(scan) if self.after.is_none() => scan.present(),
            _ => None,
        }
    }

    fn finish(&mut self, work: &mut Work) -> Result<(), Failure> {
        work.retry_quarantined(self.dataset, &self.target, self.started)?;
        if let Some(progress) = &self.progress {
            progress.show(Phase::LookingForDeletes, self.rows);
        }
        if !self.is_unchanged {
            let gone = Gone::find(work, &self.scanned())?;
            // All of it was asked for: no row is locked while Odoo is asked.
            if !gone.is_empty() {
                if !work.context.may_write(self.dataset)? {
                    return Err(work.context.rows_taken(self.dataset));
                }
                let deleted = gone.delete(&work.context, self.dataset, self.feed)?;
                work.reports.of(self.dataset).add_deleted(deleted);
            }
        }
        work.fetching.changes.keep_time(&work.context.cache, &self.target.mapping.model)?;
        if self.since.is_none() && !self.is_unchanged {
            let may_write = |heir: &Dataset| work.context.may_write(heir);
            restore::pass_on_from(work.context.schema(), self.dataset, self.feed, None, may_write)?;
        }
        if self.since.is_none() && !self.is_resumed() {
            work.forget_denied(&self.target.mapping)?;
        }
        work.note_unsearched(&self.target.mapping)?;
        if self.since.is_none() {
            let key = work.context.key(&self.target.mapping);
            work.context.store.forget_unwatched(key, self.started)?;
        }
        let reached = Reached {
            latest: self.latest.take(),
            took: self.took(work.context.session.server_time()),
            began: self.began,
            may_go_back: self.since.is_none(),
        };
        self.progress = None;
        if self.target.mapping.is_read_whole() && !self.is_unchanged {
            unchanged::keep(&work.context, &self.target.mapping, self.digest)?;
        }
        // Of a scan that was interrupted, all of it is read again.
        if !self.is_resumed() {
            work.context.keep_day(self.dataset, self.began)?;
        }
        work.move_watermark(&self.target.mapping, &reached)
    }
}

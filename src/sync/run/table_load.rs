//! The load of one feed of a table, page by page.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use crate::extract::Fetched;
use crate::extract::Pace;
use crate::extract::{CHUNK, Scan, Wanted};
use crate::failure::{Failure, warning};
use crate::odoo::{BEFORE_ALL, Cells, Connection, Domain, Error, Page};
use crate::pg;
use crate::server::Ticket;
use crate::server::lock;
use crate::state::store::{Mark, Reached, Resume};
use crate::sync::load::deletes;
use crate::sync::load::owner;
use crate::sync::load::restore;
use crate::sync::mapping::feed::Plan;
use crate::sync::mapping::lineage::lineage;
use crate::sync::run::driver::{Run, Target};
use crate::sync::run::progress::{Phase, Progress};
use crate::sync::run::silent;
use crate::sync::run::vanished::Gone;
use crate::warehouse::{self, Dataset, Source};

/// A feed whose pages are being loaded.
pub struct FeedLoad {
    pub(in crate::sync) dataset: &'static Dataset,
    pub(in crate::sync) feed: usize,
    pub(in crate::sync) target: Rc<Target>,
    stage: Stage,
    /// When the changes to read began; `None` to read everything.
    pub(in crate::sync) since: Option<String>,
    /// Records that have changed since then, of the table or not, if they are not too many.
    pub(in crate::sync) changed: Option<Vec<i64>>,
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
    pub(in crate::sync) started: SystemTime,
    /// When the scan began by Odoo's clock, be it in an earlier job.
    began: Option<DateTime<Utc>>,
    /// Where an earlier part of the same scan ended, and how long it took.
    pub(in crate::sync) after: Option<i64>,
    before: Duration,
}

enum Stage {
    /// Whether anything has changed, in the table or beside it.
    Probe(Ticket<Vec<i64>>),
    Scan(Box<Scan>),
    Over,
}

impl FeedLoad {
    /// Begins, or in a job goes on where the last one stopped, and waits for no record. `None`
    /// if Odoo has no such model, or is known to keep it from the user.
    pub fn begin(
        run: &mut Run,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<FeedLoad>, Failure> {
        if let Some(ahead) = run.ahead.take()
            && (ahead.dataset.table, ahead.feed) == (dataset.table, feed)
            // Another session may have loaded it meanwhile.
            && ahead.mark.version == run.mark(&ahead.target.plan, None)?.version
        {
            return Ok(Some(ahead));
        }
        run.timed(dataset, |run| FeedLoad::begin_now(run, dataset, feed))
    }

    /// Begins the feed after this one, so that Odoo works on it while this one's last pages are
    /// loaded. What fails here does so again when its turn comes.
    fn look_ahead(&self, run: &mut Run) {
        let Some((dataset, feed)) = run.after(self.dataset, self.feed) else {
            return;
        };
        if run.ahead.is_none() {
            let begin = || run.timed(dataset, |run| FeedLoad::begin_now(run, dataset, feed));
            run.ahead = pg::subtransaction(begin).ok().flatten();
        }
        if let Some(FeedLoad { stage: Stage::Scan(scan), .. }) = &mut run.ahead {
            let _ = scan.pump();
        }
    }

    fn begin_now(
        run: &mut Run,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<FeedLoad>, Failure> {
        let Some(target) = run.target(dataset, feed)? else {
            return Ok(None);
        };
        let plan = &target.plan;
        owner::require_loadable(&run.server.options.schema, dataset)?;
        let may_write = || run.may_write(dataset);
        let key = plan.key(&run.server.name);
        if run.extension.remember_columns(key, &lineage(plan), may_write)? {
            // The rows that were loaded before lack its values.
            let table = dataset.table.to_owned();
            run.extension.forget_watermarks(&run.server.name, &[table])?;
        }
        let now = run.session.server_time();
        let mut mark = run.mark(plan, now)?;
        let resume = mark.resume.take().filter(|_| run.is_job && !run.full_refresh);
        let since = match &resume {
            Some(resume) => resume.since.clone(),
            None if mark.since.is_some() && run.is_to_be_read_again(plan)? => None,
            None => run.since(plan, &mark),
        };
        let Resume { after, latest, seconds, began, .. } = resume.unwrap_or_default();
        let stage = match &since {
            Some(time) if after.is_none() && plan.domain() != Domain::all() => {
                Stage::Probe(probe(run, plan, time)?)
            }
            _ => Stage::Scan(scan(run, plan, since.as_deref(), after)?),
        };
        Ok(Some(FeedLoad {
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
            started: SystemTime::now(),
            began: began.or(now),
            after,
            before: Duration::from_secs_f64(seconds.max(0.0)),
            target: target.clone(),
        }))
    }

    /// Loads the next page. `false` after the last one, when what is gone was deleted and the
    /// watermark has moved.
    pub fn step(&mut self, run: &mut Run) -> Result<bool, Failure> {
        let dataset = self.dataset;
        let more = run.timed(dataset, |run| {
            pg::in_own_memory(|| match self.load_page(run) {
                Err(failure)
                    if failure.is_denied() && self.rows == 0 && !run.catalogue.is_from_memory() =>
                {
                    run.deny(dataset, self.feed, failure).map(|()| false)
                }
                Err(failure) => Err(failure),
                Ok(true) => Ok(true),
                Ok(false) => self.finish(run).map(|()| false),
            })
        })?;
        if self.is_all_asked() {
            self.look_ahead(run);
        }
        Ok(more)
    }

    /// Whether it went on where another job had stopped.
    pub fn is_resumed(&self) -> bool {
        self.after.is_some()
    }

    fn is_all_asked(&self) -> bool {
        match &self.stage {
            Stage::Probe(_) => false,
            Stage::Scan(scan) => scan.is_all_asked(),
            Stage::Over => true,
        }
    }

    /// `false` if that was the last one.
    fn load_page(&mut self, run: &mut Run) -> Result<bool, Failure> {
        let mut silent = match self.silent.take() {
            Some(silent) => silent,
            None => self.find_silent(run)?,
        };
        let before = self.rows;
        let more = self.load_scanned(run)?;
        if !more && self.rows == before {
            let batch = silent.len().min(run.server.options.batch());
            self.load_silent(run, silent.drain(..batch).collect())?;
        }
        let is_over = !more && silent.is_empty();
        self.silent = Some(silent);
        Ok(!is_over)
    }

    /// What a scan of changes does not see; a scan of everything sees all.
    fn find_silent(&self, run: &Run) -> Result<VecDeque<i64>, Failure> {
        if self.since.is_none() {
            return Ok(VecDeque::new());
        }
        let (schema, plan) = (&run.server.options.schema, &self.target.plan);
        Ok(silent::turned(&run.session, schema, plan, self.feed)?.into_iter().collect())
    }

    fn load_silent(&self, run: &mut Run, ids: Vec<i64>) -> Result<(), Failure> {
        if ids.is_empty() {
            return Ok(());
        }
        if let Some(fetched) = run.fetch(&self.target.plan, &ids)? {
            run.load(self.dataset, &self.target, fetched)?;
            run.report(self.dataset).pages += 1;
        }
        Ok(())
    }

    /// The next page of the scan; `false` if that was the last one.
    fn load_scanned(&mut self, run: &mut Run) -> Result<bool, Failure> {
        let mut scan = match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Over => return Ok(false),
            Stage::Scan(scan) => scan,
            Stage::Probe(probe) => {
                let changed = probe.wait()?;
                if changed.is_empty() {
                    self.changed = Some(changed);
                    return Ok(false);
                }
                self.changed = Some(changed).filter(|ids| ids.len() < CHUNK);
                scan(run, &self.target.plan, self.since.as_deref(), None)?
            }
        };
        let server = run.server.clone();
        let progress = match &mut self.progress {
            Some(progress) => progress,
            none => none.insert(Progress::begin(&server, self.dataset.table)?),
        };
        let page = scan.next()?;
        progress.expect(scan.total());
        let is_whole = scan.present().is_some();
        let poison = scan.take_poison();
        let is_over = scan.is_over();
        self.stage = Stage::Scan(scan);
        let Some(page) = page else {
            return Ok(false);
        };
        self.rows += page.rows();
        // Records that came as parents before are not counted again.
        let ids = page.ids();
        let known = |id: &&i64| run.asked.contains(&(self.dataset.table, self.feed, **id));
        let again = ids.iter().filter(known).count() as i64;
        let now = run.session.server_time();
        self.latest = self.latest.take().max(latest_change(&page, now));
        if is_whole && is_over && poison.is_empty() {
            self.digest = self.digest_of(&page, &server.options.timezone);
        }
        if self.digest.is_some() && self.is_as_before(run, &page)? {
            self.is_unchanged = true;
            run.report(self.dataset).fetched += ids.len() as i64;
        } else {
            run.load(self.dataset, &self.target, Fetched { page, poison })?;
        }
        let report = run.report(self.dataset);
        report.fetched -= again;
        report.pages += 1;
        if let Some(progress) = &mut self.progress {
            progress.tell(self.rows);
        }
        if is_over {
            return Ok(false);
        }
        if let (Some(last), true) = (ids.last(), run.is_job) {
            run.extension.remember_page(self.target.plan.key(&server.name), &self.resume(*last))?;
        }
        Ok(true)
    }

    /// A number for all values of a table that every run reads whole.
    fn digest_of(&self, page: &Page, zone: &str) -> Option<i64> {
        let inherits = |source| matches!(source, Source::Inherited { .. });
        let is_closed = !self.dataset.columns.iter().any(|column| inherits(column.source));
        let is_whole = self.since.is_none() && self.after.is_none();
        (is_closed && is_whole && self.target.plan.is_read_whole()).then(|| {
            let mut hasher = DefaultHasher::new();
            (page, zone).hash(&mut hasher);
            hasher.finish().cast_signed()
        })
    }

    /// Whether Odoo shows the very values that the last run loaded, and those of the records
    /// that they lead to are as old.
    fn is_as_before(&self, run: &mut Run, page: &Page) -> Result<bool, Failure> {
        let plan = &self.target.plan;
        let remembered = run.memory.recall(&digest_name(plan), None)?;
        let is_same = remembered.is_some() && remembered == self.digest.map(Json::from);
        if run.full_refresh || !is_same || !run.is_settled(plan)? {
            return Ok(false);
        }
        // Nobody has edited, added or deleted a row.
        let schema = &run.server.options.schema;
        if deletes::count_unedited(schema, self.dataset, self.feed)? != Some(self.rows as i64) {
            return Ok(false);
        }
        let Some(since) = &self.mark.since else {
            return Ok(false);
        };
        if run.was_denied(plan)? {
            return Ok(false);
        }
        let Some(questions) = plan.related_since(since, page) else {
            return Ok(false);
        };
        for (model, domain) in questions {
            let search =
                move |odoo: &Connection| odoo.model(&model).search_after(domain, BEFORE_ALL, 1);
            match run.session.submit(search)?.outcome()? {
                Ok(changed) if changed.is_empty() => {}
                // Of a fault nothing is known.
                Ok(_) | Err(Error::Fault(_)) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
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

    /// Every id of the table, if the scan saw them all at once.
    pub(in crate::sync) fn present(&self) -> Option<&[i64]> {
        match &self.stage {
            Stage::Scan(scan) if self.after.is_none() => scan.present(),
            _ => None,
        }
    }

    fn finish(&mut self, run: &mut Run) -> Result<(), Failure> {
        run.retry_quarantined(self.dataset, &self.target, self.started)?;
        if let Some(progress) = &self.progress {
            progress.show(Phase::LookingForDeletes, self.rows);
        }
        if !self.is_unchanged {
            let gone = Gone::find(run, self)?;
            // All of it was asked for: no row is locked while Odoo is asked.
            if !gone.is_empty() {
                if !run.may_write(self.dataset)? {
                    return Err(lock::rows_taken(&run.server, warehouse::entity_of(self.dataset)));
                }
                let deleted = gone.delete(&run.server.options.schema, self.dataset, self.feed)?;
                run.report(self.dataset).deleted += deleted;
            }
        }
        self.share_changes(run);
        match self.since.is_none() && !self.is_resumed() {
            true => run.forget_denied(&self.target.plan)?,
            false => run.note_denied(&self.target.plan)?,
        }
        if self.since.is_none() {
            let key = self.target.plan.key(&run.server.name);
            run.extension.vouch(key, self.started)?;
        }
        let reached = Reached {
            latest: self.latest.take(),
            took: self.took(run.session.server_time()),
            began: self.began,
            may_go_back: self.since.is_none(),
        };
        self.progress = None;
        if self.target.plan.is_read_whole() && !self.is_unchanged {
            let digest = self.digest.map_or(Json::Null, Json::from);
            run.memory.keep(&digest_name(&self.target.plan), digest)?;
        }
        run.extension.move_watermark(self.target.plan.key(&run.server.name), &reached)
    }

    /// Tells the feeds that follow which records of the model have changed.
    fn share_changes(&mut self, run: &mut Run) {
        let plan = &self.target.plan;
        let all = match self.changed.take() {
            None if plan.domain() == Domain::all() => self.present().map(<[i64]>::to_vec),
            changed => changed,
        };
        if let (Some(since), Some(ids)) = (&self.since, all) {
            run.changed.insert(plan.model.clone(), (since.clone(), ids));
        }
    }
}

fn digest_name(plan: &Plan) -> String {
    format!("values {} {}", plan.dataset.table, plan.feed.channel.unwrap_or_default())
}

fn probe(run: &Run, plan: &Plan, since: &str) -> Result<Ticket<Vec<i64>>, Failure> {
    let (model, changed) = (plan.model.clone(), plan.changed_since(since));
    run.session.submit(move |odoo| odoo.model(&model).search_after(changed, BEFORE_ALL, CHUNK))
}

fn scan(
    run: &Run,
    plan: &Plan,
    since: Option<&str>,
    after: Option<i64>,
) -> Result<Box<Scan>, Failure> {
    let domain = match since {
        Some(time) => plan.domain().and(plan.changed_since(time)),
        None => plan.domain(),
    };
    let wanted = Wanted {
        model: plan.model.clone(),
        domain,
        fields: plan.fields(),
        after: after.unwrap_or(BEFORE_ALL),
        at_once: since.is_some() || plan.is_read_whole(),
        from_memory: run.catalogue.is_from_memory(),
    };
    let pace = Pace::new(run.server.options.page_size);
    Ok(Box::new(Scan::begin(&run.session, wanted, pace)?))
}

/// The latest write_date of a page, by which the watermark moves: not one that lies ahead of
/// Odoo's clock.
fn latest_change(page: &Page, now: Option<DateTime<Utc>>) -> Option<String> {
    let now =
        now.unwrap_or_else(|| SystemTime::now().into()).format("%Y-%m-%d %H:%M:%S+00").to_string();
    match page.column("write_date") {
        Some(Cells::Texts(dates)) => {
            dates.iter().flatten().filter(|date| *date <= now.as_str()).max().map(str::to_owned)
        }
        _ => None,
    }
}

impl Run {
    /// What is remembered of a feed.
    fn mark(&self, plan: &Plan, now: Option<DateTime<Utc>>) -> Result<Mark, Failure> {
        self.extension.mark(plan.key(&self.server.name), self.server.options.overlap, now)
    }

    /// Whether rows that did not change in Odoo are to be read again too.
    fn is_to_be_read_again(&self, plan: &Plan) -> Result<bool, Failure> {
        Ok(self.extension.is_in_doubt(plan.key(&self.server.name))?
            || self.is_allowed_again(plan)?)
    }

    /// When the changes to read began; `None` to read everything.
    fn since(&self, plan: &Plan, mark: &Mark) -> Option<String> {
        if self.full_refresh || plan.is_read_whole() {
            return None;
        }
        if mark.is_future {
            warning!(
                "{}: its watermark lies ahead of Odoo's clock, which must have been set back; everything is read again",
                plan.dataset.table
            );
            return None;
        }
        mark.since.clone()
    }

    /// Whether nothing of a table is missing or quarantined.
    fn is_settled(&self, plan: &Plan) -> Result<bool, Failure> {
        let table = plan.dataset.table;
        let missing = restore::count_missing(&self.server.options.schema)?;
        let quarantined = self.extension.count_quarantined(&self.server.name)?;
        Ok(!missing.contains_key(table) && !quarantined.contains_key(table))
    }
}

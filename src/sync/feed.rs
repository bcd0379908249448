//! The load of one feed of a table, page by page.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use pgrx::prelude::*;

use super::extract::{self, Scan};
use super::plan::{Catalogue, Plan};
use super::progress::{Phase, Progress};
use super::run::{Fetched, Run, Target, is_denied};
use super::{delete, lock};
use crate::backend;
use crate::failure::Failure;
use crate::odoo::{Cells, Domain, Page, Value};
use crate::settings::{self, Without};
use crate::warehouse::{self, Dataset, Extent};

/// A feed whose pages are being loaded.
pub struct FeedLoad {
    dataset: &'static Dataset,
    feed: usize,
    target: Rc<Target>,
    scan: Scan,
    /// When the changes to read began; `None` to read everything.
    since: Option<String>,
    progress: Progress,
    rows: usize,
    /// The latest change seen.
    latest: Option<String>,
    begin: Instant,
    started: SystemTime,
    /// How long earlier parts of the same scan took.
    before: Duration,
}

impl FeedLoad {
    /// Begins, or in a job goes on where the last one stopped. `None` if Odoo has no such model
    /// or the user may not read it.
    pub fn begin(
        run: &mut Run,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<FeedLoad>, Failure> {
        run.timed(dataset, |run| FeedLoad::scan(run, dataset, feed))
    }

    fn scan(
        run: &mut Run,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<FeedLoad>, Failure> {
        let Some(target) = run.target(dataset, feed)? else {
            return Ok(None);
        };
        let plan = &target.plan;
        let resume = run.resume(plan)?.unwrap_or_default();
        let since = match resume.after {
            Some(_) => resume.since,
            None => run.since(plan)?,
        };
        let mut domain = plan.domain();
        if let Some(time) = &since {
            domain = domain.and(plan.changed_since(time));
        }
        let after = resume.after.unwrap_or(0);
        if after > 0 {
            domain = domain.and(Domain::leaf("id", ">", after));
        }
        let page_size = run.server.options.page_size;
        let scan = Scan::begin(&run.session, &plan.model, domain, plan.fields(), page_size);
        let scan = match scan {
            Err(failure) if is_denied(&failure) => {
                run.deny(dataset, feed, failure);
                return Ok(None);
            }
            scan => scan?,
        };
        let progress = Progress::begin(&run.server, dataset.table, scan.total())?;
        Ok(Some(FeedLoad {
            dataset,
            feed,
            target,
            scan,
            since,
            progress,
            rows: 0,
            latest: resume.latest,
            begin: Instant::now(),
            started: SystemTime::now(),
            before: Duration::from_secs_f64(resume.seconds.max(0.0)),
        }))
    }

    /// Loads the next page. `false` after the last one, when what is gone was deleted and the
    /// watermark has moved.
    pub fn step(&mut self, run: &mut Run) -> Result<bool, Failure> {
        let dataset = self.dataset;
        run.timed(dataset, |run| {
            backend::in_own_memory(|| {
                let more = self.load_page(run)?;
                if !more {
                    self.finish(run)?;
                }
                Ok(more)
            })
        })
    }

    fn load_page(&mut self, run: &mut Run) -> Result<bool, Failure> {
        let Some(page) = self.scan.next()? else {
            return Ok(false);
        };
        self.rows += page.rows();
        // Records that came as parents before are not counted again.
        let ids = page.ids();
        let known = |id: &&i64| run.asked.contains(&(self.dataset.table, self.feed, **id));
        let again = ids.iter().filter(known).count();
        self.latest = self.latest.take().max(latest_change(&page));
        let fetched = Fetched { page, poison: self.scan.take_poison() };
        run.load(self.dataset, &self.target, fetched)?;
        let report = run.report(self.dataset);
        report.fetched -= again as i64;
        report.pages += 1;
        self.progress.tell(self.rows);
        if let Some(last) = ids.last() {
            run.remember_page(&self.target.plan, &self.resume(*last))?;
        }
        Ok(true)
    }

    /// Where another job would go on after this page.
    fn resume(&self, last: i64) -> Resume {
        Resume {
            after: Some(last),
            since: self.since.clone(),
            latest: self.latest.clone(),
            seconds: self.took().as_secs_f64(),
        }
    }

    fn took(&self) -> Duration {
        self.before + self.begin.elapsed()
    }

    fn finish(&mut self, run: &mut Run) -> Result<(), Failure> {
        run.retry_quarantined(self.dataset, &self.target, self.started)?;
        self.progress.show(Phase::LookingForDeletes, self.rows);
        let plan = &self.target.plan;
        let gone = match &self.since {
            None => Gone::all(run, plan)?,
            Some(time) => Gone::since(run, plan, time)?,
        };
        // All of it was asked for: no row is locked while Odoo is asked.
        if !run.may_write(self.dataset)? {
            return Err(lock::rows_taken(&run.server, warehouse::entity_of(self.dataset)));
        }
        let deleted = gone.delete(&run.server.options.schema, self.dataset, self.feed)?;
        run.report(self.dataset).deleted += deleted;
        run.move_watermark(plan, self.latest.as_deref(), self.took(), self.since.is_none())
    }
}

/// What of a feed's table Odoo no longer has.
#[derive(Default)]
struct Gone {
    /// All ids that it has, after everything was read.
    present: Option<Vec<i64>>,
    /// Records that left the table's domain.
    left: Vec<i64>,
    /// Changed owners, and the parts that they have.
    parts: Vec<(Vec<i64>, Vec<i64>)>,
}

impl Gone {
    fn all(run: &Run, plan: &Plan) -> Result<Gone, Failure> {
        let present = extract::ids(&run.session, &plan.model, plan.domain())?;
        Ok(Gone { present: Some(present), ..Gone::default() })
    }

    fn since(run: &mut Run, plan: &Plan, time: &str) -> Result<Gone, Failure> {
        let ids = |model: &str, domain| extract::ids(&run.session, model, domain);
        let mut gone = Gone::default();
        if plan.domain() != Domain::all() {
            let changed = plan.changed_since(time);
            let all = ids(&plan.model, changed.clone())?;
            let inside: HashSet<i64> =
                ids(&plan.model, plan.domain().and(changed))?.into_iter().collect();
            gone.left = all.into_iter().filter(|id| !inside.contains(id)).collect();
        }
        let Some((field, model)) = owner(&mut run.catalogue, plan)? else {
            return Ok(gone);
        };
        let changed = Domain::leaf("write_date", ">=", time);
        for owners in ids(&model, changed)?.chunks(OWNERS) {
            let theirs = Domain::leaf(&field, "in", owners.iter().copied().collect::<Value>());
            let parts = ids(&plan.model, plan.domain().and(theirs))?;
            gone.parts.push((owners.to_vec(), parts));
        }
        Ok(gone)
    }

    /// Returns how many rows.
    fn delete(self, schema: &str, dataset: &'static Dataset, feed: usize) -> Result<i64, Failure> {
        let mut deleted = delete::rows(schema, dataset, feed, &self.left)?;
        if let Some(present) = self.present {
            deleted += delete::vanished(schema, dataset, feed, &present)?;
        }
        for (owners, parts) in self.parts {
            let column = dataset.owner.unwrap_or_default();
            deleted += delete::vanished_parts(schema, dataset, feed, column, &owners, &parts)?;
        }
        Ok(deleted)
    }
}

/// The field that leads to the record which this one is a part of, and its model.
fn owner(catalogue: &mut Catalogue, plan: &Plan) -> Result<Option<(String, String)>, Failure> {
    let field = plan.dataset.owner.and_then(|column| plan.field_of(column));
    let Some(field) = field.filter(|_| !settings::is_without(Without::LineComparison)) else {
        return Ok(None);
    };
    let fields = catalogue.fields(&plan.model)?;
    let model = fields.as_ref().and_then(|fields| fields.get(field)?.relation.clone());
    Ok(model.map(|model| (field.to_owned(), model)))
}

/// Where a job stopped in the middle of a feed.
#[derive(Debug, Default)]
pub struct Resume {
    /// The last id that was loaded.
    pub after: Option<i64>,
    pub since: Option<String>,
    pub latest: Option<String>,
    /// How long the scan took until then.
    pub seconds: f64,
}

/// Owners whose parts are asked for at once.
const OWNERS: usize = 1_000;

/// The latest write_date of a page.
fn latest_change(page: &Page) -> Option<String> {
    match page.column("write_date") {
        Some(Cells::Texts(dates)) => dates.iter().flatten().max().map(str::to_owned),
        _ => None,
    }
}

impl Run {
    /// Where the last job stopped in the middle of a feed. Other runs begin anew.
    fn resume(&self, plan: &Plan) -> Result<Option<Resume>, Failure> {
        match self.is_job && !self.full_refresh {
            true => self.extension.resume(&self.server.name, plan),
            false => Ok(None),
        }
    }

    fn remember_page(&self, plan: &Plan, resume: &Resume) -> Result<(), Failure> {
        match self.is_job {
            true => self.extension.remember_page(&self.server.name, plan, resume),
            false => Ok(()),
        }
    }

    fn move_watermark(
        &self,
        plan: &Plan,
        latest: Option<&str>,
        took: Duration,
        back: bool,
    ) -> Result<(), Failure> {
        match latest {
            Some(latest) => {
                self.extension.move_watermark(&self.server.name, plan, latest, took, back)
            }
            None => Ok(()),
        }
    }

    /// When the changes to read began; `None` to read everything.
    fn since(&self, plan: &Plan) -> Result<Option<String>, Failure> {
        if self.full_refresh || plan.dataset.extent == Extent::Whole || !plan.is_dated {
            return Ok(None);
        }
        let now = self.session.call(|odoo| Ok(odoo.server_time()))?;
        let overlap = self.server.options.overlap;
        let since = self.extension.since(&self.server.name, plan, overlap, now)?;
        match since {
            Some(since) if since.is_future => {
                warning!(
                    "{}: its watermark lies ahead of Odoo's clock, which must have been set back; everything is read again",
                    plan.dataset.table
                );
                Ok(None)
            }
            since => Ok(since.map(|since| since.time)),
        }
    }
}

//! What a run has been given. Nothing of it changes while the run goes on.

use std::rc::Rc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};

use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, FieldType, Identity};
use crate::server::lock;
use crate::server::{Server, Session};
use crate::state::{Cache, FeedKey, Store};
use crate::sync::load::own::{history, snapshot};
use crate::sync::mapping::feed::Mapping;
use crate::sync::tables::ready::Widths;
use crate::warehouse::history::may_be_kept;
use crate::warehouse::{self, Dataset, Entity};

pub struct Context {
    pub server: Server,
    pub session: Rc<Session>,
    pub identity: Identity,
    pub store: Store,
    pub cache: Cache,
    pub widths: Widths,
    /// Everything is read, whatever has changed.
    pub full_refresh: bool,
    /// Pages are committed one by one, and so remembered.
    pub is_job: bool,
    /// Only what a job that follows saw change is read. Whole runs vouch for the rest, so how far
    /// they read stays as it is.
    pub only_news: bool,
}

impl Context {
    /// The schema that the server fills.
    pub fn schema(&self) -> &str {
        &self.server.options.schema
    }

    /// Whether it is remembered how far a scan has come.
    pub fn remembers_pages(&self) -> bool {
        self.is_job && !self.only_news
    }

    /// What state of a feed is kept by.
    pub fn key(&self, mapping: &Mapping) -> FeedKey<'_> {
        mapping.key(&self.server.name)
    }

    /// Keeps other runs from an entity, and from its rows, until the transaction ends.
    pub fn lock(&self, entity: &Entity) -> Result<(), Failure> {
        lock::take(&self.server, entity.name)?;
        lock::take_rows(&self.server, entity.name)
    }

    /// Whether rows of a table may be written without waiting for somebody's transaction.
    pub fn may_write(&self, dataset: &Dataset) -> Result<bool, Failure> {
        lock::may_write(&self.server, warehouse::entity_of(dataset), self.is_job)
    }

    /// The time by Odoo's clock, if a table keeps its history: that of changes which Odoo does not
    /// date. Asked when rows may be written, as others begin and end histories meanwhile.
    pub fn clock_of_history(&self, dataset: &Dataset) -> Result<Option<DateTime<Utc>>, Failure> {
        let Context { store, server, session, .. } = self;
        if !may_be_kept(dataset) || !store.keeps_history(&server.name, dataset.table)? {
            return Ok(None);
        }
        history::require(self.schema(), dataset)?;
        Ok(Some(session.server_time().unwrap_or_else(|| SystemTime::now().into())))
    }

    /// The error of a run that may not write a table of its own.
    pub fn rows_taken(&self, dataset: &Dataset) -> Failure {
        lock::rows_taken(&self.server, warehouse::entity_of(dataset))
    }

    /// Keeps what a table that was read whole holds now as the end of its day, where it has a
    /// table of days. `began` is when it was read, by Odoo's clock.
    pub fn keep_day(&self, dataset: &Dataset, began: Option<DateTime<Utc>>) -> Result<(), Failure> {
        warehouse::snapshot_of(dataset).map_or(Ok(()), |snapshot| {
            let read_at = began.unwrap_or_else(|| SystemTime::now().into());
            snapshot::take(self.schema(), snapshot, read_at, &self.server.options.timezone)
        })
    }

    /// Whether the user may search and read the records of a mapping.
    pub fn shows_some(&self, mapping: &Mapping) -> Result<(), Failure> {
        let (model, domain) = (mapping.model.clone(), mapping.domain());
        self.session.call(move |odoo| {
            let ids = odoo.model(&model).search_after(domain, BEFORE_ALL, 1)?;
            odoo.model(&model).read(ids, &[("id", FieldType::Integer)]).map(drop)
        })
    }
}

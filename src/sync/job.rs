//! A run that commits page by page: a step at a time, between which the caller commits.

use std::collections::VecDeque;

use super::feed::FeedLoad;
use super::lock;
use super::report::Status;
use super::run::Run;
use crate::backend;
use crate::failure::Failure;
use crate::server::Server;
use crate::warehouse::{Dataset, Entity};

/// A job in progress. Its session and the pages on their way live across the commits.
pub struct Job {
    run: Run,
    entities: VecDeque<&'static Entity>,
    /// The feeds of the current entity that are still to be loaded.
    feeds: VecDeque<(&'static Dataset, usize)>,
    current: Option<FeedLoad>,
    /// The entities that failed, and why.
    failures: Vec<(&'static str, Failure)>,
}

impl Job {
    pub fn begin(
        server: Server,
        entities: impl IntoIterator<Item = &'static Entity>,
        full_refresh: bool,
    ) -> Result<Job, Failure> {
        let mut run = Run::begin(server, None, full_refresh)?;
        run.is_job = true;
        let mut job = Job {
            run,
            entities: entities.into_iter().collect(),
            feeds: VecDeque::new(),
            current: None,
            failures: Vec::new(),
        };
        job.open_entity();
        Ok(job)
    }

    /// Loads a page, or ends an entity. `false` when all is done. An error is the entity's: it
    /// undoes the step, is remembered, and the next entity follows.
    pub fn step(&mut self) -> Result<bool, Failure> {
        let Some(entity) = self.entities.front().copied() else {
            return Ok(false);
        };
        match backend::subtransaction(|| self.step_in(entity)) {
            Ok(true) => {}
            Ok(false) => self.close_entity(entity)?,
            Err(failure) => {
                if self.run.fail(entity, &failure) == Status::Failed {
                    self.failures.push((entity.name, failure));
                }
                self.close_entity(entity)?;
            }
        }
        Ok(!self.entities.is_empty())
    }

    /// The entities that failed, and why.
    pub fn into_failures(self) -> Vec<(&'static str, Failure)> {
        self.failures
    }

    /// `false` when the entity is loaded.
    fn step_in(&mut self, entity: &'static Entity) -> Result<bool, Failure> {
        // The lock ended with the last transaction.
        lock::take(&self.run.server, entity)?;
        if let Some(load) = &mut self.current {
            if !load.step(&mut self.run)? {
                self.current = None;
            }
            return Ok(true);
        }
        match self.feeds.pop_front() {
            Some((dataset, feed)) => {
                self.current = FeedLoad::begin(&mut self.run, dataset, feed)?;
                Ok(true)
            }
            None => {
                self.run.settle(entity)?;
                Ok(false)
            }
        }
    }

    fn open_entity(&mut self) {
        self.current = None;
        self.feeds = match self.entities.front() {
            None => VecDeque::new(),
            Some(entity) => {
                let feeds = entity
                    .datasets
                    .iter()
                    .flat_map(|dataset| (0..dataset.feeds.len()).map(move |feed| (dataset, feed)));
                feeds.collect()
            }
        };
    }

    fn close_entity(&mut self, entity: &'static Entity) -> Result<(), Failure> {
        self.run.remember(entity)?;
        self.entities.pop_front();
        self.open_entity();
        Ok(())
    }
}

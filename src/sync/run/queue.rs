//! The feeds of a run in their order, and the next of them begun ahead: Odoo works on it while the
//! last pages of the one before are loaded.

use crate::failure::Failure;
use crate::pg;
use crate::sync::feed::table_load::TableLoad;
use crate::sync::work::parts::Work;
use crate::warehouse::{Dataset, Warehouse};

type Feed = (&'static Dataset, usize);

#[derive(Default)]
pub struct Queue {
    order: Vec<Feed>,
    ahead: Option<TableLoad>,
}

impl Queue {
    pub fn of(order: impl Iterator<Item = Feed>) -> Queue {
        Queue { order: order.collect(), ahead: None }
    }

    /// Takes up tables whose columns are others by now.
    pub fn renew(&mut self, warehouse: &Warehouse) {
        let current =
            |dataset: &'static Dataset| warehouse.dataset(dataset.table).unwrap_or(dataset);
        self.order.iter_mut().for_each(|(dataset, _)| *dataset = current(dataset));
    }

    /// Lets go of what was begun ahead.
    pub fn drop_ahead(&mut self) {
        self.ahead = None;
    }

    /// Begins a feed, or goes on with what was begun ahead of it, unless another session has loaded
    /// it meanwhile.
    pub fn open(
        &mut self,
        work: &mut Work,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Option<TableLoad>, Failure> {
        if let Some(ahead) = self.ahead.take()
            && ahead.is_of((dataset, feed))
            && ahead.is_current(work)?
        {
            return Ok(Some(ahead));
        }
        TableLoad::begin(work, dataset, feed)
    }

    /// Loads the next page of a feed; `false` after the last one.
    pub fn step(&mut self, work: &mut Work, load: &mut TableLoad) -> Result<bool, Failure> {
        let more = load.step(work)?;
        if load.is_all_asked()
            && let Some(next) = self.after(load)
        {
            self.look_ahead(work, next);
        }
        Ok(more)
    }

    /// The feed that follows another one.
    fn after(&self, load: &TableLoad) -> Option<Feed> {
        let place = self.order.iter().position(|feed| load.is_of(*feed))?;
        self.order.get(place + 1).copied()
    }

    /// Begins a feed ahead. What fails here does so again when its turn comes.
    fn look_ahead(&mut self, work: &mut Work, (dataset, feed): Feed) {
        if self.ahead.is_none() {
            let begin = || TableLoad::begin(work, dataset, feed);
            self.ahead = pg::subtransaction(begin).ok().flatten();
        }
        if let Some(ahead) = &mut self.ahead {
            ahead.pump();
        }
    }
}

//! The ends of first loads: tables get the keys and indexes that they were loaded without.

use std::collections::VecDeque;

use super::driver::Run;
use crate::failure::{Cause, Failure};
use crate::pg;
use crate::server::lock;
use crate::sync::load::first_load::{self, Made, Piece};
use crate::sync::tables::moved;
use crate::sync::work::context::Context;
use crate::sync::work::report::Status;
use crate::warehouse::{self, Dataset, Entity};

/// Tables, and what each still lacks.
#[derive(Default)]
pub struct Lacking(VecDeque<(&'static Dataset, VecDeque<Piece>)>);

impl Lacking {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Run {
    /// What tables of an entity lack, which has been loaded.
    pub fn lacking(&self, entity: &Entity) -> Result<Lacking, Failure> {
        self.lacking_of(entity.datasets.iter())
    }

    /// What tables lack that no run is loading, but one has filled as parents of others.
    pub fn lacking_of_others(&self, entities: &[&Entity]) -> Result<Lacking, Failure> {
        let is_loaded = |name| entities.iter().any(|entity| entity.name == name);
        let others =
            self.warehouse().datasets().filter(|other| !is_loaded(warehouse::entity_of(other)));
        let Context { store, server, .. } = self.context();
        let mut filled = Vec::new();
        for other in others.filter(|other| self.first_loads.contains(other.table)) {
            if first_load::has_rows(&server.options.schema, other)?
                && !store.is_running(&server.name, warehouse::entity_of(other))?
            {
                filled.push(other);
            }
        }
        self.lacking_of(filled)
    }

    fn lacking_of(
        &self,
        datasets: impl IntoIterator<Item = &'static Dataset>,
    ) -> Result<Lacking, Failure> {
        let schema = self.context().schema();
        let owed = datasets.into_iter().filter(|own| self.first_loads.contains(own.table));
        let lacking = owed.map(|own| Ok((own, first_load::lacking(schema, own)?)));
        Ok(Lacking(lacking.collect::<Result<_, Failure>>()?))
    }

    /// Makes the next of it; `false` when there is no more. What others keep from being made is
    /// left to the next run, with the rest of its table; what the table's engine refuses is left out.
    pub fn make_next(&mut self, lacking: &mut Lacking) -> Result<bool, Failure> {
        let Some((dataset, mut pieces)) = lacking.0.pop_front() else {
            return Ok(false);
        };
        let Context { store, server, .. } = self.context();
        if let Some(piece) = pieces.pop_front() {
            match piece.make(&server.options.schema)? {
                Made::Yes => {}
                Made::Later => return Ok(true),
                Made::Never => pieces.retain(|other| !other.is_beside(&piece)),
            }
        }
        match pieces.is_empty() {
            true => {
                first_load::analyze(&server.options.schema, dataset.table)?;
                store.end_first_load(&server.name, dataset.table)?;
                let mut left = self.first_loads.clone();
                left.remove(dataset.table);
                moved::note(store, server, self.warehouse(), &left)?;
                self.first_loads = left;
            }
            false => lacking.0.push_front((dataset, pieces)),
        }
        Ok(true)
    }

    /// A table that its users gave indexes, constraints or triggers of their own is loaded with all
    /// that it is to have.
    pub fn open_first_load(&mut self, dataset: &'static Dataset) -> Result<(), Failure> {
        let is_first = self.first_loads.contains(dataset.table);
        if is_first && first_load::is_extended(self.context().schema(), dataset)? {
            let lacking = self.lacking_of([dataset])?;
            self.make_all(lacking)?;
        }
        Ok(())
    }

    fn make_all(&mut self, mut lacking: Lacking) -> Result<(), Failure> {
        while self.make_next(&mut lacking)? {}
        Ok(())
    }

    /// Makes what the tables of an entity lack.
    pub fn end_first_loads(&mut self, entity: &Entity) -> Result<(), Failure> {
        let lacking = self.lacking(entity)?;
        self.make_all(lacking)
    }

    /// The same for an entity that may have failed; an error is in its report.
    pub fn try_end_first_loads(&mut self, entity: &'static Entity) {
        if !self.has_loaded(entity) {
            return;
        }
        if let Err(failure) = pg::subtransaction(|| self.end_first_loads(entity)) {
            self.fail(entity, &failure);
        }
    }

    fn has_loaded(&mut self, entity: &Entity) -> bool {
        let ended_early = |status| matches!(status, Status::Failed | Status::Skipped);
        !self.work().reports.of_entity(entity).iter().any(|report| ended_early(report.status))
    }

    /// Makes the next of what tables of other entities lack. One that fails, or that another session
    /// is at, is left as it is.
    pub fn make_next_of_others(&mut self, lacking: &mut Lacking) -> Result<bool, Failure> {
        let Some((dataset, _)) = lacking.0.front() else {
            return Ok(false);
        };
        match lock::take(&self.context().server, warehouse::entity_of(dataset)) {
            Err(failure) if failure.cause == Cause::Taken => {
                lacking.0.pop_front();
                return Ok(true);
            }
            done => done?,
        }
        pg::subtransaction(|| self.make_next(lacking)).or_else(|failure| {
            failure.warn();
            Ok(true)
        })
    }
}

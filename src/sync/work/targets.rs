//! How the tables of a run are read and written: found out once for each feed, and anew where Odoo
//! refuses something.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::failure::Failure;
use crate::sync::load::loader::Loader;
use crate::sync::mapping::catalogue::Catalogue;
use crate::sync::mapping::feed::Mapping;
use crate::sync::mapping::refused::Refused;
use crate::sync::mirror::follow;
use crate::sync::tables::partition::retain::LetGo;
use crate::sync::work::context::Context;
use crate::warehouse::{Dataset, Entity, Warehouse};

/// How a feed of a table is read and written in this run.
pub struct Target {
    pub feed: usize,
    pub mapping: Mapping,
    pub loader: Loader,
}

/// What is known of a feed.
pub enum Found {
    /// Its target; `None` if it cannot be read.
    Known(Option<Rc<Target>>),
    New(Rc<Target>),
    /// Odoo has none of its models, which was found out now.
    Absent,
}

pub struct Targets {
    warehouse: Warehouse,
    catalogue: Catalogue,
    /// Why tables cannot be loaded.
    broken: HashMap<&'static str, Failure>,
    let_go: LetGo,
    known: HashMap<(&'static str, usize), Option<Rc<Target>>>,
}

impl Targets {
    pub fn new(
        warehouse: Warehouse,
        catalogue: Catalogue,
        broken: HashMap<&'static str, Failure>,
        let_go: LetGo,
    ) -> Targets {
        Targets { warehouse, catalogue, broken, let_go, known: HashMap::new() }
    }

    /// The tables that the server fills.
    pub fn warehouse(&self) -> &Warehouse {
        &self.warehouse
    }

    pub fn catalogue(&mut self) -> &mut Catalogue {
        &mut self.catalogue
    }

    /// Whether what is known of fields is what an earlier run was told.
    pub fn is_from_memory(&self) -> bool {
        self.catalogue.is_from_memory()
    }

    /// Whether Odoo can be asked for records by those that a relation leads to.
    pub fn can_search(&self, model: &str, relation: &str) -> Result<bool, Failure> {
        Ok(self.catalogue.can_search(model, relation)?.is_ok())
    }

    /// A table with what was added to it.
    pub fn current(&self, dataset: &'static Dataset) -> &'static Dataset {
        self.warehouse.dataset(dataset.table).unwrap_or(dataset)
    }

    /// The mapping and the statements for a feed, made when it is first needed.
    pub fn find(
        &mut self,
        schema: &str,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<Found, Failure> {
        if let Some(failure) = self.broken.get(dataset.table) {
            return Err(failure.clone());
        }
        if let Some(target) = self.known.get(&(dataset.table, feed)) {
            return Ok(Found::Known(target.clone()));
        }
        let Some(mapping) = Mapping::make(dataset, feed, &mut self.catalogue)? else {
            self.leave_out(dataset, feed);
            return Ok(Found::Absent);
        };
        let mapping = mapping.leaving_out(self.let_go.of(dataset.table, &dataset.feeds[feed]));
        let loader = Loader::new(dataset, feed, schema)?;
        let target = Rc::new(Target { feed, mapping, loader });
        self.known.insert((dataset.table, feed), Some(target.clone()));
        Ok(Found::New(target))
    }

    /// What was let go of the tables.
    pub fn let_go(&self) -> &LetGo {
        &self.let_go
    }

    /// Does without a feed from now on.
    pub fn leave_out(&mut self, dataset: &'static Dataset, feed: usize) {
        self.known.insert((dataset.table, feed), None);
    }

    /// Forgets what was undone with an error.
    pub fn forget(&mut self) {
        self.known.clear();
    }

    /// Takes up what the catalogue has learned of columns whose fields are gone.
    pub fn follow_losses(&mut self, context: &Context) -> Result<(), Failure> {
        self.warehouse = follow::losses(&context.store, &context.server, &mut self.catalogue)?;
        Ok(())
    }

    /// Leaves out the relations that Odoo refuses to search an entity's records by, if it can
    /// search them at all. Returns whether there are any.
    pub fn leave_out_relations(
        &mut self,
        context: &Context,
        entity: &Entity,
    ) -> Result<bool, Failure> {
        let mut has_learned = false;
        for (dataset, feed) in entity.feeds() {
            let Some(Some(target)) = self.known.get(&(dataset.table, feed)).cloned() else {
                continue;
            };
            let model = &target.mapping.model;
            let mut relations = BTreeMap::new();
            for relation in &target.mapping.also {
                if let Err(error) = self.catalogue.can_search(model, relation)? {
                    relations.insert((*relation).to_owned(), error.to_string());
                }
            }
            if !relations.is_empty() && context.shows_some(&target.mapping).is_ok() {
                has_learned |= self.catalogue.leave_out(model, Refused::of_relations(relations))?;
            }
        }
        Ok(has_learned)
    }
}

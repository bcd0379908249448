//! What fields Odoo's models have: asked for once per run, and by most runs not at all.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use serde_json::Value as Json;

use super::memory::Memory;
use crate::failure::Failure;
use crate::odoo::{FaultKind, Fields, Value};
use crate::server::Session;

/// The fields of models, asked for once.
pub struct Catalogue {
    session: Rc<Session>,
    earlier: Option<Earlier>,
    known: HashMap<String, Option<Rc<Fields>>>,
    /// Models of which nothing is recalled.
    fresh: HashSet<String>,
}

/// What earlier runs were told, for an hour: modules and rights change rarely. A field or a
/// model that is gone shows as a fault, after which everything is asked for anew.
struct Earlier {
    memory: Memory,
    /// Nothing is taken from it any more.
    is_stale: bool,
    was_used: bool,
}

/// In minutes.
const LIFETIME: i32 = 60;

impl Catalogue {
    /// One that asks Odoo.
    pub fn new(session: Rc<Session>) -> Catalogue {
        Catalogue { session, earlier: None, known: HashMap::new(), fresh: HashSet::new() }
    }

    /// One that remembers what other runs were told; not so, if it shall be `fresh`.
    pub fn remembering(session: Rc<Session>, memory: Memory, fresh: bool) -> Catalogue {
        let earlier = Earlier { memory, is_stale: fresh, was_used: false };
        Catalogue { earlier: Some(earlier), ..Catalogue::new(session) }
    }

    /// The fields of a model that the user may read; `None` if Odoo has no such model.
    pub fn fields(&mut self, model: &str) -> Result<Option<Rc<Fields>>, Failure> {
        if let Some(fields) = self.known.get(model) {
            return Ok(fields.clone());
        }
        // Others may read other fields.
        let what = format!("fields {} {model}", self.session.login());
        let recalled = match self.fresh.contains(model) {
            true => None,
            false => self.recall(&what)?,
        };
        let described = match recalled {
            Some(described) => described,
            None => {
                let described = self.ask(model)?;
                if let Some(earlier) = &self.earlier {
                    let value = described.clone().map_or(Json::Null, Value::into_json);
                    earlier.memory.keep_unless_busy(&what, value)?;
                }
                described
            }
        };
        let fields = described.and_then(Fields::from_value).map(Rc::new);
        self.known.insert(model.to_owned(), fields.clone());
        Ok(fields)
    }

    /// Has Odoo asked for a model's fields when they are wanted next, once.
    pub fn forget(&mut self, model: &str) {
        if self.fresh.insert(model.to_owned()) {
            self.known.remove(model);
        }
    }

    /// Whether it tells what an earlier run was told.
    pub fn is_from_memory(&self) -> bool {
        self.earlier.as_ref().is_some_and(|earlier| earlier.was_used && !earlier.is_stale)
    }

    /// Asks Odoo for everything from now on.
    pub fn renew(&mut self) {
        self.known.clear();
        if let Some(earlier) = &mut self.earlier {
            earlier.is_stale = true;
        }
    }

    /// The answer of `fields_get`; null for a model that was not there.
    fn recall(&mut self, what: &str) -> Result<Option<Option<Value>>, Failure> {
        let Some(earlier) = self.earlier.as_mut().filter(|earlier| !earlier.is_stale) else {
            return Ok(None);
        };
        let Some(fields) = earlier.memory.recall(what, Some(LIFETIME))? else {
            return Ok(None);
        };
        earlier.was_used = true;
        Ok(Some(Some(Value::from_json(fields)).filter(|fields| *fields != Value::Null)))
    }

    fn ask(&self, model: &str) -> Result<Option<Value>, Failure> {
        let name = model.to_owned();
        self.session.call(move |odoo| match odoo.model(&name).describe() {
            Ok(described) => Ok(Some(described)),
            Err(error) if error.fault_kind() == Some(&FaultKind::UnknownModel) => Ok(None),
            Err(error) => Err(error),
        })
    }
}

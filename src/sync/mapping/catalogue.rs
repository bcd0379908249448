//! What fields Odoo's models have: asked for once per run, and by most runs not at all.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use serde_json::Value as Json;

use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Connection, Domain, Error, FaultKind, Fields, Value};
use crate::server::Session;
use crate::state::Cache;
use crate::sync::mapping::refused::Refused;

/// The fields of models, asked for once.
pub struct Catalogue {
    session: Rc<Session>,
    earlier: Option<Earlier>,
    known: HashMap<String, Option<Rc<Fields>>>,
    /// Models of which nothing is recalled.
    fresh: HashSet<String>,
    /// What Odoo refused of models, though it has it.
    refused: HashMap<String, Refused>,
}

/// What earlier runs were told, for an hour: modules and rights change rarely. A field or a
/// model that is gone shows as a fault, after which everything is asked for anew.
struct Earlier {
    cache: Cache,
    /// Nothing is taken from it any more.
    is_stale: bool,
    was_used: bool,
    /// What was refused is tried again.
    tries_again: bool,
}

/// In minutes.
const LIFETIME: i32 = 60;

impl Catalogue {
    /// One that asks Odoo.
    pub fn new(session: Rc<Session>) -> Catalogue {
        Catalogue {
            session,
            earlier: None,
            known: HashMap::new(),
            fresh: HashSet::new(),
            refused: HashMap::new(),
        }
    }

    /// One that remembers what other runs were told; not so, if it shall be `fresh`.
    pub fn remembering(session: Rc<Session>, cache: Cache, fresh: bool) -> Catalogue {
        let earlier = Earlier { cache, is_stale: fresh, was_used: false, tries_again: fresh };
        Catalogue { earlier: Some(earlier), ..Catalogue::new(session) }
    }

    /// The fields of a model that the user may read, without those that turned out to be
    /// unreadable; `None` if Odoo has no such model.
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
                    earlier.cache.keep_unless_busy(&what, value)?;
                }
                described
            }
        };
        let mut fields = described.and_then(Fields::from_value);
        if let Some(fields) = &mut fields {
            self.refused(model)?.fields.keys().for_each(|name| fields.remove(name));
        }
        let fields = fields.map(Rc::new);
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
        let Some(fields) = earlier.cache.recall(what, Some(LIFETIME))? else {
            return Ok(None);
        };
        earlier.was_used = true;
        Ok(Some(Some(Value::from_json(fields)).filter(|fields| *fields != Value::Null)))
    }

    /// What Odoo refuses of a model.
    pub fn refused(&mut self, model: &str) -> Result<&Refused, Failure> {
        if !self.refused.contains_key(model) {
            let recalled = self.recall_refused(model)?;
            self.refused.insert(model.to_owned(), recalled);
        }
        Ok(&self.refused[model])
    }

    fn recall_refused(&self, model: &str) -> Result<Refused, Failure> {
        let Some(Earlier { cache, tries_again, .. }) = &self.earlier else {
            return Ok(Refused::default());
        };
        let what = self.refused_name(model);
        match cache.recall(&what, Some(LIFETIME))? {
            Some(known) if *tries_again && known != Json::Null => {
                cache.keep_unless_busy(&what, Json::Null)?;
                Ok(Refused::default())
            }
            known => Ok(known.map(|known| Refused::from_json(&known)).unwrap_or_default()),
        }
    }

    fn refused_name(&self, model: &str) -> String {
        format!("refused {} {model}", self.session.login())
    }

    /// Leaves out of a model what Odoo refused of it, now and for as long as fields are
    /// remembered. Returns whether that is news.
    pub fn leave_out(&mut self, model: &str, more: Refused) -> Result<bool, Failure> {
        let mut all = self.refused(model)?.clone();
        if !all.add(model, more) {
            return Ok(false);
        }
        if let Some(earlier) = &self.earlier {
            earlier.cache.keep_unless_busy(&self.refused_name(model), all.to_json())?;
        }
        self.refused.insert(model.to_owned(), all);
        self.known.remove(model);
        Ok(true)
    }

    /// Whether Odoo can be asked for records by those that a relation leads to: it searches
    /// nothing that is computed, and no model that the user may not read.
    pub fn can_search(&self, model: &str, relation: &str) -> Result<Result<(), Error>, Failure> {
        let written = format!("{relation}.write_date");
        let changed = Domain::leaf(&written, ">=", "9999-01-01 00:00:00");
        let model = model.to_owned();
        let search =
            move |odoo: &Connection| odoo.model(&model).search_after(changed, BEFORE_ALL, 1);
        match self.session.submit(search)?.outcome()? {
            Ok(_) => Ok(Ok(())),
            Err(error @ Error::Fault(_)) => Ok(Err(error)),
            Err(error) => Err(error.into()),
        }
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

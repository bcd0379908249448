//! Values beyond a relation, such as the name of a unit: read in bulk, once per run.

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::rc::Rc;

use crate::extract;
use crate::extract::bisect;
use crate::failure::Failure;
use crate::odoo::{Cells, FieldType, Lists, Page, Texts};
use crate::server::Session;
use crate::sync::mapping::feed::Mapping;
use crate::sync::mapping::values::{Hop, Reading};

/// Records of one model that are kept at most, so that memory stays bounded.
const KEPT: usize = 50_000;

/// What is known of related records, by model.
pub struct Lookups {
    session: Rc<Session>,
    page_size: usize,
    known: Related,
}

/// Related records by model, from one run of a session to the next.
pub type Related = HashMap<String, Known>;

/// The fields of a model that mappings want, and what they hold.
#[derive(Default)]
pub struct Known {
    fields: Vec<Reading>,
    /// Parallel to `fields`.
    cells: Vec<Cells>,
    /// The cell of a record; `None` for one that Odoo does not give.
    at: HashMap<i64, Option<usize>>,
    /// The user may not read it.
    is_denied: bool,
}

impl Lookups {
    pub fn new(session: Rc<Session>, page_size: usize) -> Lookups {
        Lookups { session, page_size, known: Related::new() }
    }

    /// Gives what is known for what another run knew.
    pub fn exchange(&mut self, known: &mut Related) {
        mem::swap(&mut self.known, known);
    }

    /// Announces what a mapping will ask for, so that each record is read once with all of it.
    pub fn announce(&mut self, mapping: &Mapping) {
        for hop in mapping.hops() {
            let known = self.known.entry(hop.model.clone()).or_default();
            if !known.fields.contains(&hop.field) {
                known.fields.push(hop.field.clone());
                known.forget();
            }
        }
    }

    /// The models whose values stay NULL in a mapping's rows, because the user may not read them.
    pub fn denied(&self, mapping: &Mapping) -> BTreeSet<String> {
        let models = mapping.hops().map(|hop| &hop.model);
        let is_denied =
            |model: &&String| self.known.get(*model).is_some_and(|known| known.is_denied);
        models.filter(is_denied).cloned().collect()
    }

    /// For each id the value of the hop's field; NULL for records that Odoo does not give.
    pub fn follow(&mut self, ids: &[Option<i64>], hop: &Hop) -> Result<Cells, Failure> {
        let (known, column) = self.learn(ids.iter().copied().flatten().collect(), hop)?;
        let mut cells = Cells::new(hop.field.field_type);
        for id in ids {
            match id.and_then(|id| known.at.get(&id).copied().flatten()) {
                Some(at) => cells.push_from(&known.cells[column], at),
                None => cells.push_null(),
            }
        }
        Ok(cells)
    }

    /// For each list the texts of the hop's field, put together by `render`.
    pub fn follow_many(
        &mut self,
        lists: &Lists,
        hop: &Hop,
        render: impl Fn(&[&str]) -> Option<String>,
    ) -> Result<Cells, Failure> {
        let (known, column) = self.learn(lists.iter().flatten().copied().collect(), hop)?;
        let mut texts = Texts::default();
        for list in lists.iter() {
            let cells = list.iter().filter_map(|id| known.at.get(id).copied().flatten());
            let found: Vec<&str> = match &known.cells[column] {
                Cells::Texts(cells_of) => cells.filter_map(|at| cells_of.get(at)).collect(),
                _ => Vec::new(),
            };
            texts.push(render(&found).as_deref());
        }
        Ok(Cells::Texts(texts))
    }

    /// Reads the records that are not known yet. Returns what is known, and the place of the
    /// hop's field in it.
    fn learn(&mut self, mut wanted: Vec<i64>, hop: &Hop) -> Result<(&Known, usize), Failure> {
        let known = self.known.entry(hop.model.clone()).or_default();
        let column = match known.fields.iter().position(|field| *field == hop.field) {
            Some(column) => column,
            None => {
                known.fields.push(hop.field.clone());
                known.forget();
                known.fields.len() - 1
            }
        };
        if known.at.len() > KEPT {
            known.forget();
        }
        if known.cells.is_empty() {
            known.cells = known.fields.iter().map(|f| Cells::new(f.field_type)).collect();
        }
        wanted.retain(|id| !known.at.contains_key(id));
        wanted.sort_unstable();
        wanted.dedup();
        for some in wanted.chunks(self.page_size) {
            known.read(&self.session, &hop.model, some)?;
        }
        Ok((known, column))
    }
}

impl Known {
    fn forget(&mut self) {
        self.cells.clear();
        self.at.clear();
    }

    fn read(&mut self, session: &Session, model: &str, ids: &[i64]) -> Result<(), Failure> {
        match self.fetch(session, model, ids) {
            Ok(page) => self.keep(&page),
            // The user may not read the model: its values are NULL, and everything else loads.
            Err(failure) if failure.is_denied() => {
                if !self.is_denied {
                    session.call(|odoo| odoo.check_options())?;
                    self.is_denied = true;
                    let fields: Vec<_> = self.fields.iter().map(|f| f.name.as_str()).collect();
                    let what =
                        format!("{model}: {} stay NULL: {}", fields.join(", "), failure.message);
                    Failure { message: what, ..failure }.warn();
                }
            }
            Err(failure) => return Err(failure),
        }
        for id in ids {
            self.at.entry(*id).or_insert(None);
        }
        Ok(())
    }

    fn fetch(&self, session: &Session, model: &str, ids: &[i64]) -> Result<Page, Failure> {
        let fields: Vec<(String, FieldType)> =
            self.fields.iter().map(|field| (field.name.clone(), field.field_type)).collect();
        match extract::read(session, model, ids.to_vec(), &fields, None)?.outcome()? {
            Ok(page) => Ok(page),
            // One record that a rule hides is enough to refuse all.
            Err(error) if error.fault_kind().is_some() => {
                let visible = extract::visible(session, model, ids)?;
                let page = extract::read(session, model, visible.clone(), &fields, None)?;
                page.outcome()?
                    .map_err(|error| bisect::explain(session, model, &visible, &fields, error))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn keep(&mut self, page: &Page) {
        let first = self.cells.first().map_or(0, Cells::len);
        for (field, cells) in self.fields.iter().zip(&mut self.cells) {
            let Some(found) = page.column(&field.name) else {
                continue;
            };
            (0..found.len()).for_each(|row| cells.push_from(found, row));
        }
        for (row, id) in page.ids().into_iter().enumerate() {
            self.at.insert(id, Some(first + row));
        }
    }
}

//! Values beyond a relation, such as the name of a unit: read in bulk, once per run.

use std::collections::HashMap;

use super::extract;
use super::plan::{Hop, Reading};
use crate::failure::Failure;
use crate::odoo::Cells;
use crate::server::Session;

/// What is known of related records, by model and field.
pub struct Lookups<'s> {
    session: &'s Session,
    page_size: usize,
    known: HashMap<(String, Reading), Known>,
}

/// The values of one field, and in which cell each record's value is.
struct Known {
    cells: Cells,
    at: HashMap<i64, usize>,
}

impl<'s> Lookups<'s> {
    pub fn new(session: &'s Session, page_size: usize) -> Lookups<'s> {
        Lookups { session, page_size, known: HashMap::new() }
    }

    /// For each id the value of the field that `hop` names; NULL for records that Odoo does
    /// not give.
    pub fn follow(&mut self, ids: &[Option<i64>], hop: &Hop) -> Result<Cells, Failure> {
        let key = (hop.model.clone(), hop.field.clone());
        let field_type = hop.field.field_type;
        let known = self
            .known
            .entry(key)
            .or_insert_with(|| Known { cells: Cells::new(field_type), at: HashMap::new() });
        let mut wanted: Vec<i64> = ids.iter().copied().flatten().collect();
        wanted.retain(|id| !known.at.contains_key(id));
        wanted.sort_unstable();
        wanted.dedup();
        for some in wanted.chunks(self.page_size) {
            known.learn(self.session, hop, some)?;
        }
        let mut cells = Cells::new(field_type);
        for id in ids {
            match id.and_then(|id| known.at.get(&id)) {
                Some(at) => cells.push_from(&known.cells, *at),
                None => cells.push_null(),
            }
        }
        Ok(cells)
    }
}

impl Known {
    fn learn(&mut self, session: &Session, hop: &Hop, ids: &[i64]) -> Result<(), Failure> {
        let visible = extract::visible(session, &hop.model, ids)?;
        let fields = [(hop.field.name.clone(), hop.field.field_type)];
        let page = extract::read(session, &hop.model, visible, &fields)?.wait()?;
        if let Some(cells) = page.column(&hop.field.name) {
            for (row, id) in page.ids().into_iter().enumerate() {
                self.at.insert(id, self.cells.len());
                self.cells.push_from(cells, row);
            }
        }
        // What was not given is known to be empty.
        for id in ids {
            if !self.at.contains_key(id) {
                self.at.insert(*id, self.cells.len());
                self.cells.push_null();
            }
        }
        Ok(())
    }
}

//! Records as typed columns: what `read` returns, without a tree in between.

use std::collections::HashMap;

use crate::odoo::fields::FieldType;
use crate::odoo::page::cells::Cells;

/// Records as columns.
#[derive(Debug, Clone, Default, PartialEq, Hash)]
pub struct Page {
    pub(super) names: Vec<String>,
    pub(super) cells: Vec<Cells>,
    pub(super) rows: usize,
    pub(super) dropped: usize,
}

impl Page {
    /// A page of no records yet. `id` comes with every record and is added.
    pub fn new<'a>(fields: impl IntoIterator<Item = (&'a str, FieldType)>) -> Page {
        let (mut names, mut types) = (vec!["id".to_owned()], vec![FieldType::Integer]);
        for (name, field_type) in fields.into_iter().filter(|(name, _)| *name != "id") {
            names.push(name.to_owned());
            types.push(field_type);
        }
        let cells = types.iter().map(|field_type| Cells::new(*field_type)).collect();
        Page { names, cells, rows: 0, dropped: 0 }
    }

    /// Adds the records of another page; fields that it lacks are empty.
    pub fn append(&mut self, other: &Page) {
        for (name, cells) in self.names.iter().zip(&mut self.cells) {
            let theirs = other.column(name);
            for row in 0..other.rows {
                match theirs {
                    Some(theirs) => cells.push_from(theirs, row),
                    None => cells.push_null(),
                }
            }
        }
        self.rows += other.rows;
        self.dropped += other.dropped;
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The column of a field that was asked for.
    pub fn column(&self, field: &str) -> Option<&Cells> {
        let index = self.names.iter().position(|name| name == field)?;
        Some(&self.cells[index])
    }

    /// Puts the values of another page in the place of this one's, for its records and fields.
    pub fn overlay(&mut self, other: &Page) {
        let rows: HashMap<i64, usize> = other.ids().into_iter().zip(0..).collect();
        let ids = self.ids();
        for (name, theirs) in other.names.iter().zip(&other.cells).skip(1) {
            let Some(index) = self.names.iter().position(|own| own == name) else {
                continue;
            };
            let mut merged = self.cells[index].same_kind();
            for (row, id) in ids.iter().enumerate() {
                match rows.get(id) {
                    Some(their_row) => merged.push_from(theirs, *their_row),
                    None => merged.push_from(&self.cells[index], row),
                }
            }
            self.cells[index] = merged;
        }
    }

    /// Control characters that were left out of the texts.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// The memory that the columns hold.
    pub fn bytes(&self) -> usize {
        self.cells.iter().map(Cells::bytes).sum()
    }

    /// The ids of the records; every page has them.
    pub fn ids(&self) -> Vec<i64> {
        match self.column("id") {
            Some(Cells::Integers(ids)) => ids.iter().copied().flatten().collect(),
            _ => Vec::new(),
        }
    }
}

//! One column's values, one per record.

use std::fmt::Write;

use crate::odoo::fields::FieldType;

/// The cells of one column, one per record.
#[derive(Debug, Clone, PartialEq, Hash)]
pub enum Cells {
    Booleans(Vec<Option<bool>>),
    /// Integers and the ids of many2one fields.
    Integers(Vec<Option<i64>>),
    /// Texts, and what PostgreSQL reads best from its text: exact decimals, dates
    /// (`2024-01-31`), times (`2024-01-31 23:59:59+00`) and JSON.
    Texts(Texts),
    /// The ids of x2many fields.
    Lists(Lists),
}

impl Cells {
    pub fn new(field_type: FieldType) -> Cells {
        match field_type {
            FieldType::Boolean => Cells::Booleans(Vec::new()),
            FieldType::Integer | FieldType::Many2one => Cells::Integers(Vec::new()),
            FieldType::ToMany => Cells::Lists(Lists::default()),
            FieldType::Decimal(_)
            | FieldType::Text
            | FieldType::Date
            | FieldType::Datetime
            | FieldType::Json => Cells::Texts(Texts::default()),
        }
    }

    /// A column of empty cells.
    pub fn empty(field_type: FieldType, rows: usize) -> Cells {
        let mut cells = Cells::new(field_type);
        (0..rows).for_each(|_| cells.push_null());
        cells
    }

    /// Each cell, or where it is empty the other column's.
    pub fn or(&self, other: &Cells) -> Cells {
        let mut best = self.same_kind();
        for row in 0..self.len() {
            best.push_from(if self.is_null(row) { other } else { self }, row);
        }
        best
    }

    /// Each cell whose flag is true; the others are empty.
    pub fn only_where(&self, flags: &[Option<bool>]) -> Cells {
        let mut kept = self.same_kind();
        for (row, flag) in flags.iter().enumerate() {
            match flag {
                Some(true) => kept.push_from(self, row),
                _ => kept.push_null(),
            }
        }
        kept
    }

    /// No cells yet, of the same kind.
    pub(super) fn same_kind(&self) -> Cells {
        match self {
            Cells::Booleans(_) => Cells::Booleans(Vec::new()),
            Cells::Integers(_) => Cells::Integers(Vec::new()),
            Cells::Texts(_) => Cells::Texts(Texts::default()),
            Cells::Lists(_) => Cells::Lists(Lists::default()),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Cells::Booleans(cells) => cells[row].is_none(),
            Cells::Integers(cells) => cells[row].is_none(),
            Cells::Texts(cells) => cells.get(row).is_none(),
            Cells::Lists(cells) => cells.get(row).is_empty(),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Cells::Booleans(cells) => cells.len(),
            Cells::Integers(cells) => cells.len(),
            Cells::Texts(cells) => cells.len(),
            Cells::Lists(cells) => cells.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that the cells hold, room for more included.
    pub fn bytes(&self) -> usize {
        match self {
            Cells::Booleans(cells) => room(cells),
            Cells::Integers(cells) => room(cells),
            Cells::Texts(cells) => {
                cells.buffer.capacity() + room(&cells.ends) + room(&cells.present)
            }
            Cells::Lists(cells) => room(&cells.ids) + room(&cells.ends),
        }
    }

    /// Appends an empty cell.
    pub fn push_null(&mut self) {
        match self {
            Cells::Booleans(cells) => cells.push(None),
            Cells::Integers(cells) => cells.push(None),
            Cells::Texts(cells) => cells.push(None),
            Cells::Lists(cells) => cells.end_row(),
        }
    }

    /// Appends the cell `row` of a column of the same kind.
    pub fn push_from(&mut self, other: &Cells, row: usize) {
        match (self, other) {
            (Cells::Booleans(cells), Cells::Booleans(from)) => cells.push(from[row]),
            (Cells::Integers(cells), Cells::Integers(from)) => cells.push(from[row]),
            (Cells::Texts(cells), Cells::Texts(from)) => cells.push(from.get(row)),
            (Cells::Lists(cells), Cells::Lists(from)) => cells.push(from.get(row)),
            (cells, _) => cells.push_null(),
        }
    }
}

fn room<T>(items: &Vec<T>) -> usize {
    items.capacity() * size_of::<T>()
}

/// Texts in one buffer.
#[derive(Debug, Clone, Default, PartialEq, Hash)]
pub struct Texts {
    buffer: String,
    ends: Vec<usize>,
    present: Vec<bool>,
}

impl Texts {
    pub fn push(&mut self, text: Option<&str>) {
        self.buffer.push_str(text.unwrap_or_default());
        self.ends.push(self.buffer.len());
        self.present.push(text.is_some());
    }

    /// Appends a text that comes in two parts.
    pub(super) fn push_joined(&mut self, text: &str, rest: &str) {
        self.buffer.push_str(text);
        self.push(Some(rest));
    }

    /// Appends the text of an integer.
    pub(super) fn push_int(&mut self, int: i64) {
        // A String takes everything.
        let _ = write!(self.buffer, "{int}");
        self.push(Some(""));
    }

    pub fn get(&self, row: usize) -> Option<&str> {
        let begin = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.present[row].then(|| &self.buffer[begin..self.ends[row]])
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.len()).map(|row| self.get(row))
    }
}

impl<'a> FromIterator<Option<&'a str>> for Texts {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(items: I) -> Texts {
        let mut texts = Texts::default();
        items.into_iter().for_each(|item| texts.push(item));
        texts
    }
}

/// Lists of ids in one buffer.
#[derive(Debug, Clone, Default, PartialEq, Hash)]
pub struct Lists {
    ids: Vec<i64>,
    ends: Vec<usize>,
}

impl Lists {
    pub(super) fn push_id(&mut self, id: i64) {
        self.ids.push(id);
    }

    pub(super) fn end_row(&mut self) {
        self.ends.push(self.ids.len());
    }

    /// Appends a whole list.
    pub fn push(&mut self, ids: &[i64]) {
        self.ids.extend_from_slice(ids);
        self.end_row();
    }

    pub fn get(&self, row: usize) -> &[i64] {
        let begin = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ids[begin..self.ends[row]]
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &[i64]> {
        (0..self.len()).map(|row| self.get(row))
    }
}

/// Lists of one id each, or of none.
impl FromIterator<Option<i64>> for Lists {
    fn from_iter<I: IntoIterator<Item = Option<i64>>>(ids: I) -> Lists {
        let mut lists = Lists::default();
        ids.into_iter().for_each(|id| lists.push(id.as_slice()));
        lists
    }
}

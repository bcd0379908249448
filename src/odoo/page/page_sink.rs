//! Puts the records that a decoder tells of into columns.

use crate::odoo::fields::FieldType;
use crate::odoo::page::cells::Cells;
use crate::odoo::page::columns::Page;
use crate::odoo::page::literals::{date, datetime, whole, without_noise};
use crate::odoo::sink::{Refusal, Scalar, Sink};
use crate::odoo::value::ValueSink;

/// Builds a [`Page`] from the array of structs that `read` returns.
pub struct PageSink {
    page: Page,
    types: Vec<FieldType>,
    depth: usize,
    /// The column of the current cell; `None` for a key that was not asked for.
    current: Option<usize>,
    /// Odoo sends the fields in the same order in each record: the next one is a good guess.
    guess: usize,
    /// No column from this one on has a value of the current record.
    fresh: usize,
    /// Whether the names are written in every protocol as they are: Odoo's need no escapes.
    is_plain: bool,
    /// What a field of type [`FieldType::Json`] holds so far.
    nested: Option<ValueSink>,
    /// The id at the head of a many2one pair.
    pair: Option<i64>,
}

/// The list of records, and one record in it.
const RECORDS: usize = 1;
const RECORD: usize = 2;

impl PageSink {
    /// `fields` are those asked for; `id` comes with every record and is added.
    pub fn new<'a>(fields: impl IntoIterator<Item = (&'a str, FieldType)>) -> PageSink {
        let fields: Vec<_> = fields.into_iter().collect();
        let page = Page::new(fields.iter().copied());
        let others = fields.iter().filter(|(name, _)| *name != "id");
        let types =
            [FieldType::Integer].into_iter().chain(others.map(|(_, field_type)| *field_type));
        let types = types.collect();
        let is_plain =
            |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        PageSink {
            is_plain: page.names.iter().all(is_plain),
            page,
            types,
            depth: 0,
            current: None,
            guess: 0,
            fresh: 0,
            nested: None,
            pair: None,
        }
    }

    pub fn finish(self) -> Result<Page, Refusal> {
        let ids = self.page.column("id");
        match ids {
            Some(Cells::Integers(ids)) if ids.iter().all(Option::is_some) => Ok(self.page),
            _ => Err(Refusal("a record without an id".into())),
        }
    }

    /// What is there of things that are no records.
    pub fn without_ids(self) -> Page {
        self.page
    }

    fn refuse(&self, scalar: Scalar<'_>) -> Refusal {
        self.refuse_part(&describe(scalar))
    }

    fn refuse_part(&self, found: &str) -> Refusal {
        let reason = match self.current {
            Some(index) if self.depth >= RECORD => {
                let name = &self.page.names[index];
                format!("{found} for the field \"{name}\", which is of another type")
            }
            _ => format!("{found} instead of a list of records"),
        };
        Refusal(reason.into())
    }

    fn end_record(&mut self) {
        self.page.rows += 1;
        for cells in &mut self.page.cells {
            if cells.len() < self.page.rows {
                cells.push_null();
            }
        }
        self.guess = 0;
        self.fresh = 0;
        self.current = None;
    }

    /// Puts a value without parts into the current column.
    #[inline]
    fn put(&mut self, index: usize, scalar: Scalar<'_>) -> Result<(), Refusal> {
        let field_type = self.types[index];
        match (&mut self.page.cells[index], scalar) {
            (Cells::Booleans(cells), Scalar::Bool(bool)) => cells.push(Some(bool)),
            // An empty value is False on the wire, or null in JSON, whatever the type.
            (cells, Scalar::Null | Scalar::Bool(false)) => cells.push_null(),
            (Cells::Integers(cells), Scalar::Int(int)) => cells.push(Some(int)),
            (Cells::Integers(cells), Scalar::Double(text)) => match whole(text) {
                Some(int) => cells.push(Some(int)),
                None => return Err(self.refuse(scalar)),
            },
            (Cells::Texts(cells), scalar) => match (field_type, scalar) {
                (FieldType::Text, Scalar::Text(text)) => cells.push(Some(text)),
                (FieldType::Decimal(places), Scalar::Double(text)) => {
                    cells.push(Some(&without_noise(text, places)));
                }
                (FieldType::Decimal(_) | FieldType::Text, Scalar::Int(int)) => cells.push_int(int),
                (FieldType::Date, Scalar::Text(text)) => match date(text) {
                    Some(date) => cells.push(Some(&date)),
                    None => return Err(self.refuse(scalar)),
                },
                (FieldType::Datetime, Scalar::Text(text)) => match datetime(text) {
                    Some(time) => cells.push_joined(&time, "+00"),
                    None => return Err(self.refuse(scalar)),
                },
                (FieldType::Json, scalar) => cells.push(Some(&json_scalar(scalar))),
                _ => return Err(self.refuse(scalar)),
            },
            _ => return Err(self.refuse(scalar)),
        }
        Ok(())
    }

    /// A scalar that is not a field's whole value.
    #[inline(never)]
    fn put_inside(&mut self, scalar: Scalar<'_>) -> Result<(), Refusal> {
        if let Some(nested) = &mut self.nested {
            return nested.scalar(scalar);
        }
        let Some(index) = self.current.filter(|_| self.depth > RECORD) else {
            return match self.depth {
                RECORD.. => Ok(()),
                _ => Err(self.refuse(scalar)),
            };
        };
        match (self.types[index], &mut self.page.cells[index], scalar) {
            (FieldType::ToMany, Cells::Lists(lists), Scalar::Int(id)) => lists.push_id(id),
            (FieldType::Many2one, _, Scalar::Int(id)) if self.pair.is_none() => {
                self.pair = Some(id);
            }
            // The name beside the id.
            (FieldType::Many2one, _, Scalar::Text(_)) if self.pair.is_some() => {}
            (_, _, scalar) => return Err(self.refuse(scalar)),
        }
        Ok(())
    }

    fn begin(&mut self, what: &str) -> Result<(), Refusal> {
        if self.depth == RECORD
            && let Some(index) = self.current
        {
            match (self.types[index], what) {
                (FieldType::Json, _) => self.nested = Some(ValueSink::default()),
                (FieldType::ToMany | FieldType::Many2one, "a list") => {}
                _ => return Err(self.refuse_part(what)),
            }
        } else if self.depth > RECORD && self.nested.is_none() && self.current.is_some() {
            return Err(self.refuse_part(what));
        }
        if let Some(nested) = &mut self.nested {
            match what {
                "a list" => nested.begin_array()?,
                _ => nested.begin_struct()?,
            }
        }
        self.depth += 1;
        Ok(())
    }
}

impl Sink for PageSink {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Refusal> {
        match (self.depth, self.current) {
            (RECORD, Some(index)) => self.put(index, scalar),
            _ => self.put_inside(scalar),
        }
    }

    fn begin_array(&mut self) -> Result<(), Refusal> {
        match self.depth {
            0 => self.depth = RECORDS,
            RECORDS => return Err(self.refuse_part("a list")),
            _ => self.begin("a list")?,
        }
        Ok(())
    }

    fn begin_struct(&mut self) -> Result<(), Refusal> {
        match self.depth {
            0 => return Err(self.refuse_part("a struct")),
            RECORDS => self.depth = RECORD,
            _ => self.begin("a struct")?,
        }
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), Refusal> {
        if self.depth != RECORD {
            return match &mut self.nested {
                Some(nested) => nested.name(name),
                None => Ok(()),
            };
        }
        let names = &self.page.names;
        let found = match names.get(self.guess) {
            Some(guess) if guess == name => Some(self.guess),
            _ => names.iter().position(|column| column == name),
        };
        self.current = found;
        let Some(index) = found else {
            return Ok(());
        };
        if index < self.fresh && self.page.cells[index].len() > self.page.rows {
            return Err(Refusal(format!("the field \"{name}\" twice in one record").into()));
        }
        self.guess = index + 1;
        self.fresh = self.fresh.max(self.guess);
        Ok(())
    }

    fn expected(&mut self, text: &[u8]) -> usize {
        match self.page.names.get(self.guess) {
            Some(name)
                if self.depth == RECORD
                    && self.is_plain
                    && self.guess == self.fresh
                    && text.get(name.len()) == Some(&b'"')
                    && text.starts_with(name.as_bytes()) =>
            {
                self.current = Some(self.guess);
                self.guess += 1;
                self.fresh = self.guess;
                name.len()
            }
            _ => 0,
        }
    }

    fn dropped(&mut self, characters: usize) {
        self.page.dropped += characters;
    }

    fn end(&mut self) -> Result<(), Refusal> {
        if let Some(nested) = &mut self.nested {
            nested.end()?;
        }
        self.depth -= 1;
        match (self.depth, self.current) {
            (RECORDS, _) => self.end_record(),
            (RECORD, Some(index)) => match &mut self.page.cells[index] {
                Cells::Lists(lists) => lists.end_row(),
                Cells::Integers(cells) => cells.push(self.pair.take()),
                Cells::Texts(cells) => {
                    if let Some(nested) = self.nested.take() {
                        cells.push(Some(&nested.finish().into_json().to_string()));
                    }
                }
                Cells::Booleans(_) => {}
            },
            _ => {}
        }
        Ok(())
    }
}

fn json_scalar(scalar: Scalar<'_>) -> String {
    let mut sink = ValueSink::default();
    // A ValueSink takes everything.
    let _ = sink.scalar(scalar);
    sink.finish().into_json().to_string()
}

fn describe(scalar: Scalar<'_>) -> String {
    const SHOWN: usize = 40;
    match scalar {
        Scalar::Null => "null".into(),
        Scalar::Bool(bool) => format!("the boolean {bool}"),
        Scalar::Int(int) => format!("the integer {int}"),
        Scalar::Double(text) => format!("the number {text}"),
        Scalar::Text(text) => {
            format!("the text \"{}\"", text.chars().take(SHOWN).collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests;

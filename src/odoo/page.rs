//! Records as typed columns: what `read` returns, without a tree in between.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime};

use super::cells::Cells;
use super::fields::FieldType;
use super::sink::{Refusal, Scalar, Sink};
use super::value::ValueSink;

/// Records as columns.
#[derive(Debug, Clone, Default, PartialEq, Hash)]
pub struct Page {
    names: Vec<String>,
    cells: Vec<Cells>,
    rows: usize,
    dropped: usize,
}

impl Page {
    /// A page of no records yet.
    pub fn new<'a>(fields: impl IntoIterator<Item = (&'a str, FieldType)>) -> Page {
        PageSink::new(fields).page
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

/// Builds a [`Page`] from the array of structs that `read` returns.
pub struct PageSink {
    page: Page,
    types: Vec<FieldType>,
    depth: usize,
    /// The column of the current cell; `None` for a key that was not asked for.
    current: Option<usize>,
    /// Odoo sends the fields in the same order in each record: the next one is a good guess.
    guess: usize,
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
        let mut names = vec!["id".to_owned()];
        let mut types = vec![FieldType::Integer];
        for (name, field_type) in fields {
            if name != "id" {
                names.push(name.to_owned());
                types.push(field_type);
            }
        }
        let cells = types.iter().map(|field_type| Cells::new(*field_type)).collect();
        PageSink {
            page: Page { names, cells, rows: 0, dropped: 0 },
            types,
            depth: 0,
            current: None,
            guess: 0,
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

    fn refuse(&self, found: &str) -> Refusal {
        match self.current {
            Some(index) if self.depth >= RECORD => Refusal(format!(
                "{found} for the field \"{}\", which is of another type",
                self.page.names[index]
            )),
            _ => Refusal(format!("{found} instead of a list of records")),
        }
    }

    fn end_record(&mut self) {
        self.page.rows += 1;
        for cells in &mut self.page.cells {
            if cells.len() < self.page.rows {
                cells.push_null();
            }
        }
        self.guess = 0;
        self.current = None;
    }

    /// Puts a value without parts into the current column.
    fn put(&mut self, index: usize, scalar: Scalar<'_>) -> Result<(), Refusal> {
        // An empty value is False on the wire, or null in JSON, whatever the type.
        let empty = matches!(scalar, Scalar::Null | Scalar::Bool(false));
        let field_type = self.types[index];
        let cells = &mut self.page.cells[index];
        match (cells, field_type, scalar) {
            (Cells::Booleans(cells), _, Scalar::Bool(bool)) => cells.push(Some(bool)),
            (cells, _, _) if empty => cells.push_null(),
            (Cells::Integers(cells), _, Scalar::Int(int)) => cells.push(Some(int)),
            (Cells::Integers(cells), _, Scalar::Double(text)) => match whole(text) {
                Some(int) => cells.push(Some(int)),
                None => return Err(self.refuse(&format!("the number {text}"))),
            },
            (Cells::Texts(cells), FieldType::Text, Scalar::Text(text)) => cells.push(Some(text)),
            (Cells::Texts(cells), FieldType::Decimal, Scalar::Double(text)) => {
                cells.push(Some(text));
            }
            (Cells::Texts(cells), FieldType::Decimal | FieldType::Text, Scalar::Int(int)) => {
                cells.push(Some(&int.to_string()))
            }
            (Cells::Texts(cells), FieldType::Date, Scalar::Text(text))
                if NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() =>
            {
                cells.push(Some(text));
            }
            (Cells::Texts(cells), FieldType::Datetime, Scalar::Text(text))
                if NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").is_ok() =>
            {
                cells.push(Some(&format!("{text}+00")));
            }
            (Cells::Texts(cells), FieldType::Json, scalar) => {
                cells.push(Some(&json_scalar(scalar)));
            }
            (_, _, scalar) => return Err(self.refuse(&describe(scalar))),
        }
        Ok(())
    }

    fn in_cell(&self) -> Option<usize> {
        self.current.filter(|_| self.depth >= RECORD)
    }

    fn begin(&mut self, what: &str) -> Result<(), Refusal> {
        if self.depth == RECORD
            && let Some(index) = self.current
        {
            match (self.types[index], what) {
                (FieldType::Json, _) => self.nested = Some(ValueSink::default()),
                (FieldType::ToMany | FieldType::Many2one, "a list") => {}
                _ => return Err(self.refuse(what)),
            }
        } else if self.depth > RECORD && self.nested.is_none() && self.current.is_some() {
            return Err(self.refuse(what));
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
        if let Some(nested) = &mut self.nested {
            return nested.scalar(scalar);
        }
        match (self.depth, self.in_cell()) {
            (RECORD, Some(index)) => self.put(index, scalar),
            (RECORD, None) => Ok(()),
            (depth, Some(index)) if depth == RECORD + 1 => {
                match (self.types[index], &mut self.page.cells[index], scalar) {
                    (FieldType::ToMany, Cells::Lists(lists), Scalar::Int(id)) => lists.push_id(id),
                    (FieldType::Many2one, _, Scalar::Int(id)) if self.pair.is_none() => {
                        self.pair = Some(id);
                    }
                    // The name beside the id.
                    (FieldType::Many2one, _, Scalar::Text(_)) if self.pair.is_some() => {}
                    (_, _, scalar) => return Err(self.refuse(&describe(scalar))),
                }
                Ok(())
            }
            (depth, None) if depth > RECORD => Ok(()),
            _ => Err(self.refuse(&describe(scalar))),
        }
    }

    fn begin_array(&mut self) -> Result<(), Refusal> {
        match self.depth {
            0 => self.depth = RECORDS,
            RECORDS => return Err(self.refuse("a list")),
            _ => self.begin("a list")?,
        }
        Ok(())
    }

    fn begin_struct(&mut self) -> Result<(), Refusal> {
        match self.depth {
            0 => return Err(self.refuse("a struct")),
            RECORDS => self.depth = RECORD,
            _ => self.begin("a struct")?,
        }
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), Refusal> {
        if let Some(nested) = &mut self.nested {
            return nested.name(name);
        }
        if self.depth > RECORD {
            return Ok(());
        }
        let names = &self.page.names;
        let found = match names.get(self.guess) {
            Some(guess) if guess == name => Some(self.guess),
            _ => names.iter().position(|column| column == name),
        };
        if let Some(index) = found {
            if self.page.cells[index].len() > self.page.rows {
                return Err(Refusal(format!("the field \"{name}\" twice in one record")));
            }
            self.guess = index + 1;
        }
        self.current = found;
        Ok(())
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

/// The integer that a double stands for: Odoo sends integers beyond 32 bits so.
fn whole(text: &str) -> Option<i64> {
    let number: f64 = text.parse().ok()?;
    // Beyond 2^53 a double no longer tells neighbouring integers apart.
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
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
mod tests {
    use super::*;
    use crate::odoo::transport::xmlrpc;

    /// Decodes records written as `<member>` lists.
    fn page(fields: &[(&str, FieldType)], records: &[&str]) -> Result<Page, String> {
        let records: String = records
            .iter()
            .map(|members| format!("<value><struct>{members}</struct></value>"))
            .collect();
        let body = format!(
            "<?xml version='1.0'?><methodResponse><params><param><value><array><data>{records}\
             </data></array></value></param></params></methodResponse>"
        );
        let mut sink = PageSink::new(fields.iter().copied());
        xmlrpc::decode(body.as_bytes(), &mut sink).map_err(|error| format!("{error:?}"))?;
        sink.finish().map_err(|refusal| refusal.0)
    }

    fn member(name: &str, value: &str) -> String {
        format!("<member><name>{name}</name><value>{value}</value></member>")
    }

    fn one(field_type: FieldType, value: &str) -> Result<Cells, String> {
        let record = member("id", "<int>1</int>") + &member("x", value);
        page(&[("x", field_type)], &[&record]).map(|page| page.column("x").unwrap().clone())
    }

    fn text(text: &str) -> Result<Cells, String> {
        Ok(Cells::Texts([Some(text)].into_iter().collect()))
    }

    const FALSE: &str = "<boolean>0</boolean>";

    #[test]
    fn the_field_type_decides_what_false_means() {
        assert_eq!(one(FieldType::Boolean, FALSE), Ok(Cells::Booleans(vec![Some(false)])));
        assert_eq!(one(FieldType::Many2one, FALSE), Ok(Cells::Integers(vec![None])));
        let null = Ok(Cells::Texts([None].into_iter().collect()));
        for field_type in
            [FieldType::Text, FieldType::Date, FieldType::Datetime, FieldType::Decimal]
        {
            assert_eq!(one(field_type, FALSE), null);
        }
    }

    #[test]
    fn numbers_keep_their_text_and_big_integers_their_value() {
        assert_eq!(one(FieldType::Decimal, "<double>19.99</double>"), text("19.99"));
        assert_eq!(one(FieldType::Decimal, "<double>1e-05</double>"), text("1e-05"));
        assert_eq!(one(FieldType::Decimal, "<double>nan</double>"), text("nan"));
        assert_eq!(one(FieldType::Decimal, "<int>7</int>"), text("7"));
        let big = one(FieldType::Integer, "<double>5000000000.0</double>");
        assert_eq!(big, Ok(Cells::Integers(vec![Some(5_000_000_000)])));
        assert!(one(FieldType::Integer, "<double>1.5</double>").is_err());
        assert!(one(FieldType::Integer, "<double>1e300</double>").is_err());
    }

    #[test]
    fn dates_are_checked_and_times_are_utc() {
        assert_eq!(one(FieldType::Date, "<string>2024-02-29</string>"), text("2024-02-29"));
        assert!(one(FieldType::Date, "<string>2023-02-29</string>").is_err());
        assert_eq!(
            one(FieldType::Datetime, "<string>2024-02-29 23:59:59</string>"),
            text("2024-02-29 23:59:59+00")
        );
        assert!(one(FieldType::Datetime, "<string>2024-02-29</string>").is_err());
    }

    #[test]
    fn relations_become_ids() {
        let pair = "<array><data><value><int>7</int></value><value><string>n</string></value></data></array>";
        assert_eq!(one(FieldType::Many2one, pair), Ok(Cells::Integers(vec![Some(7)])));
        assert_eq!(one(FieldType::Many2one, "<int>7</int>"), Ok(Cells::Integers(vec![Some(7)])));
        let list =
            "<array><data><value><int>1</int></value><value><int>2</int></value></data></array>";
        let Ok(Cells::Lists(lists)) = one(FieldType::ToMany, list) else { panic!() };
        assert_eq!(lists.get(0), [1, 2]);
        assert!(one(FieldType::Text, list).is_err());
    }

    #[test]
    fn json_is_kept_whole() {
        let nested = format!(
            "<struct>{}</struct>",
            member("a", "<array><data><value><int>1</int></value></data></array>")
        );
        assert_eq!(one(FieldType::Json, &nested), text(r#"{"a":[1]}"#));
    }

    #[test]
    fn records_may_lack_fields_reorder_them_and_bring_others() {
        let first = member("id", "<int>1</int>")
            + &member("other", "<struct></struct>")
            + &member("b", "<int>2</int>");
        let second = member("b", "<int>3</int>")
            + &member("a", "<int>4</int>")
            + &member("id", "<int>2</int>");
        let page =
            page(&[("a", FieldType::Integer), ("b", FieldType::Integer)], &[&first, &second])
                .unwrap();
        assert_eq!(page.ids(), [1, 2]);
        assert_eq!(page.column("a"), Some(&Cells::Integers(vec![None, Some(4)])));
        assert_eq!(page.column("b"), Some(&Cells::Integers(vec![Some(2), Some(3)])));
    }

    #[test]
    fn the_memory_of_columns_is_known() {
        let fields = [
            ("b", FieldType::Boolean),
            ("t", FieldType::Text),
            ("l", FieldType::ToMany),
            ("m", FieldType::Many2one),
        ];
        assert_eq!(Page::new(fields).bytes(), 0);
        let list = "<array><data><value><int>1</int></value></data></array>".to_owned();
        let record = |id: usize| {
            member("id", &format!("<int>{id}</int>"))
                + &member("b", "<boolean>1</boolean>")
                + &member("t", &format!("<string>{}</string>", "x".repeat(1000)))
                + &member("l", &list)
                + &member("m", "<int>7</int>")
        };
        let records: Vec<String> = (1..=100).map(record).collect();
        let bytes = |rows: usize| {
            let records: Vec<&str> = records[..rows].iter().map(String::as_str).collect();
            page(&fields, &records).unwrap().bytes()
        };
        // Per row: two integers, a boolean, a text with its end and its flag, a list of one id.
        let row = 2 * 16 + 1 + (1000 + 8 + 1) + (8 + 8);
        // Vectors double: there is room for twice as much at most, and for a few at first.
        for rows in [1, 50, 100] {
            let held = bytes(rows);
            assert!((rows * row..=rows * row * 2 + 256).contains(&held), "{rows}: {held}");
        }
    }

    #[test]
    fn what_is_no_list_of_records_is_refused() {
        let twice = member("id", "<int>1</int>") + &member("id", "<int>1</int>");
        assert!(page(&[], &[&twice]).unwrap_err().contains("twice"));
        assert!(page(&[], &[""]).unwrap_err().contains("without an id"));
    }
}

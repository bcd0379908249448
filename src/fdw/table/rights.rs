//! What the Odoo user may not read, though `fields_get` shows it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::failure::Failure;
use crate::odoo::{Connection, Domain, Error, Field, FieldType};
use crate::quote::ident;

/// Which models may be read, each asked once. An x2many field is searched for in its model, and
/// so needs the right to it.
#[derive(Default)]
pub struct Readable(Mutex<HashMap<String, bool>>);

impl Readable {
    /// The model that the user would have to be allowed to read for a field, and is not.
    pub fn obstacle<'f>(
        &self,
        odoo: &Connection,
        field: &'f Field,
    ) -> Result<Option<&'f str>, Error> {
        match (field.field_type, &field.relation) {
            (FieldType::ToMany, Some(model)) if !self.has(odoo, model)? => Ok(Some(model)),
            _ => Ok(None),
        }
    }

    fn has(&self, odoo: &Connection, model: &str) -> Result<bool, Error> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(is_readable) = known().get(model) {
            return Ok(*is_readable);
        }
        let is_readable = match odoo.model(model).search(Domain::all(), Some("id"), 0, Some(1)) {
            Ok(_) => true,
            Err(Error::Fault(_)) => false,
            Err(error) => return Err(error),
        };
        known().insert(model.to_owned(), is_readable);
        Ok(is_readable)
    }
}

/// The error of columns that the user may not read any more. As NULL, a list that is kept back
/// would be taken for an empty one.
pub fn refusal(table: &str, columns: &[&str], error: Error) -> Failure {
    let failure = Failure::from(error);
    if columns.is_empty() {
        return failure;
    }
    let what = if columns.len() == 1 { "column" } else { "columns" };
    let message =
        format!("the Odoo user may not read the {what} {} of {table}", columns.join(", "));
    let (words, mend) = (failure.message.clone(), without(table, columns));
    let hint = format!("Give the Odoo user a group that may, or leave them out: {mend}");
    let detail = failure.detail.map_or(words.clone(), |more| format!("{words}\n{more}"));
    Failure { message, detail: Some(detail), hint: Some(hint), ..failure }
}

/// The statement that leaves columns out.
pub fn without(table: &str, columns: &[&str]) -> String {
    let drops: Vec<_> =
        columns.iter().map(|column| format!("DROP COLUMN {}", ident(column))).collect();
    format!("ALTER FOREIGN TABLE {table} {};", drops.join(", "))
}

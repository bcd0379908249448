//! A dataset's declaration against the fields that a live Odoo has.

use std::collections::HashMap;
use std::rc::Rc;

use crate::failure::Failure;
use crate::odoo::{FaultKind, FieldType, Fields};
use crate::server::Session;
use crate::warehouse::{Column, Dataset, Path, SqlType};

/// The fields of models, asked for once.
pub struct Catalogue<'s> {
    session: &'s Session,
    known: HashMap<String, Option<Rc<Fields>>>,
}

impl<'s> Catalogue<'s> {
    pub fn new(session: &'s Session) -> Catalogue<'s> {
        Catalogue { session, known: HashMap::new() }
    }

    /// The fields of a model that the user may read; `None` if Odoo has no such model.
    pub fn fields(&mut self, model: &str) -> Result<Option<Rc<Fields>>, Failure> {
        if let Some(fields) = self.known.get(model) {
            return Ok(fields.clone());
        }
        let name = model.to_owned();
        let fields = self.session.call(move |odoo| match odoo.model(&name).fields() {
            Ok(fields) => Ok(Some(fields)),
            Err(error) if error.fault_kind() == Some(&FaultKind::UnknownModel) => Ok(None),
            Err(error) => Err(error),
        })?;
        let fields = fields.map(Rc::new);
        self.known.insert(model.to_owned(), fields.clone());
        Ok(fields)
    }
}

/// How a dataset is read from this Odoo.
pub struct Plan {
    pub dataset: &'static Dataset,
    /// The name that the model has there.
    pub model: String,
    /// Parallel to [`Dataset::loaded_columns`].
    pub columns: Vec<PlannedColumn>,
}

pub struct PlannedColumn {
    pub column: &'static Column,
    /// `None` where this Odoo has no field for it, or none that the user may read.
    pub origin: Option<Origin>,
}

/// A field of the dataset's model, and the fields beyond it if it is relational.
pub struct Origin {
    pub field: Reading,
    pub hops: Vec<Hop>,
}

/// A field to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reading {
    pub name: String,
    pub field_type: FieldType,
    /// The value that makes a boolean column true.
    pub equals: Option<&'static str>,
}

/// A field of the record that the step before points to.
pub struct Hop {
    pub model: String,
    pub field: Reading,
}

impl Origin {
    /// The field whose value the column shows.
    pub fn last(&self) -> &Reading {
        self.hops.last().map_or(&self.field, |hop| &hop.field)
    }

    /// How people name it: `uom_id.name`.
    pub fn path(&self) -> String {
        let hops = self.hops.iter().map(|hop| &hop.field);
        let names: Vec<_> =
            [&self.field].into_iter().chain(hops).map(|f| f.name.as_str()).collect();
        names.join(".")
    }
}

impl Plan {
    /// Resolves a dataset; `None` if Odoo has none of its models.
    pub fn make(
        dataset: &'static Dataset,
        catalogue: &mut Catalogue<'_>,
    ) -> Result<Option<Plan>, Failure> {
        for model in dataset.models {
            if catalogue.fields(model)?.is_some() {
                let columns = dataset
                    .loaded_columns()
                    .map(|column| {
                        let origin = resolve(column, model, catalogue)?;
                        Ok(PlannedColumn { column, origin })
                    })
                    .collect::<Result<_, Failure>>()?;
                return Ok(Some(Plan { dataset, model: (*model).to_owned(), columns }));
            }
        }
        Ok(None)
    }

    /// The fields to ask for, each once.
    pub fn fields(&self) -> Vec<(String, FieldType)> {
        let mut fields: Vec<(String, FieldType)> = Vec::new();
        for origin in self.columns.iter().filter_map(|planned| planned.origin.as_ref()) {
            let field = &origin.field;
            if fields.iter().all(|(name, _)| *name != field.name) {
                fields.push((field.name.clone(), field.field_type));
            }
        }
        fields
    }

    /// The columns that stay NULL here. Models without archiving have no `active`, which then
    /// is true.
    pub fn absent(&self) -> Vec<&'static str> {
        let absent = self.columns.iter().filter(|planned| planned.origin.is_none());
        absent.map(|planned| planned.column.name).filter(|name| *name != "active").collect()
    }
}

fn resolve(
    column: &'static Column,
    model: &str,
    catalogue: &mut Catalogue<'_>,
) -> Result<Option<Origin>, Failure> {
    let Some(Ok(path)) = column.path().map(Path::parse) else {
        return Ok(None);
    };
    let mut model = model.to_owned();
    let mut readings: Vec<(String, Reading)> = Vec::new();
    for step in &path.steps {
        let Some(fields) = catalogue.fields(&model)? else {
            return Ok(None);
        };
        let found = step.aliases.iter().find_map(|alias| Some((alias, fields.get(alias.field)?)));
        let Some((alias, field)) = found else {
            return Ok(None);
        };
        let reading = Reading {
            name: alias.field.to_owned(),
            field_type: field.field_type,
            equals: alias.equals,
        };
        let next = field.relation.clone().unwrap_or_default();
        readings.push((std::mem::replace(&mut model, next), reading));
    }
    let mut readings = readings.into_iter();
    let Some((_, field)) = readings.next() else {
        return Ok(None);
    };
    let hops = readings.map(|(model, field)| Hop { model, field }).collect();
    let origin = Origin { field, hops };
    Ok(fits(origin.last(), column.sql_type).then_some(origin))
}

/// Whether a column can hold a field's values. A customised Odoo may have another type under
/// a known name.
fn fits(field: &Reading, column: SqlType) -> bool {
    use FieldType::*;
    match (column, field.field_type) {
        (SqlType::Text, ToMany) => false,
        (SqlType::Text, _) => true,
        (SqlType::Bigint, Integer | Many2one) => true,
        (SqlType::BigintArray, ToMany | Many2one) => true,
        (SqlType::Numeric, Decimal | Integer) => true,
        (SqlType::Boolean, Boolean) => true,
        (SqlType::Boolean, Text) => field.equals.is_some(),
        (SqlType::Timestamptz, Datetime) => true,
        _ => false,
    }
}

//! What the execution of a scan needs to know.

use std::hash::{DefaultHasher, Hash, Hasher};

use pgrx::PgSqlErrorCode as State;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::fdw::query::grouped::Grouped;
use crate::fdw::query::pushdown::{Pushed, push};
use crate::fdw::table::columns::Kind;
use crate::odoo::{Condition, FieldType, Fields};
use crate::pg::fdw::{Constant, PathPlan, Predicate};

/// A column to fetch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fetched {
    pub column: String,
    pub field: String,
    pub field_type: FieldType,
    /// As Odoo calls it.
    pub type_name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    pub table: String,
    pub model: String,
    /// Records tell when they changed.
    pub is_dated: bool,
    /// Archived records are left out.
    pub only_active: bool,
    pub predicate: Predicate,
    /// The fields of the predicate's columns.
    pub subjects: Vec<(i16, String, Kind)>,
    pub fetched: Vec<Fetched>,
    pub path: PathPlan,
    /// What Odoo is to make of the records in PostgreSQL's place.
    pub grouped: Option<Grouped>,
    /// All rows are likely to be taken.
    pub is_eager: bool,
    /// Few rows are expected.
    pub is_short: bool,
    /// What the plan makes of the model's fields, as a number.
    pub basis: u64,
}

impl Plan {
    /// The domain, where the predicate's expressions have these values.
    pub fn pushed(&self, values: &[Constant]) -> Pushed {
        let subject = |attribute| {
            let found = self.subjects.iter().find(|(number, ..)| *number == attribute);
            found.map(|(_, field, kind)| (field.as_str(), *kind))
        };
        let pushed = push(&self.predicate, &subject, values);
        match self.only_active {
            false => pushed,
            true => {
                let active = Condition::leaf("active", "=", true);
                Pushed { condition: pushed.condition.and(active), ..pushed }
            }
        }
    }

    /// The condition that Odoo is asked for.
    ///
    /// # Errors
    /// If Odoo is to count or limit in PostgreSQL's place, and would take other rows.
    pub fn condition(&self, values: &[Constant]) -> Result<Condition, Failure> {
        let pushed = self.pushed(values);
        match pushed.exact || !(self.grouped.is_some() || self.path.limit.is_some()) {
            true => Ok(pushed.condition),
            false => Err(Failure::new(
                State::ERRCODE_INTERNAL_ERROR,
                format!("Odoo cannot pick the rows of {} in PostgreSQL's place", self.model),
            )
            .hint("ALTER FOREIGN TABLE … OPTIONS (ADD pushdown 'false') helps; please report it.")),
        }
    }

    /// All that is asked for is wanted, so that reading ahead is no waste.
    pub fn wants_all(&self) -> bool {
        self.is_eager || self.path.limit.as_ref().is_some_and(|limit| limit.count.is_some())
    }

    /// Whether the first records, in the order of their ids, are likely to be all that is wanted.
    pub fn begins_with_records(&self) -> bool {
        let is_by_id = self.path.order.as_ref().is_none_or(|order| order == "id");
        self.is_short && is_by_id && self.path.limit.is_none() && !self.fields().is_empty()
    }

    /// What the plan would make of these fields.
    pub fn basis_in(&self, fields: &Fields) -> u64 {
        let subjects = self.subjects.iter().map(|(_, field, _)| field);
        let grouped = self.grouped.iter().flat_map(Grouped::fields);
        let names = self.fetched.iter().map(|column| &column.field).chain(subjects).chain(grouped);
        basis(names, fields) ^ u64::from(self.only_active && !fields.contains("active"))
    }

    /// Makes sure that the model is as it was when the plan was made, which may be long ago.
    pub fn require_basis(&self, fields: &Fields) -> Result<(), Failure> {
        require_same(&self.model, self.basis, self.basis_in(fields))
    }

    /// The fields in Odoo, each once.
    pub fn fields(&self) -> Vec<(String, FieldType)> {
        let mut fields: Vec<(String, FieldType)> = Vec::new();
        for column in &self.fetched {
            if column.field != "id" && fields.iter().all(|(name, _)| *name != column.field) {
                fields.push((column.field.clone(), column.field_type));
            }
        }
        fields
    }

    /// The fields and the columns that show them.
    pub fn names(&self) -> Vec<(String, String)> {
        self.fetched.iter().map(|shown| (shown.field.clone(), shown.column.clone())).collect()
    }

    /// What EXPLAIN shows.
    pub fn explain(&self, values: &[Constant]) -> Vec<(&'static str, String)> {
        let condition = self.pushed(values).condition;
        let mut lines = vec![("Model", self.model.clone())];
        lines.push(match condition.is_never() {
            true => ("Domain", "none, no record can meet it".into()),
            false => ("Domain", condition.into_domain().into_value().into_json().to_string()),
        });
        lines.push(match &self.grouped {
            Some(grouped) if grouped.is_count() => ("Asks For", "the number of records".into()),
            Some(grouped) => ("Aggregate", grouped.written()),
            None => {
                let fields: Vec<String> = self.fields().into_iter().map(|(name, _)| name).collect();
                let all = ["id".to_owned()].into_iter().chain(fields);
                ("Fields", all.collect::<Vec<_>>().join(", "))
            }
        });
        lines.extend(self.path.order.iter().map(|order| ("Order", order.clone())));
        if let Some(limit) = self.path.limit {
            lines.extend(limit.count.map(|count| ("Limit", count.to_string())));
            lines.extend((limit.offset > 0).then(|| ("Offset", limit.offset.to_string())));
        }
        lines
    }
}

/// What plans take from fields, as a number.
pub fn basis<'a>(names: impl Iterator<Item = &'a String>, fields: &Fields) -> u64 {
    let mut hasher = DefaultHasher::new();
    for name in names {
        let facts = fields.get(name).map(|field| {
            let kept = (field.stored, field.company_dependent, field.translated);
            (&field.type_name, kept, field.field_type)
        });
        facts.hash(&mut hasher);
    }
    hasher.finish()
}

/// # Errors
/// If a plan was made of other fields than those that the model has now.
pub fn require_same(model: &str, planned: u64, now: u64) -> Result<(), Failure> {
    match planned == now {
        true => Ok(()),
        false => Err(Failure::new(
            State::ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION,
            format!("model {model} has other fields than when the statement was planned"),
        )
        .hint("Run it again; odoo_check() tells which foreign tables need a change.")),
    }
}

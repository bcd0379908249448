//! A foreign table in a query: what the planner is told of it.

use std::rc::Rc;

use pgrx::PgSqlErrorCode as State;
use pgrx::pg_sys::Oid;

use crate::failure::Failure;
use crate::fdw::query::grouped::{Grouped, Shown};
use crate::fdw::query::plan::{Fetched, Plan};
use crate::fdw::query::pushdown::{Pushed, push};
use crate::fdw::scan::known;
use crate::fdw::scan::records::all_of;
use crate::fdw::scan::summary::MAX_GROUPS;
use crate::fdw::table::columns::{Kind, searches_otherwise};
use crate::fdw::table::options::{Column, Table};
use crate::odoo::{Condition, Fields};
use crate::pg::fdw::{Asked, Grouping, Groups, Predicate, RawTable, SortKey};
use crate::quote::ident;
use crate::server::Server;

/// Of so many expected rows a scan is taken for one that needs one request.
const MAX_SHORT: f64 = 50.0;

pub struct Relation {
    pub table: Table,
    pub server: Server,
    user: Oid,
    fields: Rc<Fields>,
}

impl Relation {
    /// A foreign table as a user sees it.
    pub fn open(raw: RawTable, user: Oid) -> Result<Relation, Failure> {
        let table = Table::from(raw);
        let server = Server::of_oid(table.server);
        let mut fields = known::fields_known(&server, user, &table.model)?;
        if table.columns.iter().any(|column| !fields.contains(&column.field)) {
            // It may have come since then.
            fields = known::fields(&server, user, &table.model)?;
        }
        Ok(Relation { table, server, user, fields })
    }

    /// What the model is known to be like.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// How a column compares; `None` if PostgreSQL does it alone.
    pub fn kind(&self, attribute: i16) -> Option<Kind> {
        self.subject(attribute).map(|(_, kind)| kind)
    }

    fn subject(&self, attribute: i16) -> Option<(&str, Kind)> {
        let column = self.table.column(attribute)?;
        let is_asked = self.table.pushdown && column.pushdown;
        let field = self.fields.get(&column.field).filter(|_| is_asked)?;
        if searches_otherwise(&self.table.model, &column.field) {
            return None;
        }
        Some((&column.field, Kind::of(&column.field, field, column.class)?))
    }

    /// The domain of a predicate, as far as it is known when a query is planned.
    pub fn push(&self, predicate: &Predicate) -> Pushed {
        push(predicate, &|attribute| self.subject(attribute), &[])
    }

    /// How many records meet what is known of a predicate, if Odoo tells.
    pub fn count(&self, predicate: &Predicate) -> Option<f64> {
        let condition = self.push(&predicate.known()).condition.and(self.activity());
        if condition.is_never() {
            return Some(0.0);
        }
        let domain = all_of(condition.into_domain());
        let count = known::count(&self.server, self.user, &self.table.model, domain)?;
        Some(count as f64)
    }

    fn only_active(&self) -> bool {
        !self.table.archived && self.fields.contains("active")
    }

    fn activity(&self) -> Condition {
        match self.only_active() {
            true => Condition::leaf("active", "=", true),
            false => Condition::ALWAYS,
        }
    }

    /// Odoo's order for these keys; `None` if it would sort otherwise than PostgreSQL. Texts are
    /// sorted by the database's collation, references by the other model's order, and numbers
    /// that are NULL in Odoo's database are read as 0.
    pub fn order(&self, keys: &[SortKey]) -> Option<String> {
        let mut parts = Vec::new();
        let mut is_over = false;
        for key in keys {
            if is_over {
                return None;
            }
            let (field, kind) = self.subject(key.attribute)?;
            // Without a word PostgreSQL, and so Odoo, has NULL last, descending first.
            let is_usual = key.nulls_first == key.is_descending;
            match kind {
                Kind::Id | Kind::Boolean => {}
                Kind::Date if is_usual => {}
                // Of the same second for PostgreSQL, but not for Odoo.
                Kind::Datetime if is_usual => is_over = true,
                _ => return None,
            }
            parts.push(format!("{field}{}", if key.is_descending { " desc" } else { "" }));
            if kind == Kind::Id {
                // Nothing is left to be sorted.
                return Some(parts.join(", "));
            }
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// What Odoo makes of the rows in PostgreSQL's place; `None` if it would be something else.
    fn grouped(&self, grouping: &Grouping) -> Option<Grouped> {
        let mut grouped = Grouped::default();
        for attribute in &grouping.by {
            grouped.group_by(&self.shown(*attribute)?)?;
        }
        for aggregate in &grouping.aggregates {
            let shown = match aggregate.attribute {
                Some(attribute) => Some(self.shown(attribute)?),
                None => None,
            };
            grouped.measure(aggregate.function, shown.as_ref())?;
        }
        // A report, which has no dates, computes its numbers anew each time.
        (grouped.is_count() || self.fields.contains("write_date")).then_some(grouped)
    }

    /// Whether Odoo knows about so many groups of rows.
    pub fn groups(&self, grouping: &Grouping, about: f64) -> Groups {
        match self.grouped(grouping) {
            Some(grouped) if grouped.is_count() => Groups::Always,
            Some(_) if about <= MAX_GROUPS as f64 => Groups::Perhaps,
            _ => Groups::Never,
        }
    }

    fn shown(&self, attribute: i16) -> Option<Shown<'_>> {
        let (name, kind) = self.subject(attribute)?;
        let (field, column) = (self.fields.get(name)?, self.table.column(attribute)?);
        Some(Shown { name, field, kind, class: column.class })
    }

    /// The plan of a scan.
    pub fn plan(&self, asked: Asked) -> Result<Plan, Failure> {
        let Asked { predicate, attributes, path, rows, is_eager } = asked;
        let columns = attributes.iter().filter_map(|attribute| self.table.column(*attribute));
        let fetched = columns.map(|column| self.fetched(column)).collect::<Result<_, _>>()?;
        let subjects = self.table.columns.iter().filter_map(|column| {
            let (field, kind) = self.subject(column.attribute)?;
            mentions(&predicate, column.attribute)
                .then(|| (column.attribute, field.to_owned(), kind))
        });
        let mut plan = Plan {
            table: self.table.name.clone(),
            model: self.table.model.clone(),
            is_dated: self.fields.contains("write_date"),
            only_active: self.only_active(),
            subjects: subjects.collect(),
            predicate,
            fetched,
            grouped: path.grouping.as_ref().and_then(|grouping| self.grouped(grouping)),
            path,
            is_eager,
            is_short: rows <= MAX_SHORT,
            basis: 0,
        };
        plan.basis = plan.basis_in(&self.fields);
        Ok(plan)
    }

    pub fn fetched(&self, column: &Column) -> Result<Fetched, Failure> {
        let Some(field) = self.fields.get(&column.field) else {
            known::forget();
            return Err(Failure::new(
                State::ERRCODE_FDW_COLUMN_NAME_NOT_FOUND,
                format!(
                    "model {} has no field \"{}\", or none that the Odoo user may read",
                    self.table.model, column.field
                ),
            )
            .detail(format!(
                "It is the column \"{}\" of the foreign table \"{}\".",
                column.name, self.table.name
            ))
            .hint(format!(
                "ALTER FOREIGN TABLE {} DROP COLUMN {}; odoo_check() looks at all foreign tables.",
                self.table.name,
                ident(&column.name)
            )));
        };
        Ok(Fetched {
            column: column.name.clone(),
            field: column.field.clone(),
            field_type: field.field_type,
            type_name: field.type_name.clone(),
        })
    }
}

fn mentions(predicate: &Predicate, attribute: i16) -> bool {
    match predicate {
        Predicate::All(parts) | Predicate::Any(parts) => {
            parts.iter().any(|part| mentions(part, attribute))
        }
        Predicate::Compare(column, ..)
        | Predicate::Flag(column, _)
        | Predicate::Listed { column, .. }
        | Predicate::Like { column, .. }
        | Predicate::Null { column, .. } => *column == attribute,
    }
}

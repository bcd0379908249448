//! INSERT, UPDATE and DELETE: rows to Odoo's values, and requests for many rows at once.
//!
//! Odoo commits each request by itself; a ROLLBACK does not reach it.

use std::collections::HashSet;

use pgrx::PgSqlErrorCode as State;
use pgrx::pg_sys::Oid;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::fdw::query::plan::{Fetched, basis, require_same};
use crate::fdw::query::time;
use crate::fdw::relation::Relation;
use crate::fdw::scan::known;
use crate::odoo::{Cells, Condition, FieldType, Fields, Value};
use crate::pg::fdw::{Action, Comparison, Constant, Scalar};
use crate::server::{Server, Session};

/// Records in one request.
pub const BATCH: usize = 100;

/// What a statement changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModifyPlan {
    pub action: Action,
    pub model: String,
    /// The columns that get values.
    pub written: Vec<Fetched>,
    /// The columns that RETURNING needs besides the id.
    pub returned: Vec<Fetched>,
    /// What the plan makes of the model's fields, as a number.
    pub basis: u64,
}

impl Relation {
    /// The plan of a statement that gives values to columns, and returns some.
    pub fn modify(
        &self,
        action: Action,
        attributes: &[i16],
        returned: &[i16],
    ) -> Result<ModifyPlan, Failure> {
        self.server.require_writable()?;
        let id = self.table.columns.iter().find(|column| column.field == "id");
        let id = id.map(|column| column.attribute);
        let mut written = Vec::new();
        for attribute in attributes {
            if Some(*attribute) == id {
                return Err(Failure::new(
                    State::ERRCODE_FDW_ERROR,
                    "the column that shows the id cannot be written",
                )
                .detail("Odoo gives ids to its records itself.")
                .hint("INSERT … RETURNING tells the id that a record got."));
            }
            if let Some(column) = self.table.column(*attribute) {
                written.push(self.fetched(column)?);
            }
        }
        let returned = returned.iter().filter_map(|attribute| self.table.column(*attribute));
        let returned = returned.map(|column| self.fetched(column)).collect::<Result<_, _>>()?;
        let model = self.table.model.clone();
        let mut plan = ModifyPlan { action, model, written, returned, basis: 0 };
        plan.basis = plan.basis_in(self.fields());
        Ok(plan)
    }
}

impl ModifyPlan {
    fn basis_in(&self, fields: &Fields) -> u64 {
        basis(self.written.iter().chain(&self.returned).map(|column| &column.field), fields)
    }
}

/// A statement at work.
pub struct Modification {
    plan: ModifyPlan,
    session: Session,
    /// Records that wait for their request, and the values that they all get.
    waiting: Vec<i64>,
    values: Vec<(String, Value)>,
    /// Records that the statement came to, where it changes or deletes some.
    met: HashSet<i64>,
    /// So many records are changed already.
    done: usize,
}

impl Modification {
    pub fn begin(plan: ModifyPlan, server: Oid, user: Oid) -> Result<Modification, Failure> {
        // The plan may be older than the option.
        let server = Server::of_oid(server);
        server.require_writable()?;
        let fields = known::fields(&server, user, &plan.model)?;
        require_same(&plan.model, plan.basis, plan.basis_in(&fields))?;
        let session = server.session_of(user)?;
        Ok(Modification {
            plan,
            session,
            waiting: Vec::new(),
            values: Vec::new(),
            met: HashSet::new(),
            done: 0,
        })
    }

    /// Makes records of these rows and returns their ids.
    pub fn insert(&mut self, rows: Vec<Vec<Constant>>) -> Result<Vec<i64>, Failure> {
        let made = self.create(rows);
        made.map_err(|failure| self.told_of_done(failure))
    }

    fn create(&mut self, rows: Vec<Vec<Constant>>) -> Result<Vec<i64>, Failure> {
        let values: Result<Vec<Value>, Failure> =
            rows.into_iter().map(|row| Ok(self.values(row)?.into_iter().collect())).collect();
        let (model, values) = (self.plan.model.clone(), values?);
        let wanted = values.len();
        let ids = self.session.write(move |odoo| odoo.model(&model).create(values))?;
        if ids.len() != wanted {
            let made = format!("Odoo made {} records of {wanted} rows", ids.len());
            return Err(Failure::new(State::ERRCODE_FDW_ERROR, made)
                .detail(format!("They stay: {}.", listed(&ids))));
        }
        self.done += wanted;
        Ok(ids)
    }

    /// Whether a record was not met before. A row is changed once, with however many rows it joins.
    pub fn meet(&mut self, id: i64) -> bool {
        self.met.insert(id)
    }

    /// Gives a record new values, together with those before it that get the same.
    pub fn update(&mut self, id: i64, row: Vec<Constant>) -> Result<(), Failure> {
        let values = self.values(row).map_err(|failure| self.told_of_done(failure))?;
        if values != self.values {
            self.flush()?;
            self.values = values;
        }
        self.wait(id)
    }

    /// Deletes a record, together with those before it.
    pub fn delete(&mut self, id: i64) -> Result<(), Failure> {
        self.wait(id)
    }

    fn wait(&mut self, id: i64) -> Result<(), Failure> {
        self.waiting.push(id);
        match self.waiting.len() < BATCH {
            true => Ok(()),
            false => self.flush(),
        }
    }

    /// Sends what waits.
    pub fn flush(&mut self) -> Result<(), Failure> {
        let ids = std::mem::take(&mut self.waiting);
        if ids.is_empty() {
            return Ok(());
        }
        let count = ids.len();
        self.send(ids).map_err(|failure| self.told_of_done(failure))?;
        self.done += count;
        Ok(())
    }

    fn send(&self, ids: Vec<i64>) -> Result<(), Failure> {
        let (model, session) = (self.plan.model.clone(), &self.session);
        let shown = listed(&ids);
        let is_done = match self.plan.action {
            Action::Delete => session.write(move |odoo| odoo.model(&model).unlink(ids))?,
            _ => {
                let values: Value = self.values.iter().cloned().collect();
                session.write(move |odoo| odoo.model(&model).write(ids, values))?
            }
        };
        match is_done {
            true => Ok(()),
            false => Err(Failure::new(
                State::ERRCODE_FDW_ERROR,
                format!("Odoo did not change records of {}", self.plan.model),
            )
            .detail(format!("It answered False for {shown}."))),
        }
    }

    /// An error of the statement, which does not undo what Odoo has done before.
    fn told_of_done(&self, failure: Failure) -> Failure {
        let verb = match self.plan.action {
            Action::Insert => "made",
            Action::Update => "changed",
            Action::Delete => "deleted",
        };
        match self.done {
            0 => failure,
            done => failure
                .and_detail(&format!("Records that were {verb} before, and stay so: {done}.")),
        }
    }

    /// What RETURNING needs of a record, as Odoo has it now: one row of each column.
    ///
    /// # Errors
    /// With Odoo's words, and that the record is there where the statement made or changed it.
    pub fn returned(&self, id: i64) -> Result<Vec<Cells>, Failure> {
        self.read(id).map_err(|failure| match self.plan.action {
            Action::Insert => failure.and_detail(&format!("The record was made: its id is {id}.")),
            Action::Update => failure.and_detail(&format!("The record was changed: {id}.")),
            Action::Delete => failure,
        })
    }

    fn read(&self, id: i64) -> Result<Vec<Cells>, Failure> {
        if self.plan.returned.is_empty() {
            return Ok(Vec::new());
        }
        let fields: Vec<(String, FieldType)> = self
            .plan
            .returned
            .iter()
            .map(|column| (column.field.clone(), column.field_type))
            .collect();
        let (model, asked) = (self.plan.model.clone(), fields.clone());
        let page = self.session.call(move |odoo| {
            let fields: Vec<_> = asked.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
            odoo.model(&model).read(vec![id], &fields)
        })?;
        let cells = fields.iter().map(|(name, kind)| match page.column(name) {
            Some(cells) if page.rows() == 1 => cells.clone(),
            _ => Cells::empty(*kind, 1),
        });
        Ok(cells.collect())
    }

    pub fn end(mut self) -> Result<(), Failure> {
        self.flush()?;
        known::forget();
        Ok(())
    }

    fn values(&self, row: Vec<Constant>) -> Result<Vec<(String, Value)>, Failure> {
        let columns = self.plan.written.iter().zip(row);
        columns
            .map(|(column, value)| Ok((column.field.clone(), odoo_value(column, value)?)))
            .collect()
    }
}

fn listed(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

/// A column's value as Odoo takes it for the field.
fn odoo_value(column: &Fetched, value: Constant) -> Result<Value, Failure> {
    let mismatch = || {
        Failure::new(
            State::ERRCODE_DATATYPE_MISMATCH,
            format!("field \"{}\" does not take the value of its column", column.field),
        )
        .detail(format!("In Odoo it is of type {}.", column.type_name))
        .hint("IMPORT FOREIGN SCHEMA gives columns the types that fit.")
    };
    let ids = |items: Vec<Option<Scalar>>| -> Option<Value> {
        let ids: Option<Vec<Value>> = items
            .into_iter()
            .map(|item| match item {
                Some(Scalar::Integer(id)) => Some(Value::Int(id)),
                _ => None,
            })
            .collect();
        // Odoo's command that puts these records in the place of all that were there.
        let command = Value::Array(vec![Value::Int(6), Value::Int(0), Value::Array(ids?)]);
        Some(Value::Array(vec![command]))
    };
    let scalar = match value {
        Constant::Null => return Ok(Value::Bool(false)),
        Constant::Many(items) if column.field_type == FieldType::ToMany => {
            return ids(items).ok_or_else(mismatch);
        }
        Constant::One(scalar) => scalar,
        Constant::Many(_) | Constant::Unknown(_) => return Err(mismatch()),
    };
    let moment = |condition: Condition| match condition {
        Condition::Leaf(_, "<" | "=", value) => Ok(value),
        _ => Err(Failure::new(
            State::ERRCODE_DATETIME_FIELD_OVERFLOW,
            format!("field \"{}\" takes dates of the years 1 to 9999", column.field),
        )),
    };
    match (column.field_type, scalar) {
        (FieldType::Boolean, Scalar::Boolean(value)) => Ok(value.into()),
        (FieldType::Integer | FieldType::Many2one, Scalar::Integer(value)) => Ok(value.into()),
        (FieldType::Decimal(_), Scalar::Decimal(value)) => match value.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Double(value)),
            _ => Err(Failure::new(
                State::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
                format!("field \"{}\" does not take the number {value}", column.field),
            )
            .detail("Odoo's numbers are finite double precision ones.")),
        },
        (FieldType::Decimal(_), Scalar::Integer(value)) => Ok(value.into()),
        (FieldType::Text, Scalar::Text(value)) => Ok(value.into()),
        (FieldType::Json, Scalar::Text(value)) => {
            serde_json::from_str(&value).map(Value::from_json).map_err(|_| mismatch())
        }
        (FieldType::Date, Scalar::Date(days)) => {
            moment(time::date(&column.field, Comparison::Equal, days))
        }
        // The second that it lies in.
        (FieldType::Datetime, Scalar::Time(time)) => {
            let second = time.div_euclid(1_000_000).saturating_mul(1_000_000);
            moment(time::datetime(&column.field, Comparison::Less, second))
        }
        _ => Err(mismatch()),
    }
}

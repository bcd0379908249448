//! What PostgreSQL's callbacks ask, and who answers it here.

use pgrx::pg_sys::Oid;

use crate::failure::Failure;
use crate::fdw::modify::{self, Modification, ModifyPlan};
use crate::fdw::query::plan::Plan;
use crate::fdw::relation::Relation;
use crate::fdw::scan::records::Scan;
use crate::fdw::scan::summary::{Column, Summary, summarise};
use crate::fdw::table::import::import;
use crate::fdw::table::options::field_of;
use crate::odoo::{self, Condition};
use crate::pg::fdw::{
    self, Action, Asked, Constant, Effort, Grouping, Groups, Import, Predicate, SortKey, Value,
};

impl fdw::Table for Relation {
    type Scan = Scan;
    type Modification = Modification;

    fn import(wanted: &Import) -> Result<Vec<String>, Failure> {
        import(wanted)
    }

    fn row_id(table: &fdw::RawTable) -> Option<i16> {
        let id = table.columns.iter().find(|column| field_of(column) == "id");
        id.map(|column| column.attribute)
    }

    fn open(table: fdw::RawTable, user: Oid) -> Result<Relation, Failure> {
        Relation::open(table, user)
    }

    fn compared(&self) -> Vec<i16> {
        let all = self.table.columns.iter().map(|column| column.attribute);
        all.filter(|attribute| self.kind(*attribute).is_some()).collect()
    }

    fn is_exact(&self, predicate: &Predicate) -> bool {
        self.table.pushdown && self.push(predicate).exact
    }

    fn is_narrowed(&self, predicate: &Predicate) -> bool {
        self.push(&predicate.known()).condition != Condition::ALWAYS
    }

    fn count(&self, predicate: &Predicate) -> Option<f64> {
        self.count(predicate)
    }

    fn groups(&self, grouping: &Grouping, about: f64) -> Groups {
        self.groups(grouping, about)
    }

    fn order(&self, keys: &[SortKey]) -> Option<String> {
        self.order(keys)
    }

    fn plan(&self, asked: Asked) -> Result<Plan, Failure> {
        self.plan(asked)
    }

    fn plan_modification(
        &self,
        action: Action,
        written: &[i16],
        returned: &[i16],
    ) -> Result<ModifyPlan, Failure> {
        self.modify(action, written, returned)
    }
}

impl fdw::Scan for Scan {
    type Plan = Plan;
    type Cells = odoo::Cells;
    type Summary = Summary;

    fn begin(plan: &Plan, server: Oid, user: Oid, values: &[Constant]) -> Result<Scan, Failure> {
        Scan::begin(plan, server, user, values)
    }

    fn summarise(
        plan: &Plan,
        server: Oid,
        user: Oid,
        values: &[Constant],
    ) -> Result<(Option<Summary>, Effort), Failure> {
        let (summary, traffic) = summarise(plan, server, user, values)?;
        Ok((summary, effort(traffic, 0)))
    }

    fn sample(
        plan: &Plan,
        server: Oid,
        user: Oid,
        wanted: usize,
    ) -> Result<(Scan, usize), Failure> {
        Scan::sample(plan, server, user, wanted)
    }

    fn next(&mut self) -> Result<Option<usize>, Failure> {
        self.next()
    }

    fn cells(&self) -> &[odoo::Cells] {
        self.cells()
    }

    fn effort(&self) -> Effort {
        let (traffic, rows) = self.traffic();
        effort(traffic, rows)
    }

    fn explain(plan: &Plan, values: &[Constant]) -> Vec<(&'static str, String)> {
        plan.explain(values)
    }
}

fn effort(traffic: odoo::Traffic, rows: u64) -> Effort {
    Effort { requests: traffic.requests, bytes: traffic.bytes, rows }
}

impl fdw::Modification for Modification {
    type Plan = ModifyPlan;
    type Cells = odoo::Cells;

    const BATCH: usize = modify::BATCH;

    fn begin(plan: ModifyPlan, server: Oid, user: Oid) -> Result<Modification, Failure> {
        Modification::begin(plan, server, user)
    }

    fn insert(&mut self, rows: Vec<Vec<Constant>>) -> Result<Vec<i64>, Failure> {
        self.insert(rows)
    }

    fn meet(&mut self, id: i64) -> bool {
        self.meet(id)
    }

    fn update(&mut self, id: i64, row: Vec<Constant>) -> Result<(), Failure> {
        self.update(id, row)
    }

    fn delete(&mut self, id: i64) -> Result<(), Failure> {
        self.delete(id)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.flush()
    }

    fn returned(&self, id: i64) -> Result<Vec<odoo::Cells>, Failure> {
        self.returned(id)
    }

    fn end(self) -> Result<(), Failure> {
        self.end()
    }
}

impl fdw::Summary for Summary {
    type Cells = Column;

    fn rows(&self) -> usize {
        self.rows
    }

    fn cells(&self) -> &[Column] {
        &self.columns
    }
}

impl fdw::Cells for Column {
    fn value(&self, row: usize) -> Option<Value<'_>> {
        match (self.cells.value(row)?, &self.divisors) {
            (Value::Text(text), Some(divisors)) => Some(Value::Quotient(text, divisors[row])),
            (value, _) => Some(value),
        }
    }
}

impl fdw::Cells for odoo::Cells {
    #[inline]
    fn value(&self, row: usize) -> Option<Value<'_>> {
        match self {
            odoo::Cells::Booleans(cells) => cells[row].map(Value::Boolean),
            odoo::Cells::Integers(cells) => cells[row].map(Value::Integer),
            odoo::Cells::Texts(texts) => texts.get(row).map(Value::Text),
            odoo::Cells::Lists(lists) => Some(Value::Integers(lists.get(row))),
        }
    }
}

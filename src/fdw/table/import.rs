//! IMPORT FOREIGN SCHEMA: models as foreign tables, with the fields that the user may read.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use pgrx::PgSqlErrorCode as State;

use crate::failure::{Failure, notice};
use crate::fdw::table::rights::Readable;
use crate::odoo::{Connection, Domain, Error, FaultKind, Field, Fields, Value};
use crate::pg::fdw::{Import, ImportList};
use crate::quote::{MAX_NAME, ident, literal};
use crate::server::{Place, Server, Session, check, flag};

struct Model {
    name: String,
    label: String,
}

#[derive(Clone, Copy)]
struct Choice {
    archived: bool,
    computed: bool,
    binary: bool,
}

/// What there is to import of a model.
struct Description {
    fields: Fields,
    /// Fields that are left out, by the model that the user may not read.
    refused: BTreeMap<String, Vec<String>>,
    /// Fields of the model itself that Odoo describes and refuses, as those of `hr.employee` to
    /// users who see public profiles alone.
    private: Vec<String>,
}

/// What Odoo calls its only schema here.
const SCHEMA: &str = "odoo";

/// Every table has them.
const SYSTEM_COLUMNS: &[&str] = &["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// Pages of descriptions on their way, for each reader.
const AHEAD: usize = 2;

thread_local! {
    /// Comments on the tables of the last import, which IMPORT itself cannot make.
    static COMMENTS: RefCell<HashMap<String, Vec<String>>> = RefCell::default();
}

/// The statements that make the tables.
pub fn import(import: &Import) -> Result<Vec<String>, Failure> {
    let Import { server, remote_schema, local_schema, list, options } = import;
    check(Some(Place::Import), options)?;
    if remote_schema != SCHEMA {
        return Err(Failure::new(
            State::ERRCODE_FDW_SCHEMA_NOT_FOUND,
            format!("schema \"{remote_schema}\" does not exist in Odoo"),
        )
        .hint(format!("Odoo has no schemas: IMPORT FOREIGN SCHEMA {SCHEMA} …")));
    }
    let choice = Choice {
        archived: flag(options, "archived", true),
        computed: flag(options, "computed", false),
        binary: flag(options, "binary", false),
    };
    let server = Server::of_oid(*server);
    let session = server.session()?;
    let models = wanted(models(&session, list)?, list)?;
    COMMENTS.with_borrow_mut(HashMap::clear);
    let mut statements = Vec::new();
    let mut asked = VecDeque::new();
    let mut waiting = models.into_iter();
    let mut hidden = 0;
    let readable = Arc::new(Readable::default());
    loop {
        while asked.len() < session.readers() * AHEAD
            && let Some(model) = waiting.next()
        {
            let (name, readable) = (model.name.clone(), readable.clone());
            let ticket = session.submit(move |odoo| describe(odoo, &name, choice, &readable))?;
            asked.push_back((model, ticket));
        }
        let Some((model, ticket)) = asked.pop_front() else {
            break;
        };
        match (ticket.outcome()?, list) {
            (Ok(described), _) => {
                described.tell(&model);
                statements.push(table(&server, local_schema, &model, &described.fields, &choice));
            }
            (Err(error), ImportList::LimitTo(_)) => return Err(error.into()),
            // A table that cannot be read is of no use.
            (Err(Error::Fault(_)), _) => hidden += 1,
            (Err(error), _) => return Err(error.into()),
        }
    }
    if hidden > 0 {
        notice!("{hidden} models that the Odoo user may not read are left out");
    }
    Ok(statements)
}

/// The comments of an imported table, as statements; they are told once.
pub fn take_comments(table: &str) -> Vec<String> {
    COMMENTS.with_borrow_mut(|comments| comments.remove(table)).unwrap_or_default()
}

/// A model's fields, if its records can be searched: abstract models have none.
fn describe(
    odoo: &Connection,
    name: &str,
    choice: Choice,
    readable: &Readable,
) -> Result<Description, Error> {
    let model = odoo.model(name);
    let examples = model.examples()?;
    let fields = model.fields_in_full()?;
    let mut described = Description { fields, refused: BTreeMap::default(), private: Vec::new() };
    for (name, field) in described.fields.sorted() {
        if is_chosen(name, field, &choice)
            && let Some(other) = readable.obstacle(odoo, field)?
        {
            described.refused.entry(other.to_owned()).or_default().push(name.to_owned());
        }
    }
    described.refused.values().flatten().for_each(|name| described.fields.remove(name));
    let chosen = described.fields.sorted().into_iter();
    let chosen = chosen.filter(|(name, field)| is_chosen(name, field, &choice));
    let chosen: Vec<String> = chosen.map(|(name, _)| name.to_owned()).collect();
    described.private = model.refused(&examples, &chosen)?;
    described.private.iter().for_each(|name| described.fields.remove(name));
    Ok(described)
}

impl Description {
    fn tell(&self, model: &Model) {
        let table = table_name(&model.name);
        for (other, fields) in &self.refused {
            let fields = fields.join(", ");
            notice!("{table}: left out {fields}, the Odoo user may not read {other}");
        }
        if !self.private.is_empty() {
            let fields = self.private.join(", ");
            notice!("{table}: left out {fields}, which the Odoo user may not read");
        }
    }
}

/// The models that Odoo has. A user who may not list them may still name some.
fn models(session: &Session, list: &ImportList) -> Result<Vec<Model>, Failure> {
    let listed = session.submit(|odoo| {
        let model = odoo.model("ir.model");
        let ids = model.search(Domain::leaf("transient", "=", false), Some("model"), 0, None)?;
        model.read_values(ids, &["model".to_owned(), "name".to_owned()])
    })?;
    let records = match (listed.outcome()?, list) {
        (Ok(records), _) => records,
        (Err(Error::Fault(fault)), ImportList::LimitTo(tables))
            if fault.kind == FaultKind::Access =>
        {
            let guess =
                |table: &String| Model { name: table.replace('_', "."), label: String::new() };
            return Ok(tables.iter().map(guess).collect());
        }
        (Err(error), _) => return Err(error.into()),
    };
    let text = |record: &Value, key| record.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(records
        .iter()
        .filter_map(|record| {
            let label = text(record, "name").unwrap_or_default();
            Some(Model { name: text(record, "model")?, label })
        })
        .collect())
}

fn wanted(models: Vec<Model>, list: &ImportList) -> Result<Vec<Model>, Failure> {
    let mut taken = HashSet::new();
    let models: Vec<Model> = models
        .into_iter()
        .filter(|model| {
            let table = table_name(&model.name);
            let is_wanted = match list {
                ImportList::All => true,
                ImportList::LimitTo(tables) => tables.contains(&table),
                ImportList::Except(tables) => !tables.contains(&table),
            };
            let is_first = is_wanted && taken.insert(table.clone());
            if is_wanted && !is_first {
                notice!("model {} is left out: another one is the table \"{table}\"", model.name);
            }
            is_first
        })
        .collect();
    if let ImportList::LimitTo(tables) = list
        && let Some(missing) = tables.iter().find(|table| !taken.contains(*table))
    {
        return Err(Failure::new(
            State::ERRCODE_FDW_TABLE_NOT_FOUND,
            format!("Odoo has no model for the table \"{missing}\""),
        )
        .detail(
            "A table is named as its model, with underscores for dots: pos_order for pos.order.",
        )
        .hint("The Odoo module that brings the model may not be installed."));
    }
    Ok(models)
}

fn table_name(model: &str) -> String {
    shortened(&model.replace('.', "_"))
}

fn shortened(name: &str) -> String {
    let end = (0..=MAX_NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    name[..end.unwrap_or(0)].to_owned()
}

fn table(server: &Server, schema: &str, model: &Model, fields: &Fields, choice: &Choice) -> String {
    let name = table_name(&model.name);
    let mut columns = Vec::new();
    let mut comments = Vec::new();
    let mut taken = HashSet::new();
    let qualified = format!("{}.{}", ident(schema), ident(&name));
    if !model.label.is_empty() {
        comments.push(format!(
            "COMMENT ON FOREIGN TABLE {qualified} IS {}",
            literal(&format!("{} ({})", model.label, model.name))
        ));
    }
    let all = fields.sorted();
    let (ids, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| *name == "id");
    for (field_name, field) in ids.into_iter().chain(others) {
        if !is_chosen(field_name, field, choice) {
            continue;
        }
        let mut column = shortened(field_name);
        if SYSTEM_COLUMNS.contains(&field_name) {
            column.push('_');
        }
        if !taken.insert(column.clone()) {
            continue;
        }
        let renamed = match column == field_name {
            true => String::new(),
            false => format!(" OPTIONS (field {})", literal(field_name)),
        };
        let required = if field_name == "id" { " NOT NULL" } else { "" };
        columns.push(format!("{} {}{renamed}{required}", ident(&column), own_type(field)));
        comments.push(format!(
            "COMMENT ON COLUMN {qualified}.{} IS {}",
            ident(&column),
            literal(&comment(field))
        ));
    }
    COMMENTS.with_borrow_mut(|all| all.insert(format!("{schema}.{name}"), comments));
    let archived = if choice.archived { "" } else { ", archived 'false'" };
    format!(
        "CREATE FOREIGN TABLE {} ({}) SERVER {} OPTIONS (model {}{archived})",
        ident(&name),
        columns.join(", "),
        ident(&server.name),
        literal(&model.name)
    )
}

/// The type of a field's column: PostgreSQL's own, whatever the path of whoever imports finds.
fn own_type(field: &Field) -> String {
    match field.sql_type() {
        name @ ("bytea" | "date" | "jsonb" | "text") => format!("pg_catalog.{name}"),
        // Words of SQL.
        name => name.to_owned(),
    }
}

/// Fields that Odoo keeps for the model, and of records that it refers to; computing others may be
/// slow, or fail.
fn is_chosen(name: &str, field: &Field, choice: &Choice) -> bool {
    let is_own = name == "id" || field.is_kept() || field.related;
    (is_own || choice.computed) && (field.type_name != "binary" || choice.binary)
}

/// Label, help and values of a field.
fn comment(field: &Field) -> String {
    let mut lines = vec![match &field.relation {
        Some(relation) => format!("{} ({relation})", field.label),
        None => field.label.clone(),
    }];
    lines.extend((!field.help.is_empty()).then(|| field.help.clone()));
    lines.extend(field.selection.iter().map(|(value, label)| format!("{value}: {label}")));
    lines.join("\n")
}

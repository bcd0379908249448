//! odoo_fields and odoo_models: what there is to read.

use pgrx::JsonB;
use pgrx::prelude::*;

use super::arguments::required;
use crate::failure::OrRaise;
use crate::odoo::{Connection, Domain, Error, FaultKind, Value};
use crate::server::Server;

const ATTRIBUTES: &[&str] = &[
    "type",
    "string",
    "relation",
    "required",
    "store",
    "readonly",
    "company_dependent",
    "selection",
    "help",
];

/// name, type, label, relation, required, stored, readonly, company_dependent, selection, help.
type Field = (
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    bool,
    bool,
    bool,
    bool,
    Option<JsonB>,
    Option<String>,
);

/// The fields of a model that the Odoo user may read, by name.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn odoo_fields(
    model: Option<&str>,
    server: Option<&str>,
) -> TableIterator<
    'static,
    (
        name!(name, String),
        name!(type_name, Option<String>),
        name!(label, Option<String>),
        name!(relation, Option<String>),
        name!(required, bool),
        name!(stored, bool),
        name!(readonly, bool),
        name!(company_dependent, bool),
        name!(selection, Option<JsonB>),
        name!(help, Option<String>),
    ),
> {
    let ask = || {
        let model = required("model", model)?.to_owned();
        let session = Server::named_or_only(server)?.session()?;
        session.call(move |odoo| odoo.model(&model).attributes(ATTRIBUTES))
    };
    let Value::Struct(mut fields) = ask().or_raise() else {
        return TableIterator::empty();
    };
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    TableIterator::new(fields.into_iter().map(|(name, attributes)| field(name, &attributes)))
}

fn field(name: String, attributes: &Value) -> Field {
    let text = |key| attributes.get(key).and_then(Value::as_str).map(str::to_owned);
    let flag = |key, default| attributes.get(key).and_then(Value::as_bool).unwrap_or(default);
    let selection = attributes.get("selection").filter(|value| value.as_array().is_some());
    (
        name,
        text("type"),
        text("string"),
        text("relation"),
        flag("required", false),
        flag("store", true),
        flag("readonly", false),
        flag("company_dependent", false),
        selection.map(|selection| JsonB(selection.clone().into_json())),
        text("help"),
    )
}

/// The models that the Odoo user may read, by name; no transient and no abstract ones.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn odoo_models(
    server: Option<&str>,
) -> TableIterator<'static, (name!(model, String), name!(name, Option<String>))> {
    let ask = || Server::named_or_only(server)?.session()?.call(models);
    let found: Value = ask().or_raise();
    let text = |row: &Value, key| row.get(key).and_then(Value::as_str).map(str::to_owned);
    let rows = found.as_array().unwrap_or_default().iter();
    let mut rows: Vec<_> = rows
        .filter_map(|row| {
            Some((text(row, "model")?, text(row, "display_name").or_else(|| text(row, "name"))))
        })
        .collect();
    rows.sort();
    TableIterator::new(rows)
}

/// As Odoo 16 on lists them for its user (`web/models/ir_model.py`), else as `ir.model` does,
/// which few users may read.
fn models(odoo: &Connection) -> Result<Value, Error> {
    let directory = odoo.model("ir.model");
    match directory.ask("get_available_models", Vec::new(), Vec::new()) {
        Err(Error::Fault(fault)) if fault.kind == FaultKind::Server => {
            let concrete = Domain::leaf("transient", "=", false);
            let ids = directory.search(concrete, Some("model"), 0, None)?;
            let fields = ["model", "name"].map(str::to_owned);
            directory.read_values(ids, &fields).map(Value::Array)
        }
        done => done,
    }
}

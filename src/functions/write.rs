//! odoo_create, odoo_write, odoo_unlink and odoo_call: what changes Odoo.
//!
//! Odoo commits each call by itself; a ROLLBACK here undoes nothing there.

use pgrx::JsonB;
use pgrx::prelude::*;

use super::arguments::{Members, ids, invalid, null_argument, object, required};
use crate::failure::{Failure, OrRaise};
use crate::odoo::Value;
use crate::query::require_writable;
use crate::server::{Server, Session};

/// Makes a record for each object, all in one transaction of Odoo's.
#[pg_extern(sql = false)]
fn odoo_create(
    model: Option<&str>,
    field_values: Option<JsonB>,
    server: Option<&str>,
) -> SetOfIterator<'static, i64> {
    let create = || {
        let model = required("model", model)?.to_owned();
        let records = records(field_values)?;
        writing(server)?.write(move |odoo| odoo.model(&model).create(records))
    };
    SetOfIterator::new(create().or_raise())
}

#[pg_extern(sql = false)]
fn odoo_write(
    model: Option<&str>,
    ids: Option<Vec<Option<i64>>>,
    field_values: Option<JsonB>,
    server: Option<&str>,
) -> bool {
    let write = || {
        let model = required("model", model)?.to_owned();
        let ids = self::ids(ids)?;
        let values = field_values.ok_or_else(|| null_argument("field_values"))?;
        let values = for_odoo(object("field_values", Some(values))?);
        writing(server)?.write(move |odoo| odoo.model(&model).write(ids, values))
    };
    write().or_raise()
}

#[pg_extern(sql = false)]
fn odoo_unlink(model: Option<&str>, ids: Option<Vec<Option<i64>>>, server: Option<&str>) -> bool {
    let unlink = || {
        let model = required("model", model)?.to_owned();
        let ids = self::ids(ids)?;
        writing(server)?.write(move |odoo| odoo.model(&model).unlink(ids))
    };
    unlink().or_raise()
}

/// Calls a public method. Nothing tells which of them only read, so all count as writing.
#[pg_extern(sql = false)]
fn odoo_call(
    model: Option<&str>,
    method: Option<&str>,
    args: Option<JsonB>,
    kwargs: Option<JsonB>,
    server: Option<&str>,
) -> Option<JsonB> {
    let call = || {
        let model = required("model", model)?.to_owned();
        let method = required("method", method)?.to_owned();
        let args = match args.map(|JsonB(args)| Value::from_json(args)) {
            None => Vec::new(),
            Some(Value::Array(args)) => args,
            Some(_) => return Err(invalid("args must be a JSON array".into())),
        };
        let mut kwargs = object("kwargs", kwargs)?;
        let context = match take(&mut kwargs, "context") {
            None => Vec::new(),
            Some(Value::Struct(context)) => context,
            Some(_) => return Err(invalid("context in kwargs must be a JSON object".into())),
        };
        let ids = take(&mut kwargs, "ids").map(listed).transpose()?;
        writing(server)?.write(move |odoo| {
            odoo.model(&model).with_context(context).call(&method, ids, args, kwargs)
        })
    };
    match call().or_raise() {
        Value::Null => None,
        result => Some(JsonB(result.into_json())),
    }
}

/// A session with a server that may be written, from a transaction that may write.
fn writing(server: Option<&str>) -> Result<Session, Failure> {
    let server = Server::named_or_only(server)?;
    server.require_writable()?;
    require_writable()?;
    server.session()
}

/// The object, or each object of an array.
fn records(json: Option<JsonB>) -> Result<Vec<Value>, Failure> {
    let JsonB(json) = json.ok_or_else(|| null_argument("field_values"))?;
    let items = match Value::from_json(json) {
        Value::Array(items) => items,
        other => vec![other],
    };
    items
        .into_iter()
        .map(|item| match item {
            Value::Struct(members) => Ok(for_odoo(members)),
            _ => Err(invalid("field_values must be a JSON object, or an array of objects".into())),
        })
        .collect()
}

/// The values of a record; Odoo empties a field by False.
fn for_odoo(members: Members) -> Value {
    let empty = |value| if value == Value::Null { Value::Bool(false) } else { value };
    members.into_iter().map(|(name, value)| (name, empty(value))).collect()
}

fn take(members: &mut Members, name: &str) -> Option<Value> {
    let index = members.iter().position(|(other, _)| other == name)?;
    Some(members.remove(index).1)
}

/// The records that a method is called on.
fn listed(value: Value) -> Result<Vec<i64>, Failure> {
    let ids: Option<Vec<i64>> =
        value.as_array().and_then(|ids| ids.iter().map(Value::as_int).collect());
    ids.ok_or_else(|| invalid("ids in kwargs must be a JSON array of integers".into()))
}

//! Conditions on a table's columns as conditions on Odoo's fields.

use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;
use crate::odoo::{Domain, Value};
use crate::sync::mapping::feed::Mapping;
use crate::sync::mapping::values::{Origin, Values};
use crate::warehouse::path::Test;

/// Which records make the rows that meet `filters`, a domain over the table's columns. A filter
/// on what the table's own domain is about takes its place: drafts are not in the warehouse, but
/// may be asked for.
pub fn domain(mapping: &Mapping, since: Option<&str>, filters: Domain) -> Result<Domain, Failure> {
    let filters =
        filters.map(|column, operator, value| condition(mapping, column, operator, value))?;
    let own = mapping.domain();
    let is_replaced = own.fields().any(|field| filters.fields().any(|other| other == field));
    let mut domain = match is_replaced {
        true => filters,
        false => own & filters,
    };
    if let Some(time) = since.filter(|_| mapping.is_dated) {
        domain = domain & mapping.changed_since(time);
    }
    Ok(domain)
}

fn condition(
    mapping: &Mapping,
    column: &str,
    operator: &str,
    value: Value,
) -> Result<Domain, Failure> {
    let mapped = mapping.columns.iter().find(|mapped| mapped.column.name == column);
    let Some(Values::Plain(origins)) = mapped.map(|mapped| &mapped.values) else {
        let message = format!("rows of {} cannot be chosen by {column}", mapping.dataset.table);
        return Err(Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, message));
    };
    // The column is NULL here, and so meets nothing.
    let Some(origin) = origins.first() else {
        return Ok(Domain::none());
    };
    if !origin.is_searchable() {
        let message = format!("rows of {} cannot be chosen by {column}", mapping.dataset.table);
        return Err(Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, message).detail(format!(
            "Odoo does not search {} by {}, which it computes.",
            mapping.model,
            origin.path()
        )));
    }
    Ok(match (origin.test, value) {
        (None, value) => Domain::leaf(&origin.path(), operator, value),
        (Some(test), value) => {
            let holds = positive(origin, test);
            if value == Value::Bool(true) { holds } else { !holds }
        }
    })
}

/// Which records have a boolean column; `None` where this Odoo has no field for it.
pub fn holds(mapping: &Mapping, column: &str) -> Option<Domain> {
    let mapped = mapping.columns.iter().find(|mapped| mapped.column.name == column)?;
    let origin = mapped.values.origins().next()?;
    Some(match origin.test {
        None => Domain::leaf(&origin.path(), "=", true),
        Some(test) => positive(origin, test),
    })
}

fn positive(origin: &Origin, test: Test) -> Domain {
    match test {
        Test::Equals(wanted) => Domain::leaf(&origin.path(), "=", wanted),
        Test::Positive => Domain::leaf(&origin.path(), ">", 0),
    }
}

//! Paths of a declaration held against the fields that this Odoo has.

use super::catalogue::Catalogue;
use super::values::{Hop, Origin, Reading, Values};
use crate::failure::Failure;
use crate::odoo::{Field, FieldType};
use crate::warehouse::path::{self, Path, Test};
use crate::warehouse::{Column, Source, SqlType};

pub fn resolve(
    column: &'static Column,
    feed: usize,
    model: &str,
    catalogue: &mut Catalogue,
) -> Result<Values, Failure> {
    let mut all = |text, sql_type| -> Result<Vec<Origin>, Failure> {
        let mut origins = Vec::new();
        // A test parses the paths of all declarations.
        for spellings in path::parse(text, feed).unwrap_or_default() {
            for path in &spellings {
                if let Some(origin) = follow(path, sql_type, model, catalogue)? {
                    origins.push(origin);
                    break;
                }
            }
        }
        Ok(origins)
    };
    Ok(match column.source {
        Source::Field(path)
        | Source::Ingredient(path)
        | Source::Added(path)
        | Source::Reference { path, .. }
        | Source::Corrected { path, .. }
        | Source::Zone(path)
        | Source::Company(path) => Values::Plain(all(path, column.sql_type)?),
        Source::Number(path) => Values::Plain(all(path, SqlType::Text)?),
        Source::Local { part, time, zone } => Values::Local {
            part,
            time: all(time, SqlType::Timestamptz)?,
            zone: all(zone, SqlType::Text)?,
        },
        Source::Inherited { .. }
        | Source::Generated(_)
        | Source::Refreshed(_)
        | Source::Kept(_) => Values::Plain(Vec::new()),
    })
}

/// The fields of a path, if this Odoo has them all and the last one fits the column.
pub fn follow(
    path: &Path,
    sql_type: SqlType,
    start: &str,
    catalogue: &mut Catalogue,
) -> Result<Option<Origin>, Failure> {
    let Some(steps) = walk(path.fields.iter().copied(), start, catalogue)? else {
        return Ok(None);
    };
    let mut hops = steps
        .into_iter()
        .map(|(model, name, field)| Hop { model, field: Reading::of(name, &field) });
    let first = hops.next();
    let hops = hops.collect();
    let own = match path.guard {
        Some(_) => catalogue.fields(start)?,
        None => None,
    };
    let guard = path.guard.and_then(|name| Some(Reading::of(name, own?.get(name)?)));
    let origin = first.map(|first| Origin { field: first.field, hops, test: path.test, guard });
    Ok(origin.filter(|origin| fits(origin, sql_type)))
}

/// A step of a path: a model, and a field of it.
pub type Step<'a> = (String, &'a str, Field);

/// The steps of a path, if this Odoo has all of its fields, whatever their types.
pub fn walk<'a>(
    path: impl Iterator<Item = &'a str>,
    start: &str,
    catalogue: &mut Catalogue,
) -> Result<Option<Vec<Step<'a>>>, Failure> {
    let mut model = start.to_owned();
    let mut steps = Vec::new();
    for name in path {
        // Nothing lies beyond a field that is no relation.
        let fields = match model.is_empty() {
            true => None,
            false => catalogue.fields(&model)?,
        };
        let Some(field) = fields.as_ref().and_then(|fields| fields.get(name)) else {
            return Ok(None);
        };
        let is_relation = matches!(field.field_type, FieldType::Many2one | FieldType::ToMany);
        let next = field.relation.clone().filter(|_| is_relation).unwrap_or_default();
        steps.push((std::mem::replace(&mut model, next), name, field.clone()));
    }
    Ok(Some(steps))
}

/// Whether a column can hold a field's values. A customised Odoo may have another type under
/// a known name.
fn fits(origin: &Origin, column: SqlType) -> bool {
    use FieldType::*;
    let inner = origin.hops.split_last().map(|(_, inner)| inner);
    let many = |hop: &Hop| hop.field.field_type == ToMany;
    // Beyond an x2many field comes one field at most, and its values are texts.
    let through_many = !origin.hops.is_empty() && origin.field.field_type == ToMany;
    if inner.is_some_and(|inner| inner.iter().any(many)) || through_many && origin.hops.len() > 1 {
        return false;
    }
    let field_type = origin.last().field_type;
    match (column, field_type, origin.test) {
        (SqlType::Boolean, Text, Some(Test::Equals(_))) => true,
        (SqlType::Boolean, Integer | Many2one, Some(Test::Positive)) => true,
        (_, _, Some(_)) => false,
        (SqlType::Text | SqlType::TextArray, Text, None) if through_many => true,
        (SqlType::Date, Date, None) if through_many => true,
        (SqlType::Numeric, Decimal(_), None) if through_many => true,
        (_, _, None) if through_many => false,
        (SqlType::TextArray, _, None) => false,
        (SqlType::Text, kind, None) => kind != ToMany,
        (SqlType::Bigint, kind, None) => matches!(kind, Integer | Many2one),
        (SqlType::BigintArray, kind, None) => matches!(kind, ToMany | Many2one),
        (SqlType::Numeric, kind, None) => matches!(kind, Decimal(_) | Integer),
        (SqlType::Boolean, kind, None) => kind == Boolean,
        (SqlType::Date, kind, None) => matches!(kind, Date | Datetime),
        (SqlType::Timestamptz, kind, None) => kind == Datetime,
        (SqlType::Jsonb, kind, None) => kind == Json,
    }
}

/// Whether Odoo has all fields of a path and can be searched by them: releases before 19 take a
/// condition that they cannot search by for met.
pub fn is_searchable(path: &str, model: &str, catalogue: &mut Catalogue) -> Result<bool, Failure> {
    let steps = walk(path.split('.'), model, catalogue)?;
    Ok(steps.is_some_and(|steps| steps.iter().all(|(_, _, field)| field.searchable)))
}

/// Those of some relations that Odoo refuses to search by, and those by which it can be searched.
pub fn searchable(
    relations: &[&'static str],
    model: &str,
    catalogue: &mut Catalogue,
) -> Result<(Vec<&'static str>, Vec<&'static str>), Failure> {
    let mut known = Vec::new();
    for relation in relations {
        if is_searchable(relation, model, catalogue)? {
            known.push(*relation);
        }
    }
    let refused = &catalogue.refused(model)?.relations;
    Ok(known.into_iter().partition(|relation| refused.contains_key(*relation)))
}

//! What users added to a server's tables follows Odoo: columns for fields that come, and the values
//! of those that go.

use crate::failure::{Failure, notice};
use crate::odoo::{Field, FieldType, Fields};
use crate::quote::MAX_NAME;
use crate::server::Server;
use crate::state::{Store, is_first};
use crate::sync::mapping::catalogue::Catalogue;
use crate::sync::mapping::resolve;
use crate::sync::tables::columns::{Existing, existing};
use crate::warehouse::path::Path;
use crate::warehouse::{
    self, AddedColumn, Additions, Dataset, Mirror, Source, SqlType, Warehouse, is_reserved, path,
};

/// The columns of a mirror of all fields, by the fields' names.
pub fn columns_for(mirror: &Mirror, fields: &Fields) -> Vec<AddedColumn> {
    let fields = fields.sorted().into_iter();
    fields.filter_map(|(name, field)| column_for(mirror, name, field)).collect()
}

/// The column that a mirror has for a field, if it has one without being asked: what is computed
/// or in other tables changes without a trace in the record's write_date.
fn column_for(mirror: &Mirror, name: &str, field: &Field) -> Option<AddedColumn> {
    let is_shown = field.is_kept()
        && field.field_type != FieldType::ToMany
        && name != "write_date"
        && name.len() <= MAX_NAME
        && !is_reserved(name, mirror.keeps_deleted);
    let sql_type = sql_type(field).filter(|_| is_shown)?;
    Some(AddedColumn {
        target: mirror.target.clone(),
        name: name.to_owned(),
        path: name.to_owned(),
        sql_type,
        is_automatic: true,
        follows: false,
        is_gone: false,
    })
}

/// The column type that holds a field's values; `None` for binary ones.
pub fn sql_type(field: &Field) -> Option<SqlType> {
    SqlType::from_name(field.sql_type())
}

/// Follows Odoo: fields that have come become columns of the mirrors that have all, those that
/// are gone keep what they have. Of mirrors only that of `entity` is looked at, if there is one.
pub fn refresh(
    store: &Store,
    server: &Server,
    entity: Option<&str>,
    catalogue: &mut Catalogue,
) -> Result<Warehouse, Failure> {
    let mut known = store.additions(&server.name)?;
    if known == Additions::default() {
        return Ok(Warehouse::with(&known));
    }
    let columns = existing(&server.options.schema)?;
    let is_looked_at = |target: &str| {
        warehouse::dataset(target).is_some() || entity.is_none_or(|entity| entity == target)
    };
    let arrived = arrived(&known, is_looked_at, &columns, catalogue)?;
    let turned = turned(&mut known, is_looked_at, catalogue)?;
    // Another session that notes the same may take long to commit it.
    if !(arrived.is_empty() && turned.is_empty()) && is_first(&server.name, "additions")? {
        for column in arrived.iter().chain(&turned) {
            store.note_column(&server.name, column)?;
        }
        known.columns.extend(arrived);
    }
    Ok(Warehouse::with(&known))
}

/// The tables after a loss in the middle of a run: columns whose field is gone keep what they have.
pub fn losses(
    store: &Store,
    server: &Server,
    catalogue: &mut Catalogue,
) -> Result<Warehouse, Failure> {
    let mut known = store.additions(&server.name)?;
    let turned = turned(&mut known, |_| true, catalogue)?;
    if !turned.is_empty() && is_first(&server.name, "additions")? {
        turned.iter().try_for_each(|column| store.note_column(&server.name, column))?;
    }
    Ok(Warehouse::with(&known))
}

/// The columns for fields that mirrors of all fields lack.
fn arrived(
    known: &Additions,
    is_looked_at: impl Fn(&str) -> bool,
    columns: &Existing,
    catalogue: &mut Catalogue,
) -> Result<Vec<AddedColumn>, Failure> {
    let mut arrived = Vec::new();
    let mirrors = known.mirrors.iter().filter(|mirror| is_looked_at(&mirror.target));
    for mirror in mirrors.filter(|mirror| mirror.has_all_fields) {
        catalogue.forget(&mirror.model);
        let fields = match catalogue.fields(&mirror.model) {
            Ok(fields) => fields,
            // That is no other table's trouble.
            Err(failure) => {
                failure.warn();
                None
            }
        };
        let own: Vec<_> =
            known.columns.iter().filter(|column| column.target == mirror.target).collect();
        let is_new = |column: &AddedColumn| own.iter().all(|old| old.name != column.name);
        let table = columns.get(&mirror.target);
        for column in fields.iter().flat_map(|fields| columns_for(mirror, fields)).filter(is_new) {
            let name = &column.name;
            if table.is_some_and(|table| table.contains_key(name)) {
                let target = &mirror.target;
                notice!(
                    "{target}: the field {name} of {} gets no column, as there is another one of that name",
                    mirror.model
                );
            } else {
                arrived.push(column);
            }
        }
    }
    Ok(arrived)
}

/// The columns whose field is gone since the last run, or there again; marks them as such.
fn turned(
    known: &mut Additions,
    is_looked_at: impl Fn(&str) -> bool,
    catalogue: &mut Catalogue,
) -> Result<Vec<AddedColumn>, Failure> {
    let warehouse = Warehouse::with(known);
    let mut turned = Vec::new();
    for column in known.columns.iter_mut().filter(|column| is_looked_at(&column.target)) {
        let Some(dataset) = warehouse.dataset(&column.target) else {
            continue;
        };
        let (table, field) = (dataset.table, &column.path);
        let is_gone = match find(dataset, column, catalogue)? {
            Found::Nothing => continue,
            Found::Field => false,
            Found::OtherType(model) => {
                notice!(
                    "{table}: the field {field} of {model} has another type than before; the column keeps its values"
                );
                true
            }
            Found::NoField(model) if catalogue.refused(model)?.fields.contains_key(field) => true,
            Found::NoField(model) => {
                notice!(
                    "{table}: Odoo has no field {field} of {model} any more; the column keeps its values"
                );
                true
            }
        };
        if column.is_gone != is_gone {
            column.is_gone = is_gone;
            turned.push(column.clone());
        }
    }
    Ok(turned)
}

/// What Odoo has for a column.
enum Found {
    /// None of the table's models.
    Nothing,
    NoField(&'static str),
    OtherType(&'static str),
    Field,
}

fn find(
    dataset: &Dataset,
    column: &AddedColumn,
    catalogue: &mut Catalogue,
) -> Result<Found, Failure> {
    let own = dataset.column(&column.name).map(|column| column.source);
    let Some(Source::Added(text) | Source::Kept(text)) = own else {
        return Ok(Found::Nothing);
    };
    // Checked when it was added.
    let path = path::parse(text, 0).unwrap_or_default().into_iter().flatten().next();
    let mut found = Found::Nothing;
    for model in models_of(dataset, catalogue)? {
        let Some(path) = &path else {
            continue;
        };
        forget_relations(path, model, catalogue)?;
        if resolve::follow(path, column.sql_type, model, catalogue)?.is_some() {
            return Ok(Found::Field);
        }
        found = match resolve::walk(path.fields.iter().copied(), model, catalogue)? {
            Some(_) => Found::OtherType(model),
            None => Found::NoField(model),
        };
    }
    Ok(found)
}

/// The models that fill a table: of each feed the first one that Odoo has.
pub fn models_of(
    dataset: &Dataset,
    catalogue: &mut Catalogue,
) -> Result<Vec<&'static str>, Failure> {
    let mut models = Vec::new();
    for feed in dataset.feeds {
        for model in feed.models {
            catalogue.forget(model);
            if catalogue.fields(model)?.is_some() {
                models.push(*model);
                break;
            }
        }
    }
    Ok(models)
}

/// Has Odoo asked for the fields of the models that a path leads to.
fn forget_relations(path: &Path, model: &str, catalogue: &mut Catalogue) -> Result<(), Failure> {
    let mut model = model.to_owned();
    for name in &path.fields {
        let fields = catalogue.fields(&model)?;
        let relation = fields.as_ref().and_then(|fields| fields.get(name)?.relation.clone());
        let Some(relation) = relation.filter(|relation| !relation.is_empty()) else {
            break;
        };
        catalogue.forget(&relation);
        model = relation;
    }
    Ok(())
}

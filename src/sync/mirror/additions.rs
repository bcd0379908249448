//! What users added to a server's tables: where it is remembered, and how it follows Odoo.

use crate::failure::{Failure, notice};
use crate::odoo::{Field, FieldType, Fields};
use crate::query;
use crate::server::Server;
use crate::server::lock;
use crate::state::store::Extension;
use crate::sync::mapping::catalogue::Catalogue;
use crate::sync::mapping::feed;
use crate::sync::tables::ready::{self, Existing};
use crate::warehouse::path::Path;
use crate::warehouse::{
    self, AddedColumn, Additions, Dataset, Mirror, Source, SqlType, Warehouse, is_reserved, path,
};

/// A name that PostgreSQL does not cut.
const LONGEST_NAME: usize = 63;

/// What was added to a server's tables, as it was last seen.
pub fn of(extension: &Extension, server: &str) -> Result<Additions, Failure> {
    let (mirrors, columns) = (mirrors_of(extension), columns_of(extension));
    if !extension.has("added_columns")? {
        return Ok(Additions::default());
    }
    let sql = format!(
        "SELECT target, model, domain, fields IS NULL, keep_deleted, is_dated FROM {mirrors} \
         WHERE server = $1 ORDER BY since, target"
    );
    let mirrors = extension.read(&sql, &[server.into()], |row| {
        Ok(Mirror {
            target: row.get(1)?.unwrap_or_default(),
            model: row.get(2)?.unwrap_or_default(),
            domain: row.get(3)?.unwrap_or_default(),
            has_all_fields: row.get(4)? == Some(true),
            keeps_deleted: row.get(5)? == Some(true),
            is_dated: row.get(6)? == Some(true),
        })
    })?;
    let sql = format!(
        "SELECT target, column_name, odoo_field, column_type, is_automatic, follows, is_gone FROM {columns} \
         WHERE server = $1 ORDER BY position"
    );
    let columns = extension.read(&sql, &[server.into()], |row| {
        let sql_type: Option<String> = row.get(4)?;
        Ok(AddedColumn {
            target: row.get(1)?.unwrap_or_default(),
            name: row.get(2)?.unwrap_or_default(),
            path: row.get(3)?.unwrap_or_default(),
            sql_type: sql_type.and_then(|name| SqlType::from_name(&name)).unwrap_or(SqlType::Text),
            is_automatic: row.get(5)? == Some(true),
            follows: row.get(6)? == Some(true),
            is_gone: row.get(7)? == Some(true),
        })
    })?;
    Ok(Additions { mirrors, columns })
}

/// Whether a server has a mirror of that name.
pub fn is_declared(extension: &Extension, server: &str, target: &str) -> Result<bool, Failure> {
    let sql = format!("SELECT 1 FROM {} WHERE server = $1 AND target = $2", mirrors_of(extension));
    Ok(!extension.read(&sql, &[server.into(), target.into()], |row| row.get::<i32>(1))?.is_empty())
}

/// The tables that a server fills, as they were last seen.
pub fn warehouse_of(server: &str) -> Result<Warehouse, Failure> {
    Ok(Warehouse::with(&of(&Extension::find()?, server)?))
}

pub fn mirrors_of(extension: &Extension) -> String {
    extension.table("mirrors")
}

pub fn columns_of(extension: &Extension) -> String {
    extension.table("added_columns")
}

/// Remembers a column.
pub fn remember(extension: &Extension, server: &str, column: &AddedColumn) -> Result<(), Failure> {
    let sql = format!(
        "INSERT INTO {} AS known (server, target, column_name, odoo_field, column_type, is_automatic, follows, is_gone) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (server, target, column_name) DO UPDATE SET is_gone = EXCLUDED.is_gone",
        columns_of(extension)
    );
    let args = [
        server.into(),
        column.target.as_str().into(),
        column.name.as_str().into(),
        column.path.as_str().into(),
        column.sql_type.name().into(),
        column.is_automatic.into(),
        column.follows.into(),
        column.is_gone.into(),
    ];
    extension.write(&sql, &args)
}

/// Hands what was declared for a server that is gone to the one that fills its schema now, which
/// may be the same under a new name; without one it is forgotten.
pub fn bequeath(extension: &Extension, server: &str, schema: &str) -> Result<(), Failure> {
    if !extension.has("added_columns")? {
        return Ok(());
    }
    let heir = "SELECT s.srvname::text FROM pg_catalog.pg_foreign_server s \
                JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw \
                WHERE w.fdwname = 'odoo_fdw' AND coalesce((SELECT option_value \
                  FROM pg_catalog.pg_options_to_table(s.srvoptions) WHERE option_name = 'schema'), 'public') = $1";
    let heir = query::ask::<String>(heir, &[schema.into()])?;
    if let Some(heir) = &heir {
        for table in [mirrors_of(extension), columns_of(extension)] {
            let sql = format!(
                "UPDATE {table} SET server = $2 WHERE server = $1 \
                 AND NOT EXISTS (SELECT FROM {table} AS own WHERE own.server = $2)"
            );
            extension.write(&sql, &[server.into(), heir.as_str().into()])?;
        }
    }
    forget(extension, server)
}

/// Forgets what was declared for a server.
pub fn forget(extension: &Extension, server: &str) -> Result<(), Failure> {
    if !extension.has("added_columns")? {
        return Ok(());
    }
    [mirrors_of(extension), columns_of(extension)].iter().try_for_each(|table| {
        extension.write(&format!("DELETE FROM {table} WHERE server = $1"), &[server.into()])
    })
}

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
        && name.len() <= LONGEST_NAME
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
    Some(match field.field_type {
        FieldType::Text if field.type_name == "binary" => return None,
        FieldType::Boolean => SqlType::Boolean,
        FieldType::Integer | FieldType::Many2one => SqlType::Bigint,
        FieldType::Decimal(_) => SqlType::Numeric,
        FieldType::Text => SqlType::Text,
        FieldType::Date => SqlType::Date,
        FieldType::Datetime => SqlType::Timestamptz,
        FieldType::ToMany => SqlType::BigintArray,
        FieldType::Json => SqlType::Jsonb,
    })
}

/// Follows Odoo: fields that have come become columns of the mirrors that have all, those that
/// are gone keep what they have. Of mirrors only that of `entity` is looked at, if there is one.
pub fn refresh(
    extension: &Extension,
    server: &Server,
    entity: Option<&str>,
    catalogue: &mut Catalogue,
) -> Result<Warehouse, Failure> {
    let mut known = of(extension, &server.name)?;
    if known == Additions::default() {
        return Ok(Warehouse::with(&known));
    }
    let columns = ready::existing(&server.options.schema)?;
    let is_looked_at = |target: &str| {
        warehouse::dataset(target).is_some() || entity.is_none_or(|entity| entity == target)
    };
    let arrived = arrived(&known, is_looked_at, &columns, catalogue)?;
    let turned = turned(&mut known, is_looked_at, catalogue)?;
    // Another session that notes the same may take long to commit it.
    if !(arrived.is_empty() && turned.is_empty()) && lock::is_first(&server.name, "additions")? {
        for column in arrived.iter().chain(&turned) {
            remember(extension, &server.name, column)?;
        }
        known.columns.extend(arrived);
    }
    Ok(Warehouse::with(&known))
}

/// The tables after a loss in the middle of a run: columns whose field is gone keep what they have.
pub fn follow_losses(
    extension: &Extension,
    server: &Server,
    catalogue: &mut Catalogue,
) -> Result<Warehouse, Failure> {
    let mut known = of(extension, &server.name)?;
    let turned = turned(&mut known, |_| true, catalogue)?;
    if !turned.is_empty() && lock::is_first(&server.name, "additions")? {
        turned.iter().try_for_each(|column| remember(extension, &server.name, column))?;
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
        if feed::follow(path, column.sql_type, model, catalogue)?.is_some() {
            return Ok(Found::Field);
        }
        found = match feed::walk(path.fields.iter().copied(), model, catalogue)? {
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

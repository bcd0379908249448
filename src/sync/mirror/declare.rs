//! Any model into the warehouse: what odoo_mirror and odoo_add_column declare, and what undoes it.

use std::rc::Rc;

use pgrx::PgSqlErrorCode as State;

use super::names::{
    invalid, named, own_name, refuse_relation, require_free, require_name, simple_path,
};
use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Domain, FieldType};
use crate::query::require_writable;
use crate::quote::literal;
use crate::server::lock;
use crate::server::{Server, Session};
use crate::state::{Store, warehouse_of};
use crate::sync::mapping::catalogue::Catalogue;
use crate::sync::mapping::resolve;
use crate::sync::mirror::follow::{self, sql_type};
use crate::sync::tables::columns::has_column;
use crate::sync::tables::origin;
use crate::sync::tables::ready;
use crate::warehouse::dataset::ACTIVE;
use crate::warehouse::{self, AddedColumn, Dataset, Mirror, SqlType, is_reserved};

/// So many ids are looked at when a mirror is declared.
const PROBED: usize = 1_000;

/// A table that is to be made of a model.
pub struct MirrorOptions {
    pub model: String,
    pub target: String,
    /// `None` for all, also those that are to come.
    pub fields: Option<Vec<String>>,
    pub domain: Domain,
    pub keep_deleted: bool,
}

/// A column of a mirror, and the label of its field.
pub struct MirrorColumn {
    pub name: &'static str,
    pub sql_type: SqlType,
    pub label: String,
}

/// What a declaration is made with.
struct DeclareContext {
    server: Server,
    store: Store,
    session: Rc<Session>,
    catalogue: Catalogue,
}

impl DeclareContext {
    fn open(server: Server) -> Result<DeclareContext, Failure> {
        let store = Store::find()?;
        let session = Rc::new(server.session()?);
        session.call(|odoo| odoo.identity_now())?;
        origin::check(&store, &server, &session)?;
        let catalogue = Catalogue::new(session.clone());
        Ok(DeclareContext { server, store, session, catalogue })
    }

    /// Makes the tables that are declared and not there, and columns too.
    fn make(&self, target: &str) -> Result<Option<&'static Dataset>, Failure> {
        let warehouse = warehouse_of(&self.server.name)?;
        let mut ready = ready::make_ready(&warehouse, &self.store, &self.server)?;
        match ready.broken.remove(target) {
            Some(failure) => Err(failure),
            None => Ok(warehouse.dataset(target)),
        }
    }

    /// The columns of a mirror.
    fn columns(
        &mut self,
        mirror: &Mirror,
        options: &MirrorOptions,
    ) -> Result<Vec<AddedColumn>, Failure> {
        let model = options.model.as_str();
        let Some(fields) = self.catalogue.fields(model)? else {
            return Err(Failure::new(
                State::ERRCODE_INVALID_PARAMETER_VALUE,
                format!("Odoo has no model \"{model}\""),
            )
            .hint("SELECT * FROM odoo_models() lists those that the Odoo user may read."));
        };
        let columns = match &options.fields {
            None => follow::columns_for(mirror, &fields),
            Some(names) => {
                // These are there in any case.
                let is_own = |name: &str| {
                    matches!(name, "id" | "write_date") || mirror.keeps_deleted && name == ACTIVE
                };
                let others = names.iter().filter(|name| !is_own(name));
                let column = |name: &String| self.column(&mirror.target, &[model], name, name);
                others.map(column).collect::<Result<_, _>>()?
            }
        };
        match columns.is_empty() {
            true => Err(invalid(format!("no field of {model} was named that makes a column"))),
            false => Ok(columns),
        }
    }

    /// The column for a path of fields of one of the models.
    fn column(
        &mut self,
        target: &str,
        models: &[&str],
        field: &str,
        name: &str,
    ) -> Result<AddedColumn, Failure> {
        require_name("column", name)?;
        if is_reserved(name, false) {
            return Err(invalid(format!("the column name \"{name}\" is one of odoo_etl's own")));
        }
        let path = simple_path(field)?;
        for model in models {
            let steps = resolve::walk(path.fields.iter().copied(), model, &mut self.catalogue)?
                .unwrap_or_default();
            let Some(((_, _, last), before)) = steps.split_last() else {
                continue;
            };
            let is_many = |(_, _, field): &resolve::Step| field.field_type == FieldType::ToMany;
            let sql_type = match before.iter().any(is_many) {
                true => Some(SqlType::Text),
                false => sql_type(last),
            };
            let Some(sql_type) = sql_type else {
                return Err(invalid(format!("field \"{field}\" of {model} is binary"))
                    .detail("A column does not hold files.")
                    .hint(format!("SELECT * FROM odoo_read({}, …) reads it.", literal(model))));
            };
            if resolve::follow(&path, sql_type, model, &mut self.catalogue)?.is_none() {
                return Err(invalid(format!("field \"{field}\" of {model} is not a single value"))
                    .detail("Beyond an x2many field there may be one field of text."));
            }
            let (target, name, path) = (target.to_owned(), name.to_owned(), field.to_owned());
            return Ok(AddedColumn {
                target,
                name,
                sql_type,
                is_automatic: false,
                follows: self.follows(model, &path)?,
                is_gone: false,
                path,
            });
        }
        let hint =
            models.first().map(|model| format!("SELECT * FROM odoo_fields({});", literal(model)));
        let models = models.join(" or ");
        Err(invalid(format!("{models} has no field \"{field}\", or the Odoo user may not read it"))
            .hint(hint.unwrap_or_else(|| "Odoo has no model of the table.".into())))
    }

    /// Whether Odoo can tell which records changed beyond a path's relation.
    fn follows(&mut self, model: &str, path: &str) -> Result<bool, Failure> {
        let Some((relation, _)) = path.rsplit_once('.') else {
            return Ok(false);
        };
        Ok(resolve::is_searchable(relation, model, &mut self.catalogue)?
            && self.catalogue.can_search(model, relation)?.is_ok())
    }
}

/// Declares a mirror and makes its table. Returns its columns.
pub fn mirror(server: Server, options: MirrorOptions) -> Result<Vec<MirrorColumn>, Failure> {
    require_writable()?;
    let options =
        MirrorOptions { target: own_name(&server, &options.target).to_owned(), ..options };
    require_free(&server, &options.target)?;
    let mut context = DeclareContext::open(server)?;
    let known = context.store.additions(&context.server.name)?;
    let (target, server) = (options.target.as_str(), context.server.name.clone());
    if known.mirrors.iter().any(|mirror| mirror.target == target) {
        return Err(Failure::new(
            State::ERRCODE_DUPLICATE_OBJECT,
            format!("server \"{server}\" has a mirror \"{target}\" already"),
        )
        .hint(format!("SELECT odoo_mirror_drop({}); drops it.", literal(target))));
    }
    refuse_relation(&context.server.options.schema, target)?;
    let fields = context.catalogue.fields(&options.model)?;
    let mirror = Mirror {
        target: options.target.clone(),
        model: options.model.clone(),
        domain: options.domain.to_string(),
        has_all_fields: options.fields.is_none(),
        keeps_deleted: options.keep_deleted,
        is_dated: fields.as_ref().is_some_and(|fields| fields.contains("write_date")),
    };
    let columns = context.columns(&mirror, &options)?;
    // Whether the user may read it, the domain is one, and the ids tell records apart.
    let (model, domain) = (options.model.clone(), options.domain.clone());
    context
        .session
        .call(move |odoo| odoo.model(&model).search_after(domain, BEFORE_ALL, PROBED))?;
    context.store.add_mirror(&server, &mirror, options.fields.clone())?;
    columns.iter().try_for_each(|column| context.store.note_column(&server, column))?;
    let made = context.make(target)?;
    let label = |field: &str| {
        let field = fields.as_ref().and_then(|fields| fields.get(field));
        field.map(|field| field.label.clone()).unwrap_or_default()
    };
    let made = made.iter().flat_map(|dataset| dataset.columns);
    Ok(made
        .map(|column| MirrorColumn {
            name: column.name,
            sql_type: column.sql_type,
            label: label(column.name),
        })
        .collect())
}

/// Adds a column to a table of the warehouse. Returns its type.
pub fn add_column(
    server: Server,
    target: &str,
    field: &str,
    name: Option<&str>,
) -> Result<SqlType, Failure> {
    require_writable()?;
    let warehouse = warehouse_of(&server.name)?;
    let dataset = named(&warehouse, &server, target)?;
    let target = dataset.table;
    let name = name.map_or_else(|| field.replace('.', "_"), str::to_owned);
    let is_declared = dataset.all_columns().iter().any(|(column, _)| *column == name);
    if is_declared || has_column(&server.options.schema, target, &name)? {
        return Err(Failure::new(
            State::ERRCODE_DUPLICATE_COLUMN,
            format!("column \"{name}\" of table \"{target}\" already exists"),
        )
        .hint("Name another one: odoo_add_column(…, column_name => …)."));
    }
    let mut context = DeclareContext::open(server)?;
    let models = follow::models_of(dataset, &mut context.catalogue)?;
    let column = context.column(target, &models, field, &name)?;
    lock::take(&context.server, warehouse::entity_of(dataset))?;
    context.store.note_column(&context.server.name, &column)?;
    context.make(target)?;
    Ok(column.sql_type)
}

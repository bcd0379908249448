//! odoo_mirror, odoo_mirror_drop, odoo_add_column, odoo_drop_column, odoo_keep_history,
//! odoo_forget_history, odoo_enable and odoo_disable. What they take and return is said in sql/mirror.sql.

use pgrx::prelude::*;

use super::arguments::{required, texts};
use super::domain;
use crate::failure::OrRaise;
use crate::server::Server;
use crate::sync::{self, MirrorOptions};

extension_sql_file!("../../sql/mirror.sql", name = "mirror", requires = ["domain", "views"]);

/// A table of any model. Returns its columns.
#[pg_extern(sql = false)]
fn odoo_mirror(
    model: Option<&str>,
    target: Option<&str>,
    fields: Option<Vec<Option<String>>>,
    domain: Option<&str>,
    keep_deleted: Option<bool>,
    server: Option<&str>,
) -> TableIterator<
    'static,
    (name!(column_name, String), name!(column_type, String), name!(label, String)),
> {
    let mirror = || {
        let model = required("model", model)?.to_owned();
        let options = MirrorOptions {
            target: target.map_or_else(|| model.replace('.', "_"), str::to_owned),
            model,
            fields: texts("fields", fields)?,
            domain: domain::argument(domain)?,
            keep_deleted: keep_deleted == Some(true),
        };
        sync::mirror(Server::named_or_only(server)?, options)
    };
    let columns = mirror().or_raise().into_iter();
    TableIterator::new(
        columns.map(|column| {
            (column.name.to_owned(), column.sql_type.name().to_owned(), column.label)
        }),
    )
}

/// Drops one.
#[pg_extern(sql = false)]
fn odoo_mirror_drop(target: Option<&str>, server: Option<&str>) {
    let drop = || {
        let target = required("target", target)?;
        sync::drop_mirror(&Server::named_or_only(server)?, target)
    };
    drop().or_raise();
}

/// One more column. Returns its type.
#[pg_extern(sql = false)]
fn odoo_add_column(
    target: Option<&str>,
    field: Option<&str>,
    column_name: Option<&str>,
    server: Option<&str>,
) -> String {
    let add = || {
        let (target, field) = (required("target", target)?, required("field", field)?);
        sync::add_column(Server::named_or_only(server)?, target, field, column_name)
    };
    add().or_raise().name().to_owned()
}

/// Drops such a column.
#[pg_extern(sql = false)]
fn odoo_drop_column(target: Option<&str>, column_name: Option<&str>, server: Option<&str>) {
    let drop = || {
        let (target, name) = (required("target", target)?, required("column_name", column_name)?);
        sync::drop_column(&Server::named_or_only(server)?, target, name)
    };
    drop().or_raise();
}

/// Keeps the history of a table. Returns the name of the history's table.
#[pg_extern(sql = false)]
fn odoo_keep_history(target: Option<&str>, server: Option<&str>) -> String {
    let keep = || {
        let target = required("target", target)?;
        sync::keep_history(&Server::named_or_only(server)?, target)
    };
    keep().or_raise()
}

/// Keeps it no more.
#[pg_extern(sql = false)]
fn odoo_forget_history(target: Option<&str>, server: Option<&str>) {
    let forget = || {
        let target = required("target", target)?;
        sync::forget_history(&Server::named_or_only(server)?, target)
    };
    forget().or_raise();
}

/// Turns an entity on.
#[pg_extern(sql = false)]
fn odoo_enable(entity: Option<&str>, server: Option<&str>) {
    let enable = || sync::enable(&Server::named_or_only(server)?, required("entity", entity)?);
    enable().or_raise();
}

/// Turns it off.
#[pg_extern(sql = false)]
fn odoo_disable(entity: Option<&str>, server: Option<&str>) {
    let disable = || sync::disable(&Server::named_or_only(server)?, required("entity", entity)?);
    disable().or_raise();
}

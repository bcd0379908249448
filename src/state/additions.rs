//! What users added to a server's tables: mirrors of models, and columns.

use super::store::Extension;
use crate::failure::Failure;
use crate::query;
use crate::quote::ident;
use crate::warehouse::{AddedColumn, Additions, Mirror, SqlType, Warehouse};

/// What was added to a server's tables, as it was last seen.
pub fn of(extension: &Extension, server: &str) -> Result<Additions, Failure> {
    let (mirrors, columns) = (mirrors_of(extension), columns_of(extension));
    if !extension.has("odoo_sync_added_columns")? {
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
    format!("{}.odoo_sync_mirrors", ident(&extension.schema))
}

pub fn columns_of(extension: &Extension) -> String {
    format!("{}.odoo_sync_added_columns", ident(&extension.schema))
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
    if !extension.has("odoo_sync_added_columns")? {
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
    if !extension.has("odoo_sync_added_columns")? {
        return Ok(());
    }
    [mirrors_of(extension), columns_of(extension)].iter().try_for_each(|table| {
        extension.write(&format!("DELETE FROM {table} WHERE server = $1"), &[server.into()])
    })
}

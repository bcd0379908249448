//! Which Odoo database a schema is filled from. The ids of another one would mix with its own.

use pgrx::PgSqlErrorCode as State;
use pgrx::spi::SpiError;

use super::additions;
use super::lock;
use super::memory::Memory;
use super::state::Extension;
use super::writable::require_writable;
use crate::failure::Failure;
use crate::odoo::{Domain, FaultKind};
use crate::query::{self, current_user};
use crate::quote::{ident, literal};
use crate::server::{Server, Session};

/// What tells one Odoo database from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    url: String,
    database: String,
    /// Odoo's system parameter `database.uuid`; `None` where the user may not read it. A copy
    /// of a database gets another one.
    uuid: Option<String>,
}

impl Origin {
    fn ask(server: &Server, session: &Session) -> Result<Origin, Failure> {
        let uuid = session.call(|odoo| {
            let key = Domain::leaf("key", "=", "database.uuid");
            match odoo.model("ir.config_parameter").first(key, &["value"]) {
                Ok(parameter) => Ok(parameter),
                Err(error) => match error.fault_kind() {
                    Some(FaultKind::Access | FaultKind::UnknownModel) => Ok(None),
                    _ => Err(error),
                },
            }
        })?;
        let uuid = uuid.as_ref().and_then(|parameter| parameter.get("value")?.as_str());
        Ok(Origin {
            url: server.options.url.clone(),
            database: server.options.database.clone(),
            uuid: uuid.map(str::to_owned),
        })
    }

    fn is_same(&self, other: &Origin) -> bool {
        match (&self.uuid, &other.uuid) {
            (Some(one), Some(other)) => one == other,
            _ => (&self.url, &self.database) == (&other.url, &other.database),
        }
    }

    /// Whether the other one tells nothing new.
    fn includes(&self, other: &Origin) -> bool {
        (&self.url, &self.database) == (&other.url, &other.database)
            && (other.uuid.is_none() || self.uuid == other.uuid)
    }

    /// `database "prod" at https://… (uuid …)`
    fn describe(&self) -> String {
        let uuid = self.uuid.as_ref().map_or(String::new(), |uuid| format!(" (uuid {uuid})"));
        format!("database \"{}\" at {}{uuid}", self.database, self.url)
    }
}

/// What the extension remembers of a server.
struct Known {
    server: String,
    schema: String,
    origin: Origin,
}

/// Makes sure that the server still leads to the database that its schema is filled from, and
/// that no other server fills it.
///
/// # Errors
/// If it does not; nothing is written then.
pub fn check(extension: &Extension, server: &Server, session: &Session) -> Result<(), Failure> {
    let table = format!("{}.odoo_sync_servers", ident(&extension.schema));
    let schema = server.options.schema.as_str();
    let sql = format!(
        "SELECT server, schema, url, database, database_uuid FROM {table} WHERE server = $1 OR schema = $2"
    );
    let known = extension.read(&sql, &[server.name.as_str().into(), schema.into()], |row| {
        let text = |index| Ok::<_, SpiError>(row.get(index)?.unwrap_or_default());
        Ok(Known {
            server: text(1)?,
            schema: text(2)?,
            origin: Origin { url: text(3)?, database: text(4)?, uuid: row.get(5)? },
        })
    })?;
    if let Some(other) = known.iter().find(|known| known.server != server.name) {
        return Err(occupied(server, other));
    }
    let now = Origin::ask(server, session)?;
    let known = known.into_iter().next();
    if let Some(before) = known.as_ref().filter(|known| !known.origin.is_same(&now)) {
        return Err(elsewhere(server, before, &now));
    }
    if known.as_ref().is_some_and(|known| known.schema != schema) {
        // What was read filled other tables.
        extension.forget_progress(&server.name)?;
        Memory::of(extension, &server.name)?.forget()?;
    }
    let is_new = known.is_none_or(|known| known.schema != schema || !known.origin.includes(&now));
    // Another session that notes the same may take long to commit it.
    if is_new && lock::is_first(&server.name, "origin")? {
        let sql = format!(
            "INSERT INTO {table} AS known (server, schema, url, database, database_uuid, role) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (server) DO UPDATE SET schema = EXCLUDED.schema, url = EXCLUDED.url, \
               database = EXCLUDED.database, \
               database_uuid = coalesce(EXCLUDED.database_uuid, known.database_uuid)"
        );
        let role = current_user()?;
        let args = [
            server.name.as_str().into(),
            schema.into(),
            now.url.into(),
            now.database.into(),
            now.uuid.into(),
            role.into(),
        ];
        extension.write(&sql, &args)?;
    }
    Ok(())
}

/// Forgets a server: how far it was read, and what it led to. The tables stay; the next run
/// reads everything, and replaces what they hold.
pub fn forget(server: &str) -> Result<(), Failure> {
    require_writable()?;
    let extension = Extension::find()?;
    let sql = format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles r \
           WHERE r.rolname = s.role AND pg_catalog.pg_has_role($2, r.oid, 'MEMBER')) \
           OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = $2), schema \
         FROM {}.odoo_sync_servers s WHERE s.server = $1",
        ident(&extension.schema)
    );
    let caller = current_user()?;
    let known = extension.read(&sql, &[server.into(), caller.into()], |row| {
        Ok((row.get::<bool>(1)? == Some(true), row.get::<String>(2)?.unwrap_or_default()))
    })?;
    match known.first() {
        None => Err(Failure::new(
            State::ERRCODE_UNDEFINED_OBJECT,
            format!("nothing was ever synced from server \"{server}\""),
        )
        .hint("The servers that are known: SELECT DISTINCT server FROM odoo_columns;")),
        Some((true, schema)) => {
            Memory::of(&extension, server)?.forget()?;
            extension.forget(server)?;
            // What was declared for a server that is there stays.
            let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_foreign_server WHERE srvname = $1)";
            match query::is_true(sql, &[server.into()])? {
                true => Ok(()),
                false => additions::bequeath(&extension, server, schema),
            }
        }
        Some(_) => Err(Failure::new(
            State::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("permission denied to forget server \"{server}\""),
        )
        .detail("Only the role that first synced it, its members and superusers may.")),
    }
}

fn occupied(server: &Server, other: &Known) -> Failure {
    let schema = &server.options.schema;
    Failure::new(
        State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("schema \"{schema}\" is filled by server \"{}\"", other.server),
    )
    .detail(format!("Its rows come from {}.", other.origin.describe()))
    .hint(format!(
        "Give server \"{}\" a schema of its own: ALTER SERVER {} OPTIONS (ADD schema '…'); if it is the same server under a new name, SELECT odoo_forget({});",
        server.name,
        ident(&server.name),
        literal(&other.server),
    ))
}

fn elsewhere(server: &Server, before: &Known, now: &Origin) -> Failure {
    Failure::new(
        State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("server \"{}\" leads to another Odoo database than before", server.name),
    )
    .detail(format!(
        "Schema \"{}\" is filled from {}; now it is {}.",
        before.schema,
        before.origin.describe(),
        now.describe()
    ))
    .hint(format!(
        "The ids of two databases would mix. Point the server back; or, to replace what the tables hold, SELECT odoo_forget({});",
        literal(&server.name)
    ))
}

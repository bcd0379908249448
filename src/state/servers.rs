//! Which Odoo database each schema is filled from, table servers; and what is forgotten with a
//! server.

use super::advisory::is_first;
use super::store::{OF_TABLES, Store, text};
use crate::failure::Failure;
use crate::query::current_user;

const SERVERS: &str = "servers";

/// What tells one Odoo database from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub url: String,
    pub database: String,
    /// Odoo's system parameter `database.uuid`; `None` where the user may not read it. A copy
    /// of a database gets another one.
    pub uuid: Option<String>,
}

/// What is remembered of a server.
pub struct Known {
    pub server: String,
    pub schema: String,
    pub origin: Origin,
}

impl Store {
    /// What is remembered of a server, and of any other one that filled its schema.
    pub fn known_servers(&self, server: &str, schema: &str) -> Result<Vec<Known>, Failure> {
        let sql = format!(
            "SELECT server, schema, url, database, database_uuid FROM {} WHERE server = $1 OR schema = $2",
            self.table(SERVERS)
        );
        self.read(&sql, &[server.into(), schema.into()], |row| {
            let uuid = row.get(5)?;
            Ok(Known {
                server: text(&row, 1)?,
                schema: text(&row, 2)?,
                origin: Origin { url: text(&row, 3)?, database: text(&row, 4)?, uuid },
            })
        })
    }

    /// Remembers where a server leads to. The current user is the one who may forget it.
    ///
    /// Durable with the caller's transaction, no later than a row that comes from there: ids of two
    /// databases never mix. Another session that finds the same may have to write it instead.
    pub fn note_server(&self, server: &str, schema: &str, origin: Origin) -> Result<(), Failure> {
        if !is_first(server, "origin")? {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO {} AS known (server, schema, url, database, database_uuid, role) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (server) DO UPDATE SET schema = EXCLUDED.schema, url = EXCLUDED.url, \
               database = EXCLUDED.database, \
               database_uuid = coalesce(EXCLUDED.database_uuid, known.database_uuid)",
            self.table(SERVERS)
        );
        let args = [
            server.into(),
            schema.into(),
            origin.url.into(),
            origin.database.into(),
            origin.uuid.into(),
            current_user()?.into(),
        ];
        self.write(&sql, &args)
    }

    /// Whether the current user may forget a server; `None` if nothing is remembered of it.
    pub fn may_forget(&self, server: &str) -> Result<Option<bool>, Failure> {
        self.may_undo(SERVERS, "made.server = $2", &[server])
    }

    /// Forgets how far a server was read, and what it led to; not what users declared for it.
    ///
    /// Durable with the caller's transaction, in which all of it is gone at once.
    pub fn forget(&self, server: &str) -> Result<(), Failure> {
        let tables = OF_TABLES.into_iter().chain([SERVERS, "runs", "stops"]);
        self.delete(tables, "server = $1", &[server.into()])?;
        self.cache(server)?.forget()
    }

    /// Hands what users declared for a server that is gone to the one that fills its schema now,
    /// which may be the same under a new name; without one it is forgotten. Goes before
    /// [`Store::forget`].
    ///
    /// Durable with the caller's transaction: a declaration is one server's at any time.
    pub fn bequeath(&self, server: &str) -> Result<(), Failure> {
        let heir = format!(
            "SELECT s.srvname::text FROM pg_catalog.pg_foreign_server s \
             JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw \
             WHERE w.fdwname = 'odoo_fdw' AND coalesce((SELECT option_value \
               FROM pg_catalog.pg_options_to_table(s.srvoptions) WHERE option_name = 'schema'), 'public') \
               = (SELECT schema FROM {} WHERE server = $1)",
            self.table(SERVERS)
        );
        if let Some(heir) = self.ask::<String>(&heir, &[server.into()])? {
            self.hand_over_additions(server, &heir)?;
        }
        self.forget_additions(server)
    }
}

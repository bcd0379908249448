//! Which Odoo database a schema is filled from. The ids of another one would mix with its own.

use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;
use crate::odoo::{Domain, FaultKind};
use crate::query::{self, require_writable};
use crate::quote::{ident, literal};
use crate::server::{Server, Session};
use crate::state::{Known, Origin, Store};

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

/// What a server leads to, and what is known of it.
pub struct Survey {
    now: Origin,
    known: Option<Known>,
    /// What is known of servers that were dropped, as were the tables that they filled.
    orphans: Vec<Known>,
    /// The server leads elsewhere than before, and no table of before is left.
    starts_over: bool,
}

impl Survey {
    /// Looks whether the server still leads to the database that its schema is filled from, and
    /// whether no other server fills it. What is known counts as long as there is something of it.
    ///
    /// # Errors
    /// If ids of two databases would mix.
    pub fn make(store: &Store, server: &Server, session: &Session) -> Result<Survey, Failure> {
        let (mut known, mut orphans) = (Vec::new(), Vec::new());
        for found in store.known_servers(&server.name, &server.options.schema)? {
            let is_orphan = store.is_dropped(&found.server)?
                && !store.is_any_left(&found.server, &found.schema)?;
            if is_orphan { orphans.push(found) } else { known.push(found) }
        }
        if let Some(other) = known.iter().find(|known| known.server != server.name) {
            return Err(occupied(server, other));
        }
        let now = Origin::ask(server, session)?;
        let mut known = known.into_iter().next();
        let mut starts_over = false;
        if let Some(before) = known.take_if(|known| !known.origin.is_same(&now)) {
            if store.is_any_left(&server.name, &before.schema)? {
                return Err(elsewhere(server, &before, &now));
            }
            starts_over = true;
        }
        Ok(Survey { now, known, orphans, starts_over })
    }

    /// Whether nothing was loaded yet.
    pub fn is_first(&self) -> bool {
        self.known.is_none()
    }

    /// Whether what was declared for the server was declared for one that is gone.
    pub fn is_bare(&self, server: &Server) -> bool {
        self.orphans.iter().any(|orphan| orphan.server == server.name)
    }

    /// Forgets what counts no more, and remembers what is new.
    fn apply(self, store: &Store, server: &Server) -> Result<(), Failure> {
        for orphan in &self.orphans {
            store.forget(&orphan.server)?;
            store.forget_additions(&orphan.server)?;
        }
        let (name, schema) = (server.name.as_str(), server.options.schema.as_str());
        if self.starts_over {
            store.forget(name)?;
        }
        if self.known.as_ref().is_some_and(|known| known.schema != schema) {
            // What was read filled other tables.
            store.forget_progress(name)?;
            store.forget_relations(name)?;
            store.cache(name)?.forget()?;
        }
        let is_new = self
            .known
            .is_none_or(|known| known.schema != schema || !known.origin.includes(&self.now));
        match is_new {
            true => store.note_server(name, schema, self.now),
            false => Ok(()),
        }
    }
}

/// Makes sure that the server still leads to the database that its schema is filled from, and
/// that no other server fills it.
///
/// # Errors
/// If it does not; nothing is written then.
pub fn check(store: &Store, server: &Server, session: &Session) -> Result<(), Failure> {
    Survey::make(store, server, session)?.apply(store, server)
}

/// Forgets a server: how far it was read, and what it led to. The tables stay; the next run
/// reads everything, and replaces what they hold.
pub fn forget(server: &str) -> Result<(), Failure> {
    require_writable()?;
    let store = Store::find()?;
    match store.may_forget(server)? {
        None => Err(Failure::new(
            State::ERRCODE_UNDEFINED_OBJECT,
            format!("nothing was ever synced from server \"{server}\""),
        )
        .hint("The servers that are known: SELECT DISTINCT server FROM odoo_columns;")),
        Some(true) => {
            // What was declared for a server that is there stays.
            let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_foreign_server WHERE srvname = $1)";
            if !query::is_true(sql, &[server.into()])? {
                store.bequeath(server)?;
            }
            store.forget(server)
        }
        Some(false) => Err(Failure::new(
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

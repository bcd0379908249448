//! CREATE SERVER and CREATE USER MAPPING: in, their options; out, a session with Odoo, and locks on a
//! server's tables. May call `state`, `odoo` and `pg`.

mod file;
mod kept;
pub mod lock;
mod odoo_error;
mod option_error;
mod options;
mod remembered;
mod session;

use std::cell::RefCell;
use std::collections::HashSet;

use pgrx::{PgSqlErrorCode as State, Spi, pg_sys};

use file::CA_FILE;
pub use file::{API_KEY_FILE, FILE_OPTIONS, FileOption};
pub use kept::{Listed, disconnect, list as kept};
pub use options::{DEFAULT_SCHEMA, OptionError, Place, ServerOptions, check, find, flag};
pub use session::{Session, Ticket, when_logged_in};

use crate::failure::{Failure, some_of};
use crate::odoo::{AllowedHosts, Credentials, Identity, Settings, is_loopback};
use crate::pg;
use crate::quote::{ident, literal};
use crate::settings;
use crate::state::Cache;

/// A server of the wrapper odoo_fdw that the current user may use.
pub struct Server {
    pub oid: pg_sys::Oid,
    pub name: String,
    pub options: ServerOptions,
}

/// By what right a server is asked: as a role, with its user mapping or that of PUBLIC.
#[derive(PartialEq)]
pub struct Access {
    server: pg_sys::Oid,
    role: pg_sys::Oid,
    /// `None` without the privilege, or without a mapping.
    mapping: Option<Vec<(String, String)>>,
}

impl Access {
    /// That of the current user.
    fn of(server: pg_sys::Oid) -> Access {
        let role = pg::current_user();
        let mapping =
            pg::may_use_server(server, role).then(|| pg::find_user_mapping(server, role)).flatten();
        Access { server, role, mapping }
    }

    /// Whether the current user still has it.
    pub fn is_current(&self) -> bool {
        *self == Access::of(self.server)
    }
}

thread_local! {
    /// The URLs that the session was warned of.
    static WARNED: RefCell<HashSet<String>> = RefCell::default();
}

const CREATE_SERVER: &str =
    "CREATE SERVER name FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://…', database '…');";

impl Server {
    /// The server of that name; without a name the only one that the user may use.
    pub fn named_or_only(name: Option<&str>) -> Result<Server, Failure> {
        match name {
            Some(name) => Server::named(name),
            None => Server::only(),
        }
    }

    fn named(name: &str) -> Result<Server, Failure> {
        let servers = Server::list("s.srvname = $1", &[name.into()])?;
        let Some((server, usable)) = servers.into_iter().next() else {
            return Err(Failure::new(
                State::ERRCODE_UNDEFINED_OBJECT,
                format!("server \"{name}\" does not exist"),
            )
            .detail("It is no server of the foreign-data wrapper odoo_fdw.")
            .hint(CREATE_SERVER));
        };
        match usable {
            true => Ok(server),
            // PostgreSQL's own words.
            false => Err(Failure::new(
                State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                format!("permission denied for foreign server {name}"),
            )
            .hint(format!("GRANT USAGE ON FOREIGN SERVER {} TO …;", ident(name)))),
        }
    }

    fn only() -> Result<Server, Failure> {
        let mut servers = Server::usable()?;
        match servers.len() {
            1 => Ok(servers.remove(0)),
            _ => Err(Failure::new(
                State::ERRCODE_AMBIGUOUS_PARAMETER,
                "there are several Odoo servers",
            )
            .detail(format!(
                "Servers: {}.",
                some_of(servers.iter().map(|server| server.name.as_str()))
            ))
            .hint(format!("Name the one you mean: server => {}.", literal(&servers[0].name)))),
        }
    }

    /// The servers that the user may use, in the order of their names; an error if there is none.
    pub fn usable() -> Result<Vec<Server>, Failure> {
        let servers = Server::list("true", &[])?.into_iter();
        let servers: Vec<_> =
            servers.filter_map(|(server, usable)| usable.then_some(server)).collect();
        match servers.is_empty() {
            false => Ok(servers),
            true => Err(Failure::new(
                State::ERRCODE_UNDEFINED_OBJECT,
                "there is no Odoo server to use",
            )
            .detail(
                "No server of the foreign-data wrapper odoo_fdw exists on which you have USAGE.",
            )
            .hint(CREATE_SERVER)),
        }
    }

    /// The servers that meet a condition, and whether the user may use each.
    fn list(
        condition: &str,
        args: &[pgrx::datum::DatumWithOid<'_>],
    ) -> Result<Vec<(Server, bool)>, Failure> {
        let sql = format!(
            "SELECT s.oid, s.srvname::text, has_server_privilege(s.oid, 'USAGE'), \
                    ARRAY(SELECT option_name FROM pg_options_to_table(s.srvoptions)), \
                    ARRAY(SELECT option_value FROM pg_options_to_table(s.srvoptions)) \
             FROM pg_catalog.pg_foreign_server s \
             JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw \
             WHERE w.fdwname = 'odoo_fdw' AND {condition} ORDER BY s.srvname"
        );
        Spi::connect(|client| {
            let mut servers = Vec::new();
            for row in client.select(&sql, None, args)? {
                let texts = |index| -> Result<Vec<String>, Failure> {
                    Ok(row.get::<Vec<String>>(index)?.unwrap_or_default())
                };
                let pairs: Vec<_> = texts(4)?.into_iter().zip(texts(5)?).collect();
                let server = Server {
                    oid: row.get(1)?.unwrap_or(pg_sys::InvalidOid),
                    name: row.get(2)?.unwrap_or_default(),
                    options: ServerOptions::from_pairs(&pairs),
                };
                servers.push((server, row.get(3)?.unwrap_or(false)));
            }
            Ok(servers)
        })
    }

    /// Refuses what would change records of Odoo, unless the server's owner allows it.
    pub fn require_writable(&self) -> Result<(), Failure> {
        match self.options.writable {
            true => Ok(()),
            false => Err(Failure::new(
                State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("server \"{}\" is read-only", self.name),
            )
            .detail(
                "odoo_create, odoo_write, odoo_unlink and odoo_call, and INSERT, UPDATE and DELETE \
                 on its foreign tables, are refused.",
            )
            .hint(format!("ALTER SERVER {} OPTIONS (ADD writable 'true');", ident(&self.name)))),
        }
    }

    /// The server with that oid. Who may use its foreign tables is PostgreSQL's matter.
    pub fn of_oid(oid: pg_sys::Oid) -> Server {
        let (name, pairs) = pg::foreign_server(oid);
        Server { oid, name, options: ServerOptions::from_pairs(&pairs) }
    }

    /// By what right the current user asks it.
    pub fn access(&self) -> Access {
        Access::of(self.oid)
    }

    /// A session as the current user's mapping says. Nothing is sent yet.
    pub fn session(&self) -> Result<Session, Failure> {
        let role = pg::current_user();
        match pg::find_user_mapping(self.oid, role) {
            Some(mapping) => self.session_by(role, mapping),
            None => Err(self.unmapped()),
        }
    }

    /// A session of a role, as its user mapping says. Nothing is sent yet.
    pub fn session_of(&self, role: pg_sys::Oid) -> Result<Session, Failure> {
        self.session_by(role, pg::user_mapping_options(self.oid, role))
    }

    fn session_by(
        &self,
        role: pg_sys::Oid,
        mapping: Vec<(String, String)>,
    ) -> Result<Session, Failure> {
        require_utf8()?;
        let settings = self.settings(mapping)?;
        self.warn_of_plain_http();
        let key = (self.oid, role);
        let connection = kept::connect(key, settings)?;
        if connection.user().is_none()
            && let Some((uid, protocol)) =
                remembered::recall(&self.name, &self.options, connection.login())?
        {
            connection.remember(uid, protocol);
        }
        Ok(Session::new(connection, key, self.name.clone(), self.options.readers))
    }

    /// Keeps the id of a session's user for other sessions, where it is new.
    pub fn keep_user(
        &self,
        session: &Session,
        identity: &Identity,
        cache: &Cache,
    ) -> Result<(), Failure> {
        let user = (identity.uid, session.protocol());
        remembered::keep(cache, &self.options, session.login(), user)
    }

    /// What a connection is made of at this moment.
    fn settings(&self, mapping: Vec<(String, String)>) -> Result<Settings, Failure> {
        let (login, secret, secret_is_key) = credentials(mapping)?;
        let ca = self.options.ca_file.as_deref().map(|path| CA_FILE.read(path)).transpose()?;
        let allowed = AllowedHosts::parse(&settings::allowed_hosts()).map_err(|reason| {
            Failure::new(
                State::ERRCODE_INVALID_PARAMETER_VALUE,
                format!("invalid value for odoo_etl.allowed_hosts: {reason}"),
            )
            .hint("For example: erp.example.com, *.example.org, 10.0.0.0/8")
        })?;
        Ok(Settings {
            url: self.options.url.clone(),
            protocol: self.options.protocol,
            credentials: Credentials { database: self.options.database.clone(), login, secret },
            secret_is_key,
            language: self.options.language.clone(),
            companies: self.options.companies.clone(),
            retries: self.options.retries,
            retry_delay: self.options.retry_delay,
            timeout: self.options.timeout,
            max_response: settings::max_response_size(),
            ca,
            allowed,
        })
    }

    /// Says once per session that the secret travels unencrypted.
    fn warn_of_plain_http(&self) {
        let url = &self.options.url;
        let is_new = || WARNED.with_borrow_mut(|warned| warned.insert(url.clone()));
        if url.starts_with("http://") && !is_loopback(url) && is_new() {
            Failure::new(
                State::ERRCODE_WARNING,
                format!("server \"{}\" is asked without encryption", self.name),
            )
            .detail(format!("Login and secret travel in the open to {url}."))
            .hint("Let the server option url begin with https://.")
            .warn();
        }
    }

    /// What to do if the current user has no mapping, nor PUBLIC.
    fn unmapped(&self) -> Failure {
        Failure::new(
            State::ERRCODE_UNDEFINED_OBJECT,
            format!("you have no user mapping for server \"{}\"", self.name),
        )
        .hint(format!(
            "CREATE USER MAPPING FOR CURRENT_USER SERVER {} OPTIONS (login '…', password '…');",
            ident(&self.name)
        ))
    }
}

/// Refuses databases that cannot store what Odoo sends.
///
/// # Errors
/// If this one is not encoded in UTF8.
pub fn require_utf8() -> Result<(), Failure> {
    match pg::encoding() {
        (true, _) => Ok(()),
        (false, name) => Err(Failure::new(
            State::ERRCODE_FEATURE_NOT_SUPPORTED,
            "odoo_etl needs a database with the encoding UTF8",
        )
        .detail(format!("That of this one is {name}; Odoo's texts are Unicode."))
        .hint("CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0;")),
    }
}

/// Login and secret of a user mapping, and whether the secret is an API key.
fn credentials(mut pairs: Vec<(String, String)>) -> Result<(String, String, bool), Failure> {
    let mut take = |name| {
        let index = pairs.iter().position(|(key, _)| key == name)?;
        Some(pairs.swap_remove(index).1)
    };
    let login = take("login").unwrap_or_default();
    if let Some(password) = take("password") {
        return Ok((login, password, false));
    }
    let key = match take("api_key_file") {
        Some(path) => API_KEY_FILE.read(&path)?,
        None => take("api_key").unwrap_or_default(),
    };
    Ok((login, key, true))
}

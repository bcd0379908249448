//! The id of an Odoo user, from one session to the next: it spares Odoo a login, for which it hashes
//! the password.
//!
//! It is no secret, and of no use without the user's password: a wrong one is refused by Odoo, and
//! one that is another login's by now is told by that user's login. Runs keep it; every session may
//! begin with it.

use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::odoo::Protocol;
use crate::pg;
use crate::server::options::ServerOptions;
use crate::state::{Cache, Store};

/// How many minutes an id serves. The login after that looks for the fastest protocol again.
const LASTS: i32 = 24 * 60;

/// The id of a login's user, and the protocol that it was told in; `None` if no run has kept it.
pub fn recall(
    server: &str,
    options: &ServerOptions,
    login: &str,
) -> Result<Option<(i64, Protocol)>, Failure> {
    if pg::is_in_parallel() {
        return Ok(None);
    }
    // A foreign scan has the path of whoever reads.
    pg::with_plain_settings(|| recall_from(&Store::find()?.cache(server)?, options, login))
}

/// Keeps what a run's login told, where that is new.
pub fn keep(
    cache: &Cache,
    options: &ServerOptions,
    login: &str,
    (uid, protocol): (i64, Protocol),
) -> Result<(), Failure> {
    // With JSON-2 a login is no more than any other question.
    if protocol == Protocol::Json2 || recall_from(cache, options, login)? == Some((uid, protocol)) {
        return Ok(());
    }
    let value = json!({ "uid": uid, "protocol": protocol.name() });
    cache.keep_unless_busy(&key(options, login), value)
}

fn recall_from(
    cache: &Cache,
    options: &ServerOptions,
    login: &str,
) -> Result<Option<(i64, Protocol)>, Failure> {
    let user = |kept: Json| {
        let name = kept.get("protocol")?.as_str()?;
        let protocol = Protocol::ALL.into_iter().find(|protocol| protocol.name() == name)?;
        Some((kept.get("uid")?.as_i64()?, protocol))
    };
    Ok(cache.recall(&key(options, login), Some(LASTS))?.and_then(user))
}

fn key(options: &ServerOptions, login: &str) -> String {
    format!("user {} {} {login}", options.url, options.database)
}

//! The Odoo user's id, from one run to the next, which is often another session's: it spares Odoo a
//! login, for which it hashes the password.

use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::odoo::{Identity, Protocol};
use crate::server::{Server, Session};
use crate::state::Cache;

/// How many minutes an id serves. The login after that looks for the fastest protocol again.
const LASTS: i32 = 24 * 60;

/// Who the session's user is, as Odoo says it now: by the id that an earlier run's login told, or
/// after a login, whose id is kept. A wrong id is refused by Odoo, or is another login's; a secret is
/// not kept.
pub fn identify(server: &Server, session: &Session, cache: &Cache) -> Result<Identity, Failure> {
    let options = &server.options;
    let what = format!("user {} {} {}", options.url, options.database, session.login());
    let known = cache.recall(&what, Some(LASTS))?.as_ref().and_then(user);
    let identity = session.call(move |odoo| {
        known.into_iter().for_each(|(uid, protocol)| odoo.remember(uid, protocol));
        odoo.identity_now()
    })?;
    let (uid, protocol) = (identity.uid, session.protocol());
    // With JSON-2 a login is no more than any other question.
    if known != Some((uid, protocol)) && protocol != Protocol::Json2 {
        cache.keep_unless_busy(&what, json!({ "uid": uid, "protocol": protocol.name() }))?;
    }
    Ok(identity)
}

fn user(kept: &Json) -> Option<(i64, Protocol)> {
    let name = kept.get("protocol")?.as_str()?;
    let protocol = Protocol::ALL.into_iter().find(|protocol| protocol.name() == name)?;
    Some((kept.get("uid")?.as_i64()?, protocol))
}

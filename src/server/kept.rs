//! Connections that outlive a statement, as postgres_fdw keeps its own.
//!
//! Every statement makes its settings anew, from the catalogs, the files that options name and the
//! parameters. What is kept of a server and a role serves whoever asks with exactly the same. So
//! ALTER and its rollback, SET ROLE, another key in a file need no notice to count at once.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use pgrx::pg_sys::{Oid, TimestampTz};

use crate::odoo::{Connection, Error, Line, Login, Protocol, Settings};
use crate::pg;

/// So many logins are kept, and so many idle lines of each: a statement may scan several tables.
const MAX_KEPT: usize = 8;
const MAX_LINES: usize = 4;

/// How long what a login told serves without a question.
const LASTS: Duration = Duration::from_secs(300);

/// How long the end of what is kept waits for Odoo to hear of it.
const PATIENCE: Duration = Duration::from_secs(1);

/// A server, and the role that asks it.
pub type Key = (Oid, Oid);

struct Kept {
    key: Key,
    settings: Arc<Settings>,
    login: Arc<Login>,
    /// Those that no statement is using.
    lines: Vec<Line>,
    since: TimestampTz,
    /// When the transaction began that used it last.
    used_in: TimestampTz,
}

thread_local! {
    /// The one that was used last is the last.
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

impl Kept {
    fn new(key: Key, settings: Settings) -> Kept {
        let (settings, login) = (Arc::new(settings), Arc::default());
        let (since, used_in) = (pg::now(), 0);
        Kept { key, settings, login, lines: Vec::new(), since, used_in }
    }
}

/// A connection of a role to a server, with what is kept of it. Nothing is sent yet.
pub fn connect(key: Key, settings: Settings) -> Result<Connection, Error> {
    let mut kept = match take(key) {
        Some(kept) if *kept.settings == settings => kept,
        _ => Kept::new(key, settings),
    };
    kept.login.expire(LASTS);
    kept.used_in = pg::transaction_start();
    let line = kept.lines.pop();
    let connection = Connection::new(kept.settings.clone(), kept.login.clone(), line);
    put(kept);
    connection
}

/// Gives back the session that Odoo keeps for a login which nobody uses any more. A cancel ends the
/// wait for it.
fn part(login: &Arc<Login>) {
    let session = login.session();
    if Arc::strong_count(login) > 1 || thread::panicking() || !session.is_open() {
        return;
    }
    let Ok(farewell) = pg::spawn("odoo_etl farewell", move || session.end()) else { return };
    let deadline = Instant::now() + PATIENCE;
    while !farewell.is_finished() && !pg::is_interrupted() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        part(&self.login);
    }
}

/// Keeps the line of a connection in which nothing is in flight, and what is known of its user.
pub fn give_back(key: Key, connection: &Connection) {
    let Some(mut kept) = take(key) else { return part(connection.shared()) };
    // Another login may have taken the place.
    match connection.shares(&kept.login) {
        true => {
            kept.lines.push(connection.line());
            kept.lines.truncate(MAX_LINES);
        }
        false => part(connection.shared()),
    }
    put(kept);
}

fn take(key: Key) -> Option<Kept> {
    // At the end of the process it may be gone.
    let found = KEPT.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        let index = kept.iter().position(|kept| kept.key == key)?;
        Some(kept.remove(index))
    });
    found.ok().flatten()
}

fn put(one: Kept) {
    // Lines that are closed are so behind the borrow.
    let least = KEPT.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        kept.push(one);
        (kept.len() > MAX_KEPT).then(|| kept.remove(0))
    });
    drop(least);
}

/// Ends what is kept of a server and a role. What a statement is using ends with it. Returns whether
/// there was a login.
pub fn disconnect(key: Key) -> bool {
    take(key).is_some_and(|kept| kept.login.user().is_some())
}

/// What is kept, as odoo_connections() shows it.
pub struct Listed {
    pub key: Key,
    pub login: String,
    /// `None` before the first login.
    pub protocol: Option<Protocol>,
    pub since: TimestampTz,
    pub is_used: bool,
}

/// All that is kept, the oldest use first.
pub fn list() -> Vec<Listed> {
    let now = pg::transaction_start();
    let listed = |kept: &Kept| Listed {
        key: kept.key,
        login: kept.settings.credentials.login.clone(),
        protocol: kept.login.user().map(|(_, protocol)| protocol),
        since: kept.since,
        is_used: kept.used_in == now,
    };
    KEPT.with_borrow(|kept| kept.iter().map(listed).collect())
}

//! What runs remember to spare Odoo a question: table cache. All of it may be lost at any time.

use pgrx::JsonB;
use serde_json::Value as Json;

use super::advisory::is_first;
use super::store::Store;
use crate::failure::Failure;

const CACHE: &str = "cache";

/// What is kept of one server. Nothing here is promised to anybody: it is written with the caller's
/// transaction, and who does not find it asks Odoo.
#[derive(Clone)]
pub struct Cache {
    store: Store,
    server: String,
    exists: bool,
}

impl Store {
    pub fn cache(&self, server: &str) -> Result<Cache, Failure> {
        let exists = self.has(CACHE)?;
        Ok(Cache { store: self.clone(), server: server.to_owned(), exists })
    }
}

impl Cache {
    fn table(&self) -> String {
        self.store.table(CACHE)
    }

    /// What was kept no longer ago than so many minutes.
    pub fn recall(&self, what: &str, minutes: Option<i32>) -> Result<Option<Json>, Failure> {
        if !self.exists {
            return Ok(None);
        }
        let sql = format!(
            "SELECT value FROM {} WHERE server = $1 AND what = $2 \
             AND ($3 IS NULL OR kept_at > now() - make_interval(mins => $3))",
            self.table()
        );
        let args = [self.server.as_str().into(), what.into(), minutes.into()];
        Ok(self.store.ask(&sql, &args)?.map(|JsonB(value)| value))
    }

    pub fn keep(&self, what: &str, value: Json) -> Result<(), Failure> {
        if !self.exists {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO {} (server, what, value) VALUES ($1, $2, $3) \
             ON CONFLICT (server, what) DO UPDATE SET value = EXCLUDED.value, kept_at = now()",
            self.table()
        );
        let args = [self.server.as_str().into(), what.into(), JsonB(value).into()];
        self.store.write(&sql, &args)
    }

    /// Keeps what other sessions may be keeping too, and may take long to commit.
    pub fn keep_unless_busy(&self, what: &str, value: Json) -> Result<(), Failure> {
        match is_first(&self.server, "memory")? {
            true => self.keep(what, value),
            false => Ok(()),
        }
    }

    /// Forgets what tables looked like.
    pub fn forget_values(&self, tables: &[String]) -> Result<(), Failure> {
        if !self.exists {
            return Ok(());
        }
        let sql = format!(
            "DELETE FROM {} WHERE server = $1 AND EXISTS (SELECT FROM unnest($2::text[]) AS made \
             WHERE starts_with(what, 'values ' || made || ' '))",
            self.table()
        );
        self.store.write(&sql, &[self.server.as_str().into(), tables.to_vec().into()])
    }

    /// Forgets everything.
    pub fn forget(&self) -> Result<(), Failure> {
        if !self.exists {
            return Ok(());
        }
        let sql = format!("DELETE FROM {} WHERE server = $1", self.table());
        self.store.write(&sql, &[self.server.as_str().into()])
    }
}

//! What runs remember to spare Odoo a question. All of it may be lost at any time.

use pgrx::JsonB;
use serde_json::Value as Json;

use crate::failure::Failure;
use crate::quote::ident;
use crate::state::store::Extension;
use crate::state::turns::is_first;

/// The memory of one server's runs.
#[derive(Clone)]
pub struct Memory {
    extension: Extension,
    server: String,
    exists: bool,
}

impl Memory {
    pub fn of(extension: &Extension, server: &str) -> Result<Memory, Failure> {
        let exists = extension.has("odoo_sync_memory")?;
        Ok(Memory { extension: extension.clone(), server: server.to_owned(), exists })
    }

    fn table(&self) -> String {
        format!("{}.odoo_sync_memory", ident(&self.extension.schema))
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
        let found = self.extension.read(&sql, &args, |row| row.get::<JsonB>(1))?;
        Ok(found.into_iter().flatten().next().map(|JsonB(value)| value))
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
        self.extension.write(&sql, &args)
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
        self.extension.write(&sql, &[self.server.as_str().into(), tables.to_vec().into()])
    }

    /// Forgets everything.
    pub fn forget(&self) -> Result<(), Failure> {
        if !self.exists {
            return Ok(());
        }
        let sql = format!("DELETE FROM {} WHERE server = $1", self.table());
        self.extension.write(&sql, &[self.server.as_str().into()])
    }
}

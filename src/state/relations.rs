//! Where a server's tables are: by oid, which moves with a table, beside the name under which it is
//! filled; and what they lack. Table relations; the first release had none.

use pgrx::pg_sys;

use super::advisory::is_first;
use super::store::{Store, text};
use crate::failure::Failure;
use crate::warehouse::ddl::EDITED_TRIGGER;
use crate::warehouse::own::own_tables;

const RELATIONS: &str = "relations";

/// A relation's schema and name.
const NAMED: &str =
    "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";

/// A table that is not where it was filled.
pub struct Moved {
    /// The name under which it was filled.
    pub target: String,
    /// Where it is now.
    pub schema: String,
    pub name: String,
}

/// What a table is declared to have: a constraint or a trigger, by name.
pub struct Property {
    pub target: &'static str,
    pub name: String,
}

impl Store {
    /// The tables that are remembered of a server, `$1`.
    fn relations_of(&self) -> String {
        format!(
            "SELECT target, relation, server_oid, lacks FROM {} WHERE server = $1",
            self.table(RELATIONS)
        )
    }

    /// The server's tables that are no longer in its schema under their names, nor are others there
    /// in their place, though they exist. The trigger is the mark of what is still ours: without it
    /// a table was let go.
    pub fn moved(&self, server: &str, schema: &str) -> Result<Vec<Moved>, Failure> {
        if !self.has(RELATIONS)? {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT known.target, n.nspname::text, c.relname::text FROM ({}) AS known JOIN ({NAMED}) ON c.oid = known.relation \
             WHERE NOT EXISTS (SELECT FROM {NAMED} WHERE n.nspname = $2 AND c.relname = known.target) \
               AND (known.target = ANY ($3::text[]) OR EXISTS (SELECT FROM pg_catalog.pg_trigger t \
                 WHERE t.tgrelid = c.oid AND t.tgname = $4))",
            self.relations_of()
        );
        let own: Vec<_> = own_tables().collect();
        let args = [server.into(), schema.into(), own.into(), EDITED_TRIGGER.into()];
        self.read(&sql, &args, |row| {
            Ok(Moved { target: text(&row, 1)?, schema: text(&row, 2)?, name: text(&row, 3)? })
        })
    }

    /// Remembers where the tables of a server are, what of these properties they lack, and which
    /// server it is.
    ///
    /// Durable with the caller's transaction, which may have made them; another session that finds
    /// the same may have to write it instead.
    pub fn note_relations(
        &self,
        (server, oid): (&str, pg_sys::Oid),
        schema: &str,
        tables: Vec<String>,
        declared: Vec<Property>,
    ) -> Result<(), Failure> {
        if !self.has(RELATIONS)? {
            return Ok(());
        }
        let fresh = format!(
            "SELECT $1, wanted.target, c.oid, $4::oid, ARRAY(SELECT property.name \
                 FROM unnest($5::text[], $6::text[]) AS property (target, name) WHERE property.target = wanted.target \
                   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = c.oid AND conname = property.name) \
                   AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND tgname = property.name) \
                 ORDER BY property.name) \
             FROM unnest($3::text[]) AS wanted (target) \
             JOIN ({NAMED}) ON n.nspname = $2 AND c.relname = wanted.target AND c.relkind IN ('r', 'p') \
             EXCEPT SELECT $1, * FROM ({}) AS known",
            self.relations_of()
        );
        let (of, names): (Vec<_>, Vec<_>) =
            declared.into_iter().map(|own| (own.target.to_owned(), own.name)).unzip();
        let args =
            [server.into(), schema.into(), tables.into(), oid.into(), of.into(), names.into()];
        let differs = self.is_true(&format!("SELECT EXISTS ({fresh})"), &args)?;
        if !differs || !is_first(server, "places")? {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO {} AS known (server, target, relation, server_oid, lacks) {fresh} \
             ON CONFLICT (server, target) DO UPDATE SET relation = EXCLUDED.relation, server_oid = EXCLUDED.server_oid, \
               lacks = EXCLUDED.lacks",
            self.table(RELATIONS)
        );
        self.write(&sql, &args)
    }

    /// The tables of a server that are known to lack a property.
    pub fn known_to_lack(
        &self,
        server: &str,
        schema: &str,
        name: &str,
    ) -> Result<Vec<String>, Failure> {
        if !self.has(RELATIONS)? {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT known.target FROM ({}) AS known JOIN ({NAMED}) ON c.oid = known.relation \
             AND n.nspname = $2 AND c.relname = known.target WHERE $3 = ANY (known.lacks)",
            self.relations_of()
        );
        self.read(&sql, &[server.into(), schema.into(), name.into()], |row| text(&row, 1))
    }

    /// Forgets where they were: the server fills others. Durable with the caller's transaction.
    pub fn forget_relations(&self, server: &str) -> Result<(), Failure> {
        self.delete([RELATIONS], "server = $1", &[server.into()])
    }

    /// Whether any table is left that a server of that name has filled, in its schema or elsewhere.
    pub fn is_any_left(&self, server: &str, schema: &str) -> Result<bool, Failure> {
        let by_oid = match self.has(RELATIONS)? {
            true => format!(
                "EXISTS (SELECT FROM ({}) AS known JOIN pg_catalog.pg_class c ON c.oid = known.relation) OR ",
                self.relations_of()
            ),
            false => String::new(),
        };
        let sql = format!(
            "SELECT {by_oid}EXISTS (SELECT FROM (SELECT target FROM {state} WHERE server = $1 \
               UNION SELECT target FROM {columns} WHERE server = $1) AS known \
               JOIN ({NAMED}) ON n.nspname = $2 AND c.relname = known.target)",
            state = self.table("state"),
            columns = self.table("columns"),
        );
        self.is_true(&sql, &[server.into(), schema.into()])
    }

    /// Whether the server that filled tables under a name was dropped, be there another one of that
    /// name or not.
    pub fn is_dropped(&self, server: &str) -> Result<bool, Failure> {
        let is_it = match self.has(RELATIONS)? {
            true => format!(
                "s.oid IN (SELECT server_oid FROM ({known}) AS known) \
                 OR s.srvname = $1 AND NOT EXISTS (SELECT FROM ({known}) AS known)",
                known = self.relations_of()
            ),
            false => "s.srvname = $1".into(),
        };
        let sql =
            format!("SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_foreign_server s WHERE {is_it})");
        self.is_true(&sql, &[server.into()])
    }
}

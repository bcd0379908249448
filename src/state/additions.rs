//! What users added to a server's tables: mirrors of models, table mirrors, and columns, table
//! added_columns; which tables keep their history, table histories; which are in partitions, table
//! partitions, and which of those were let go, table detached; and which entities are on that are off
//! by default, table enabled. The first release had none of them.

use super::store::{OF_TABLES, Store, is_set, text};
use crate::failure::Failure;
use crate::query::current_user;
use crate::warehouse::{AddedColumn, Additions, Mirror, SqlType, Warehouse};

const MIRRORS: &str = "mirrors";
const ADDED_COLUMNS: &str = "added_columns";
const HISTORIES: &str = "histories";
const ENABLED: &str = "enabled";
const PARTITIONS: &str = "partitions";
const DETACHED: &str = "detached";

/// Ids of a channel of a table that were let go: the first, and the end.
#[derive(Debug)]
pub struct DetachedIds {
    pub target: String,
    pub channel: String,
    pub ids: (i64, i64),
    /// As SQL text; `None` if it was dropped.
    pub partition: Option<String>,
}

/// What users declared for a server.
const DECLARED: [&str; 6] = [MIRRORS, ADDED_COLUMNS, HISTORIES, ENABLED, PARTITIONS, DETACHED];

/// The tables that a server fills, as they were last seen.
pub fn warehouse_of(server: &str) -> Result<Warehouse, Failure> {
    Ok(Warehouse::with(&Store::find()?.additions(server)?))
}

impl Store {
    /// What was added to a server's tables, as it was last seen.
    pub fn additions(&self, server: &str) -> Result<Additions, Failure> {
        if !self.has(ADDED_COLUMNS)? {
            return Ok(Additions::default());
        }
        let sql = format!(
            "SELECT target, model, domain, fields IS NULL, keep_deleted, is_dated FROM {} \
             WHERE server = $1 ORDER BY since, target",
            self.table(MIRRORS)
        );
        let mirrors = self.read(&sql, &[server.into()], |row| {
            Ok(Mirror {
                target: text(&row, 1)?,
                model: text(&row, 2)?,
                domain: text(&row, 3)?,
                has_all_fields: is_set(&row, 4)?,
                keeps_deleted: is_set(&row, 5)?,
                is_dated: is_set(&row, 6)?,
            })
        })?;
        let sql = format!(
            "SELECT target, column_name, odoo_field, column_type, is_automatic, follows, is_gone FROM {} \
             WHERE server = $1 ORDER BY position",
            self.table(ADDED_COLUMNS)
        );
        let columns = self.read(&sql, &[server.into()], |row| {
            Ok(AddedColumn {
                target: text(&row, 1)?,
                name: text(&row, 2)?,
                path: text(&row, 3)?,
                sql_type: SqlType::from_name(&text(&row, 4)?).unwrap_or(SqlType::Text),
                is_automatic: is_set(&row, 5)?,
                follows: is_set(&row, 6)?,
                is_gone: is_set(&row, 7)?,
            })
        })?;
        Ok(Additions { enabled: self.enabled(server)?, mirrors, columns })
    }

    /// Whether a server has a mirror of that name.
    pub fn has_mirror(&self, server: &str, target: &str) -> Result<bool, Failure> {
        let sql = format!(
            "SELECT EXISTS (SELECT FROM {} WHERE server = $1 AND target = $2)",
            self.table(MIRRORS)
        );
        self.is_true(&sql, &[server.into(), target.into()])
    }

    /// Remembers a mirror, with the names of its fields if it does not have all. The current user
    /// is the one who may drop it.
    ///
    /// Durable with the caller's transaction, which makes its table too.
    pub fn add_mirror(
        &self,
        server: &str,
        mirror: &Mirror,
        fields: Option<Vec<String>>,
    ) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {} (server, target, model, fields, domain, keep_deleted, is_dated, role) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            self.table(MIRRORS)
        );
        let args = [
            server.into(),
            mirror.target.as_str().into(),
            mirror.model.as_str().into(),
            fields.into(),
            mirror.domain.as_str().into(),
            mirror.keeps_deleted.into(),
            mirror.is_dated.into(),
            current_user()?.into(),
        ];
        self.write(&sql, &args)
    }

    /// Remembers a column, or whether its field is gone.
    ///
    /// Durable with the caller's transaction, which makes the column if it is new.
    pub fn note_column(&self, server: &str, column: &AddedColumn) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {} AS known (server, target, column_name, odoo_field, column_type, is_automatic, follows, is_gone) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (server, target, column_name) DO UPDATE SET is_gone = EXCLUDED.is_gone",
            self.table(ADDED_COLUMNS)
        );
        let args = [
            server.into(),
            column.target.as_str().into(),
            column.name.as_str().into(),
            column.path.as_str().into(),
            column.sql_type.name().into(),
            column.is_automatic.into(),
            column.follows.into(),
            column.is_gone.into(),
        ];
        self.write(&sql, &args)
    }

    /// Whether the current user may drop a mirror; `None` if there is none of that name.
    pub fn may_drop_mirror(&self, server: &str, target: &str) -> Result<Option<bool>, Failure> {
        self.may_undo(MIRRORS, "made.server = $2 AND made.target = $3", &[server, target])
    }

    /// Forgets a mirror: what was declared, and what runs remembered of it.
    ///
    /// Durable with the caller's transaction, which drops the table.
    pub fn forget_mirror(&self, server: &str, target: &str) -> Result<(), Failure> {
        let tables = OF_TABLES.into_iter().chain(DECLARED);
        self.delete(tables, "server = $1 AND target = $2", &[server.into(), target.into()])?;
        self.cache(server)?.forget_values(&[target.to_owned()])
    }

    /// Forgets a column that was added.
    ///
    /// Durable with the caller's transaction, which drops it.
    pub fn forget_column(&self, server: &str, target: &str, name: &str) -> Result<(), Failure> {
        let condition = "server = $1 AND target = $2 AND column_name = $3";
        let args = [server.into(), target.into(), name.into()];
        self.delete([ADDED_COLUMNS, "columns"], condition, &args)
    }

    /// What a table of declarations names for a server; nothing where an older script lacks it.
    fn named_in(&self, table: &str, server: &str) -> Result<Vec<String>, Failure> {
        if !self.has(table)? {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT target FROM {} WHERE server = $1", self.table(table));
        self.read(&sql, &[server.into()], |row| text(&row, 1))
    }

    /// The entities of a server that were turned on.
    pub fn enabled(&self, server: &str) -> Result<Vec<String>, Failure> {
        self.named_in(ENABLED, server)
    }

    /// Turns an entity on. Durable with the caller's transaction.
    pub fn enable(&self, server: &str, entity: &str) -> Result<(), Failure> {
        let sql = format!("INSERT INTO {} (server, target) VALUES ($1, $2)", self.table(ENABLED));
        self.write(&sql, &[server.into(), entity.into()])
    }

    /// Turns it off, and forgets what runs remembered of its tables.
    ///
    /// Durable with the caller's transaction.
    pub fn disable(&self, server: &str, entity: &str, tables: &[String]) -> Result<(), Failure> {
        self.delete([ENABLED], "server = $1 AND target = $2", &[server.into(), entity.into()])?;
        let condition = "server = $1 AND target = ANY ($2)";
        self.delete(OF_TABLES, condition, &[server.into(), tables.to_vec().into()])?;
        self.cache(server)?.forget_values(tables)
    }

    /// The tables of a server that keep their history.
    pub fn histories(&self, server: &str) -> Result<Vec<String>, Failure> {
        self.named_in(HISTORIES, server)
    }

    pub fn keeps_history(&self, server: &str, target: &str) -> Result<bool, Failure> {
        Ok(self.histories(server)?.iter().any(|kept| kept == target))
    }

    /// Remembers that a table keeps its history. The current user is the one who may end that.
    ///
    /// Durable with the caller's transaction, which makes the table of the history.
    pub fn keep_history(&self, server: &str, target: &str) -> Result<(), Failure> {
        let histories = self.table(HISTORIES);
        let sql = format!("INSERT INTO {histories} (server, target, role) VALUES ($1, $2, $3)");
        self.write(&sql, &[server.into(), target.into(), current_user()?.into()])
    }

    /// Whether the current user may end a history; `None` if none is kept.
    pub fn may_forget_history(&self, server: &str, target: &str) -> Result<Option<bool>, Failure> {
        self.may_undo(HISTORIES, "made.server = $2 AND made.target = $3", &[server, target])
    }

    /// Keeps it no more. Durable with the caller's transaction.
    pub fn forget_history(&self, server: &str, target: &str) -> Result<(), Failure> {
        let args = [server.into(), target.into()];
        self.delete([HISTORIES], "server = $1 AND target = $2", &args)
    }

    /// Forgets what users declared for a server. Durable with the caller's transaction.
    pub fn forget_additions(&self, server: &str) -> Result<(), Failure> {
        self.delete(DECLARED, "server = $1", &[server.into()])
    }

    /// Hands what users declared for a server to another one, unless that has declarations of its
    /// own.
    pub(super) fn hand_over_additions(&self, server: &str, heir: &str) -> Result<(), Failure> {
        for table in DECLARED {
            if !self.has(table)? {
                continue;
            }
            let table = self.table(table);
            let sql = format!(
                "UPDATE {table} SET server = $2 WHERE server = $1 \
                 AND NOT EXISTS (SELECT FROM {table} AS own WHERE own.server = $2)"
            );
            self.write(&sql, &[server.into(), heir.into()])?;
        }
        Ok(())
    }

    /// Remembers that a table is to be in partitions of so many ids, so that it is when it is made.
    /// Durable with the caller's transaction.
    pub fn note_partitions(&self, server: &str, target: &str, rows: i64) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {} AS known (server, target, rows) VALUES ($1, $2, $3) \
             ON CONFLICT (server, target) DO UPDATE SET rows = EXCLUDED.rows WHERE known.rows <> EXCLUDED.rows",
            self.table(PARTITIONS)
        );
        self.write(&sql, &[server.into(), target.into(), rows.into()])
    }

    /// How many ids each partition of a table is to take; `None` if it is to have none.
    pub fn rows_in_partition(&self, server: &str, target: &str) -> Result<Option<i64>, Failure> {
        if !self.has(PARTITIONS)? {
            return Ok(None);
        }
        let sql = format!(
            "SELECT rows FROM {} WHERE server = $1 AND target = $2",
            self.table(PARTITIONS)
        );
        self.ask(&sql, &[server.into(), target.into()])
    }

    /// Remembers ids whose partition was let go.
    ///
    /// Durable with the caller's transaction, which detaches it.
    pub fn note_detached(&self, server: &str, detached: &DetachedIds) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {} (server, target, channel, from_id, to_id, partition) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (server, target, channel, from_id, to_id) \
             DO UPDATE SET partition = EXCLUDED.partition, detached_at = EXCLUDED.detached_at",
            self.table(DETACHED)
        );
        let DetachedIds { target, channel, ids: (from, to), partition } = detached;
        let args = [
            server.into(),
            target.as_str().into(),
            channel.as_str().into(),
            (*from).into(),
            (*to).into(),
            partition.as_deref().into(),
        ];
        self.write(&sql, &args)
    }

    /// What was let go of a server's tables, in the order of ids.
    pub fn detached(&self, server: &str) -> Result<Vec<DetachedIds>, Failure> {
        if !self.has(DETACHED)? {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT target, channel, from_id, to_id, partition FROM {} WHERE server = $1 ORDER BY target, channel, from_id",
            self.table(DETACHED)
        );
        self.read(&sql, &[server.into()], |row| {
            Ok(DetachedIds {
                target: text(&row, 1)?,
                channel: text(&row, 2)?,
                ids: (row.get(3)?.unwrap_or_default(), row.get(4)?.unwrap_or_default()),
                partition: row.get(5)?,
            })
        })
    }
}

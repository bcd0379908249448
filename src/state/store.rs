//! The way to the extension's own tables: who owns them and where they are. The statements are in
//! the files beside this one, and run by the methods at the end of it.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::spi::{SpiError, SpiHeapTupleData};
use pgrx::{FromDatum, IntoDatum};

use crate::failure::Failure;
use crate::pg;
use crate::query::{self, current_user};
use crate::quote::ident;

/// The extension's own tables.
///
/// # What is durable when
///
/// Each method is one or a few statements in the transaction of whoever calls it; nothing waits
/// here, and nothing commits here. What a method has written the next statement sees; it is durable
/// when that transaction commits, and gone if that, or a subtransaction around the call, is undone.
/// The transaction of a function is its caller's, a job commits with each page. So what belongs
/// together stays together, whenever a session dies:
///
/// - rows of a warehouse, the watermark or the resume point that vouches for them, and what of them
///   is in quarantine;
/// - how a run of a table ended, in the log and in the state of the table, and all that it loaded
///   last.
///
/// Two things do not go by the transaction: the number of a run ([`Store::next_run`]), which is a
/// sequence's, and the lock of a run ([`Store::hold_run`]), which is its session's. What
/// [`Cache`](super::Cache) keeps is promised to nobody: it may be emptied at any time.
///
/// What several sessions find at the same time, only the first of them writes
/// ([`is_first`](super::is_first)): the others would wait until it commits.
#[derive(Clone)]
pub struct Store {
    owner: pg_sys::Oid,
    /// The schema of what users call.
    pub schema: String,
    /// The schema of what is the extension's own.
    home: String,
    /// Its script is the first release's, whose own objects had longer names.
    is_first: bool,
    /// Its script is of the library's release. After a new package it is an older one, which
    /// remembers less, until ALTER EXTENSION UPDATE.
    pub is_current: bool,
}

/// A feed of a server's table, by which state is kept.
#[derive(Debug, Clone, Copy)]
pub struct FeedKey<'a> {
    pub server: &'a str,
    pub table: &'a str,
    /// Empty in tables without.
    pub channel: &'a str,
}

/// The condition of a feed's rows, with the parameters of [`FeedKey::args`].
pub(super) const OF_FEED: &str = "server = $1 AND target = $2 AND channel = $3";

impl<'a> FeedKey<'a> {
    /// `$1` to `$3` of a statement, and those that follow.
    pub(super) fn args<const N: usize>(self, more: [DatumWithOid<'a>; N]) -> Vec<DatumWithOid<'a>> {
        let own = [self.server.into(), self.table.into(), self.channel.into()];
        own.into_iter().chain(more).collect()
    }
}

/// The tables that remember something of each table that a server fills, by `server` and `target`.
pub(super) const OF_TABLES: [&str; 8] = [
    "state",
    "watermarks",
    "quarantine",
    "columns",
    "denied",
    "relations",
    "unwatched",
    "first_loads",
];

impl Store {
    pub fn find() -> Result<Store, Failure> {
        // Its own schema is a member of it, where not all of it is in one.
        let sql = "SELECT e.extowner, n.nspname::text, e.extversion, home.nspname::text FROM pg_catalog.pg_extension e \
                   JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace \
                   LEFT JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass \
                     AND d.refobjid = e.oid AND d.classid = 'pg_catalog.pg_namespace'::regclass \
                   JOIN pg_catalog.pg_namespace home ON home.oid = coalesce(d.objid, e.extnamespace) \
                   WHERE e.extname = 'odoo_etl'";
        // Not by pgrx's shortcut, which a standby refuses.
        Spi::connect(|client| {
            let found = client.select(sql, Some(1), &[])?.first();
            let version = found.get::<String>(3)?.unwrap_or_default();
            Ok(Store {
                owner: found.get(1)?.unwrap_or(pg_sys::InvalidOid),
                schema: found.get(2)?.unwrap_or_default(),
                home: found.get(4)?.unwrap_or_default(),
                is_first: version == "0.1.0",
                is_current: version == env!("CARGO_PKG_VERSION"),
            })
        })
    }

    /// The name of a function of its own.
    pub fn function(&self, name: &str) -> String {
        self.own("odoo_", name)
    }

    /// The schema of the extension's views.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Whether a schema is a member of the extension.
    pub fn owns(&self, schema: &str) -> bool {
        self.home == schema && self.home != self.schema
    }

    /// A parameter of the server that not everybody may see.
    pub fn parameter(&self, name: &str) -> Result<Option<String>, Failure> {
        self.ask("SELECT current_setting($1, true)", &[name.into()])
    }

    /// Whether it has a table. Its script may be of an older release than its library, until
    /// ALTER EXTENSION UPDATE.
    pub(super) fn has(&self, table: &str) -> Result<bool, Failure> {
        query::is_true("SELECT to_regclass($1) IS NOT NULL", &[self.table(table).into()])
    }

    /// The name of a table of its own, or of a sequence.
    pub(super) fn table(&self, name: &str) -> String {
        self.own("odoo_sync_", name)
    }

    fn own(&self, prefix: &str, name: &str) -> String {
        let prefix = if self.is_first { prefix } else { "" };
        format!("{}.{prefix}{name}", ident(&self.home))
    }

    /// Writes to the extension's own tables. Users cannot do so by hand; the statement runs as
    /// the extension's owner, with names that are all qualified.
    pub(super) fn write(&self, sql: &str, args: &[DatumWithOid<'_>]) -> Result<(), Failure> {
        pg::as_role(self.owner, || Spi::run_with_args(sql, args))?;
        Ok(())
    }

    /// Writes, and returns every row that the statement answers.
    pub(super) fn change<T>(
        &self,
        sql: &str,
        args: &[DatumWithOid<'_>],
        row: impl Fn(SpiHeapTupleData<'_>) -> Result<T, SpiError>,
    ) -> Result<Vec<T>, Failure> {
        let rows: Result<Vec<T>, SpiError> = pg::as_role(self.owner, || {
            Spi::connect_mut(|client| client.update(sql, None, args)?.map(row).collect())
        });
        Ok(rows?)
    }

    /// Deletes rows of tables, as far as its script has them.
    pub(super) fn delete<'t>(
        &self,
        tables: impl IntoIterator<Item = &'t str>,
        condition: &str,
        args: &[DatumWithOid<'_>],
    ) -> Result<(), Failure> {
        for table in tables {
            if self.has(table)? {
                self.write(&format!("DELETE FROM {} WHERE {condition}", self.table(table)), args)?;
            }
        }
        Ok(())
    }

    /// Reads them, which users cannot do by hand either.
    pub(super) fn read<T>(
        &self,
        sql: &str,
        args: &[DatumWithOid<'_>],
        row: impl Fn(SpiHeapTupleData<'_>) -> Result<T, SpiError>,
    ) -> Result<Vec<T>, Failure> {
        let rows: Result<Vec<T>, SpiError> = pg::as_role(self.owner, || {
            Spi::connect(|client| client.select(sql, None, args)?.map(row).collect())
        });
        Ok(rows?)
    }

    /// The first column of a query's first row.
    pub(super) fn ask<T: FromDatum + IntoDatum>(
        &self,
        sql: &str,
        args: &[DatumWithOid<'_>],
    ) -> Result<Option<T>, Failure> {
        Ok(self.read(sql, args, |row| row.get::<T>(1))?.into_iter().next().flatten())
    }

    /// Whether a query's answer is true.
    pub(super) fn is_true(&self, sql: &str, args: &[DatumWithOid<'_>]) -> Result<bool, Failure> {
        Ok(self.ask(sql, args)? == Some(true))
    }

    /// Whether the current user may undo what a row of a table, `made`, tells of: the role that
    /// made it, its members and superusers may. `None` if there is no such row. The key is `$2` on.
    pub(super) fn may_undo(
        &self,
        table: &str,
        condition: &str,
        key: &[&str],
    ) -> Result<Option<bool>, Failure> {
        let sql = format!(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles r \
               WHERE r.rolname = made.role AND pg_catalog.pg_has_role($1, r.oid, 'MEMBER')) \
               OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = $1) \
             FROM {} AS made WHERE {condition}",
            self.table(table)
        );
        let caller = current_user()?;
        let args: Vec<_> = [caller.as_str()].iter().chain(key).map(|text| (*text).into()).collect();
        Ok(self.read(&sql, &args, |row| row.get::<bool>(1))?.first().map(|may| *may == Some(true)))
    }
}

/// A text of a row, empty for NULL.
pub(super) fn text(row: &SpiHeapTupleData<'_>, place: usize) -> Result<String, SpiError> {
    Ok(row.get(place)?.unwrap_or_default())
}

/// Whether a place of a row is true.
pub(super) fn is_set(row: &SpiHeapTupleData<'_>, place: usize) -> Result<bool, SpiError> {
    Ok(row.get(place)? == Some(true))
}

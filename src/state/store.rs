//! What the extension remembers of each table's runs, in its own tables.

use std::time::Duration;

use chrono::{DateTime, Utc};
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::spi::{SpiError, SpiHeapTupleData};

use crate::failure::Failure;
use crate::pg;
use crate::query;
use crate::quote::ident;

/// Who owns the extension, and the schema that its tables live in.
#[derive(Clone)]
pub struct Extension {
    owner: pg_sys::Oid,
    pub schema: String,
    /// Its script is of the library's release. After a new package it is an older one, which
    /// remembers less, until ALTER EXTENSION UPDATE.
    pub is_current: bool,
}

/// The tables that remember something of a server.
const TABLES: &[&str] = &[
    "odoo_sync_servers",
    "odoo_sync_state",
    "odoo_sync_watermarks",
    "odoo_sync_quarantine",
    "odoo_sync_columns",
    "odoo_sync_runs",
    "odoo_sync_stops",
    "odoo_sync_denied",
    "odoo_sync_relations",
    "odoo_sync_unwatched",
];

/// A feed of a server's table, by which state is kept.
#[derive(Debug, Clone, Copy)]
pub struct FeedKey<'a> {
    pub server: &'a str,
    pub table: &'a str,
    /// Empty in tables without.
    pub channel: &'a str,
}

/// Name, type, model, field and kind of a column.
pub type Lineage = [Option<String>; 5];

/// What is remembered of a feed.
#[derive(Debug, Default)]
pub struct Mark {
    /// When the changes to read began, `overlap` before the watermark: `2024-01-31 23:59:59`, in
    /// UTC, as Odoo writes times.
    pub since: Option<String>,
    /// The watermark lies ahead of Odoo's clock, which must have been set back.
    pub is_future: bool,
    pub resume: Option<Resume>,
    /// Differs after every change of all this.
    pub version: Option<String>,
}

/// Where a job stopped in the middle of a feed.
#[derive(Debug, Default)]
pub struct Resume {
    /// The last id that was loaded.
    pub after: Option<i64>,
    pub since: Option<String>,
    pub latest: Option<String>,
    /// How long the scan took until then.
    pub seconds: f64,
    /// When the scan first began, by Odoo's clock.
    pub began: Option<DateTime<Utc>>,
}

/// How far a feed has been read.
pub struct Reached {
    /// The latest change seen.
    pub latest: Option<String>,
    /// What changed behind the scan's back, for so long, is read again.
    pub took: Duration,
    /// When the scan first began, by Odoo's clock.
    pub began: Option<DateTime<Utc>>,
    /// Everything was read: the watermark may lie behind that of before.
    pub may_go_back: bool,
}

/// Odoo's clock and that of its database, which dates the changes, may differ by so much.
const CLOCKS: Duration = Duration::from_secs(300);

impl Extension {
    pub fn find() -> Result<Extension, Failure> {
        let sql = "SELECT e.extowner, n.nspname::text, e.extversion FROM pg_catalog.pg_extension e \
                   JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace \
                   WHERE e.extname = 'odoo_etl'";
        // Not by pgrx's shortcut, which a standby refuses.
        Spi::connect(|client| {
            let found = client.select(sql, Some(1), &[])?.first();
            Ok(Extension {
                owner: found.get(1)?.unwrap_or(pg_sys::InvalidOid),
                schema: found.get(2)?.unwrap_or_default(),
                is_current: found.get::<String>(3)?.as_deref() == Some(env!("CARGO_PKG_VERSION")),
            })
        })
    }

    /// Whether it has a table. Its script may be of an older release than its library, until
    /// ALTER EXTENSION UPDATE.
    pub fn has(&self, table: &str) -> Result<bool, Failure> {
        let table = format!("{}.{table}", ident(&self.schema));
        query::is_true("SELECT to_regclass($1) IS NOT NULL", &[table.into()])
    }

    /// Writes to the extension's own tables. Users cannot do so by hand; the statement runs as
    /// the extension's owner, with names that are all qualified.
    pub fn write(&self, sql: &str, args: &[DatumWithOid<'_>]) -> Result<(), Failure> {
        pg::as_role(self.owner, || Spi::run_with_args(sql, args))?;
        Ok(())
    }

    /// Writes too, and returns what the statement answers.
    pub fn change(&self, sql: &str, args: &[DatumWithOid<'_>]) -> Result<bool, Failure> {
        let answers = self.change_all(sql, args, |row| row.get::<bool>(1))?;
        Ok(answers.into_iter().next().flatten() == Some(true))
    }

    /// Writes, and returns every row that the statement answers.
    pub fn change_all<T>(
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

    /// Reads them, which users cannot do by hand either.
    pub fn read<T>(
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

    /// What is remembered of a feed; whether its watermark is ahead is told for a time `now`.
    pub fn mark(
        &self,
        of: FeedKey<'_>,
        overlap: Duration,
        now: Option<DateTime<Utc>>,
    ) -> Result<Mark, Failure> {
        let began = if self.is_current { "resume_began" } else { "NULL::timestamptz" };
        let sql = format!(
            "SELECT to_char((watermark - make_interval(secs => $4)) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), \
                    watermark > $5::timestamptz + interval '1 minute', xmin::text, \
                    resume_after, resume_since, resume_latest, resume_seconds, \
                    extract(epoch FROM {began})::bigint \
             FROM {}.odoo_sync_watermarks WHERE server = $1 AND target = $2 AND channel = $3",
            ident(&self.schema)
        );
        let args = [
            of.server.into(),
            of.table.into(),
            of.channel.into(),
            overlap.as_secs_f64().into(),
            now.map(|now| now.to_rfc3339()).into(),
        ];
        let found = self.read(&sql, &args, |row| {
            let resume = Resume {
                after: row.get(4)?,
                since: row.get(5)?,
                latest: row.get(6)?,
                seconds: row.get(7)?.unwrap_or(0.0),
                began: row.get(8)?.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            };
            Ok(Mark {
                since: row.get(1)?,
                is_future: row.get(2)? == Some(true),
                version: row.get(3)?,
                // What changed since the scan began could not be told without that time.
                resume: Some(resume)
                    .filter(|resume| resume.after.is_some() && resume.began.is_some()),
            })
        })?;
        Ok(found.into_iter().next().unwrap_or_default())
    }

    /// Moves a feed's watermark to the latest change seen, less the time that the scan took:
    /// what changed behind the scan's back is read again. Where changes are rare, the time of
    /// the scan itself is later.
    pub fn move_watermark(&self, of: FeedKey<'_>, reached: &Reached) -> Result<(), Failure> {
        let keep = match reached.may_go_back {
            true => "EXCLUDED.watermark",
            false => "greatest(known.watermark, EXCLUDED.watermark)",
        };
        let sql = format!(
            "INSERT INTO {}.odoo_sync_watermarks AS known (server, target, channel, watermark) \
             VALUES ($1, $2, $3, greatest($4::timestamptz - make_interval(secs => $5), \
               $6::timestamptz - make_interval(secs => $7))) \
             ON CONFLICT (server, target, channel) DO UPDATE SET watermark = {keep}, resume_after = NULL",
            ident(&self.schema)
        );
        let args = [
            of.server.into(),
            of.table.into(),
            of.channel.into(),
            reached.latest.clone().into(),
            reached.took.as_secs_f64().into(),
            reached.began.map(|began| began.to_rfc3339()).into(),
            CLOCKS.as_secs_f64().into(),
        ];
        self.write(&sql, &args)
    }

    /// Remembers that a page was loaded, in the transaction that loads it.
    pub fn remember_page(&self, of: FeedKey<'_>, resume: &Resume) -> Result<(), Failure> {
        if !self.is_current {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO {}.odoo_sync_watermarks AS known \
               (server, target, channel, resume_after, resume_since, resume_latest, resume_seconds, resume_began) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8::timestamptz) \
             ON CONFLICT (server, target, channel) DO UPDATE SET resume_after = EXCLUDED.resume_after, \
               resume_since = EXCLUDED.resume_since, resume_latest = EXCLUDED.resume_latest, \
               resume_seconds = EXCLUDED.resume_seconds, resume_began = EXCLUDED.resume_began",
            ident(&self.schema)
        );
        self.write(
            &sql,
            &[
                of.server.into(),
                of.table.into(),
                of.channel.into(),
                resume.after.into(),
                resume.since.clone().into(),
                resume.latest.clone().into(),
                resume.seconds.into(),
                resume.began.map(|began| began.to_rfc3339()).into(),
            ],
        )
    }

    /// Forgets how far a server was read.
    pub fn forget_progress(&self, server: &str) -> Result<(), Failure> {
        let sql =
            format!("DELETE FROM {}.odoo_sync_watermarks WHERE server = $1", ident(&self.schema));
        self.write(&sql, &[server.into()])
    }

    /// Forgets all that is known of a server.
    pub fn forget(&self, server: &str) -> Result<(), Failure> {
        TABLES.iter().try_for_each(|table| {
            if !self.has(table)? {
                return Ok(());
            }
            let sql = format!("DELETE FROM {}.{table} WHERE server = $1", ident(&self.schema));
            self.write(&sql, &[server.into()])
        })
    }

    /// Forgets how far tables were read: they were made anew.
    pub fn forget_watermarks(&self, server: &str, tables: &[String]) -> Result<(), Failure> {
        let sql = format!(
            "DELETE FROM {}.odoo_sync_watermarks WHERE server = $1 AND target = ANY ($2)",
            ident(&self.schema)
        );
        self.write(&sql, &[server.into(), tables.to_vec().into()])
    }

    /// Whether it is known where a table's columns come from.
    pub fn knows_columns(&self, of: FeedKey<'_>) -> Result<bool, Failure> {
        let sql = format!(
            "SELECT 1 FROM {}.odoo_sync_columns WHERE server = $1 AND target = $2 AND channel = $3 LIMIT 1",
            ident(&self.schema)
        );
        let args = [of.server.into(), of.table.into(), of.channel.into()];
        Ok(!self.read(&sql, &args, |row| row.get::<i32>(1))?.is_empty())
    }

    /// Remembers where each column of a table comes from in this Odoo, where that has changed and
    /// the table may be written. Returns whether a column has got a field that it had not when
    /// rows were loaded before.
    pub fn remember_columns(
        &self,
        of: FeedKey<'_>,
        rows: &[Lineage],
        may_write: impl FnOnce() -> Result<bool, Failure>,
    ) -> Result<bool, Failure> {
        let column = |index: usize| -> Vec<Option<String>> {
            rows.iter().map(|row| row[index].clone()).collect()
        };
        let args = [
            of.server.into(),
            of.table.into(),
            of.channel.into(),
            column(0).into(),
            column(1).into(),
            column(2).into(),
            column(3).into(),
            column(4).into(),
        ];
        let schema = ident(&self.schema);
        let fresh = format!(
            "SELECT $1, $2, $3, * FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY \
               AS fresh (column_name, column_type, odoo_model, odoo_field, kind, position) \
             EXCEPT SELECT server, target, channel, column_name, column_type, odoo_model, odoo_field, kind, position \
               FROM {schema}.odoo_sync_columns"
        );
        let differs = format!("SELECT EXISTS ({fresh})");
        let differs = pg::as_role(self.owner, || Spi::get_one_with_args::<bool>(&differs, &args))?;
        if differs != Some(true) || !may_write()? {
            return Ok(false);
        }
        let sql = format!(
            "WITH known AS (SELECT column_name, odoo_field FROM {schema}.odoo_sync_columns \
               WHERE server = $1 AND target = $2 AND channel = $3), \
             written AS (INSERT INTO {schema}.odoo_sync_columns \
                 (server, target, channel, column_name, column_type, odoo_model, odoo_field, kind, position) \
               {fresh} \
               ON CONFLICT (server, target, channel, column_name) DO UPDATE SET \
                 column_type = EXCLUDED.column_type, odoo_model = EXCLUDED.odoo_model, \
                 odoo_field = EXCLUDED.odoo_field, kind = EXCLUDED.kind, position = EXCLUDED.position \
               RETURNING column_name, odoo_field) \
             SELECT EXISTS (SELECT FROM known) \
               AND EXISTS (SELECT FROM written LEFT JOIN known USING (column_name) \
                 WHERE written.odoo_field IS DISTINCT FROM known.odoo_field AND written.odoo_field IS NOT NULL)"
        );
        self.change(&sql, &args)
    }
}

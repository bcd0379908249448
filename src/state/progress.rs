//! How far each feed was read: tables watermarks and unwatched; and which tables have not been
//! loaded whole yet: table first_loads.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::store::{FeedKey, OF_FEED, Store, text};
use crate::failure::Failure;

const WATERMARKS: &str = "watermarks";
const UNWATCHED: &str = "unwatched";
const FIRST_LOADS: &str = "first_loads";

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

/// So near to each other lie the watermarks of tables that one run has read, whether it found
/// changes in them or not.
const NEAR: Duration = Duration::from_secs(2 * CLOCKS.as_secs());

impl Store {
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
             FROM {} WHERE {OF_FEED}",
            self.table(WATERMARKS)
        );
        let now = now.map(|now| now.to_rfc3339());
        let args = of.args([overlap.as_secs_f64().into(), now.into()]);
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

    /// The earliest time since which some tables of a channel are read, of those that lie no more
    /// than minutes before another one.
    pub fn since_of_all(
        &self,
        of: FeedKey<'_>,
        tables: &[&str],
        overlap: Duration,
        time: &str,
    ) -> Result<Option<String>, Failure> {
        let sql = format!(
            "SELECT to_char(min(since), 'YYYY-MM-DD HH24:MI:SS') FROM ( \
               SELECT (watermark - make_interval(secs => $4)) AT TIME ZONE 'UTC' AS since FROM {} \
               WHERE server = $1 AND target = ANY ($2) AND channel = $3) AS marks \
             WHERE since BETWEEN $5::timestamp - make_interval(secs => $6) AND $5::timestamp",
            self.table(WATERMARKS)
        );
        let args = [
            of.server.into(),
            tables.to_vec().into(),
            of.channel.into(),
            overlap.as_secs_f64().into(),
            time.into(),
            NEAR.as_secs_f64().into(),
        ];
        self.ask(&sql, &args)
    }

    /// Moves a feed's watermark to the latest change seen, less the time that the scan took:
    /// what changed behind the scan's back is read again. Where changes are rare, the time of
    /// the scan itself is later.
    ///
    /// Durable with the caller's transaction, which has written all rows up to it, now or, if it is
    /// a job's, in transactions that are committed: a watermark never vouches for rows that are not
    /// there. If it is lost, what is there already is read again, and nothing else.
    pub fn move_watermark(&self, of: FeedKey<'_>, reached: &Reached) -> Result<(), Failure> {
        let keep = match reached.may_go_back {
            true => "EXCLUDED.watermark",
            false => "greatest(known.watermark, EXCLUDED.watermark)",
        };
        let sql = format!(
            "INSERT INTO {} AS known (server, target, channel, watermark) \
             VALUES ($1, $2, $3, greatest($4::timestamptz - make_interval(secs => $5), \
               $6::timestamptz - make_interval(secs => $7))) \
             ON CONFLICT (server, target, channel) DO UPDATE SET watermark = {keep}, resume_after = NULL",
            self.table(WATERMARKS)
        );
        let args = of.args([
            reached.latest.clone().into(),
            reached.took.as_secs_f64().into(),
            reached.began.map(|began| began.to_rfc3339()).into(),
            CLOCKS.as_secs_f64().into(),
        ]);
        self.write(&sql, &args)
    }

    /// Remembers that a page was loaded.
    ///
    /// Durable with the caller's transaction, which has written the page's rows: whoever goes on
    /// with the scan does so behind the last page that was committed.
    pub fn remember_page(&self, of: FeedKey<'_>, resume: &Resume) -> Result<(), Failure> {
        if !self.is_current {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO {} AS known \
               (server, target, channel, resume_after, resume_since, resume_latest, resume_seconds, resume_began) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8::timestamptz) \
             ON CONFLICT (server, target, channel) DO UPDATE SET resume_after = EXCLUDED.resume_after, \
               resume_since = EXCLUDED.resume_since, resume_latest = EXCLUDED.resume_latest, \
               resume_seconds = EXCLUDED.resume_seconds, resume_began = EXCLUDED.resume_began",
            self.table(WATERMARKS)
        );
        let args = of.args([
            resume.after.into(),
            resume.since.clone().into(),
            resume.latest.clone().into(),
            resume.seconds.into(),
            resume.began.map(|began| began.to_rfc3339()).into(),
        ]);
        self.write(&sql, &args)
    }

    /// Forgets how far tables were read, which were made anew.
    ///
    /// Durable with the caller's transaction, which has made them: there is no table that is empty
    /// and up to date.
    pub fn forget_watermarks(&self, server: &str, tables: &[String]) -> Result<(), Failure> {
        let args = [server.into(), tables.to_vec().into()];
        self.delete([WATERMARKS], "server = $1 AND target = ANY ($2)", &args)
    }

    /// Forgets how far a server was read. Durable with the caller's transaction.
    pub fn forget_progress(&self, server: &str) -> Result<(), Failure> {
        self.delete([WATERMARKS], "server = $1", &[server.into()])
    }

    /// Remembers that a table's rows may have been edited unseen: all of them are to be read again.
    ///
    /// Durable with the caller's transaction, which makes the trigger that sees edits: no table has
    /// the trigger and edits of before that nobody looks for.
    pub fn note_unwatched(
        &self,
        server: &str,
        table: &str,
        channels: Vec<String>,
    ) -> Result<(), Failure> {
        if !self.has(UNWATCHED)? {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO {} (server, target, channel) SELECT $1, $2, unnest($3::text[]) \
             ON CONFLICT (server, target, channel) DO UPDATE SET since = now()",
            self.table(UNWATCHED)
        );
        self.write(&sql, &[server.into(), table.into(), channels.into()])
    }

    /// Whether rows of a feed may have been edited unseen.
    pub fn was_unwatched(&self, of: FeedKey<'_>) -> Result<bool, Failure> {
        if !self.has(UNWATCHED)? {
            return Ok(false);
        }
        let sql = format!("SELECT EXISTS (SELECT FROM {} WHERE {OF_FEED})", self.table(UNWATCHED));
        self.is_true(&sql, &of.args([]))
    }

    /// All rows of a feed were read, from `started` on: what was edited before is seen.
    ///
    /// Durable with the caller's transaction, which has written the last of the rows.
    pub fn forget_unwatched(&self, of: FeedKey<'_>, started: SystemTime) -> Result<(), Failure> {
        if !self.was_unwatched(of)? {
            return Ok(());
        }
        let sql = format!(
            "DELETE FROM {} WHERE {OF_FEED} AND since < to_timestamp($4)",
            self.table(UNWATCHED)
        );
        self.write(&sql, &of.args([epoch(started).into()]))
    }
}

impl Store {
    /// Remembers tables that were made with their primary key alone: the foreign keys and indexes
    /// are made when all rows are there. Older scripts have no place for it, and such tables all
    /// keys at once.
    ///
    /// Durable with the caller's transaction, which has made them: no table lacks a key that nobody
    /// will make.
    pub fn begin_first_loads(&self, server: &str, tables: &[&str]) -> Result<(), Failure> {
        if !self.has(FIRST_LOADS)? {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO {} (server, target) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING",
            self.table(FIRST_LOADS)
        );
        self.write(&sql, &[server.into(), tables.to_vec().into()])
    }

    /// The tables of a server that lack keys and indexes, until all rows are there.
    pub fn first_loads(&self, server: &str) -> Result<HashSet<String>, Failure> {
        if !self.has(FIRST_LOADS)? {
            return Ok(HashSet::new());
        }
        let sql = format!("SELECT target FROM {} WHERE server = $1", self.table(FIRST_LOADS));
        let found = self.read(&sql, &[server.into()], |row| text(&row, 1))?;
        Ok(found.into_iter().collect())
    }

    /// Whether nothing is known of how far a server was read.
    pub fn is_unread(&self, server: &str) -> Result<bool, Failure> {
        let watermarks = self.table(WATERMARKS);
        let sql = format!("SELECT NOT EXISTS (SELECT FROM {watermarks} WHERE server = $1)");
        self.is_true(&sql, &[server.into()])
    }

    /// A table has all its keys and indexes. Durable with the caller's transaction, which has made
    /// the last of them.
    pub fn end_first_load(&self, server: &str, table: &str) -> Result<(), Failure> {
        let args = [server.into(), table.into()];
        self.delete([FIRST_LOADS], "server = $1 AND target = $2", &args)
    }
}

/// A time for `to_timestamp`.
pub(super) fn epoch(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

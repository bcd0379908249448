//! Jobs that pg_cron starts, table schedules, and what holds them back, table stops; and jobs that
//! follow, with the signals that wake them, table wakes.

use std::time::Duration;

use pgrx::pg_sys;

use super::store::{Store, is_set, text};
use crate::failure::Failure;
use crate::pg::SessionLock;
use crate::query::{ask, current_user};

const SCHEDULES: &str = "schedules";
const STOPS: &str = "stops";
const WAKES: &str = "wakes";

/// The key of the lock of whoever follows an entity, as the view odoo_sync_status has it.
const KEY: &str = "hashtextextended(format('odoo_etl follow %s %s', $1, entity), 0)";

/// A job of the current user's.
#[derive(Debug, Clone, Copy)]
pub struct JobKey<'a> {
    pub server: &'a str,
    pub entity: &'a str,
    pub reconcile: bool,
}

/// Its condition, with the user as `$4`.
const OF_JOB: &str = "server = $1 AND entity = $2 AND reconcile = $3 AND role = $4";

/// What keeps the current user's scheduled jobs from a server: Odoo refused a login.
pub struct Stop {
    /// Odoo's words.
    pub reason: String,
    pub since: String,
    /// They are held back until somebody mends it.
    pub is_final: bool,
    /// If not, until when they wait before they try once more; `None` once that time has come.
    pub until: Option<String>,
}

impl Store {
    /// Remembers a schedule, as its user wrote it and as pg_cron has it. Older scripts know no difference.
    ///
    /// Durable with the caller's transaction, in which pg_cron's own table has the job too.
    pub fn note_schedule(
        &self,
        of: JobKey<'_>,
        schedule: &str,
        cron: &str,
        follow: Option<Duration>,
        jobid: i64,
    ) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {} AS known (server, entity, reconcile, role, schedule, jobid) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (server, entity, reconcile, role) DO UPDATE SET \
               schedule = EXCLUDED.schedule, jobid = EXCLUDED.jobid, scheduled_at = now()",
            self.table(SCHEDULES)
        );
        let args = [
            of.server.into(),
            of.entity.into(),
            of.reconcile.into(),
            current_user()?.into(),
            if self.is_current { schedule } else { cron }.into(),
            jobid.into(),
        ];
        self.write(&sql, &args)?;
        if !self.is_current {
            return Ok(());
        }
        let sql = format!(
            "UPDATE {} SET cron = $5, follow = make_interval(secs => $6) WHERE {OF_JOB}",
            self.table(SCHEDULES)
        );
        let follow = follow.map(|every| every.as_secs_f64());
        let [server, entity, reconcile, role, ..] = args;
        self.write(&sql, &[server, entity, reconcile, role, cron.into(), follow.into()])
    }

    /// What pg_cron has for a job, if it is scheduled, and for all others, be they other users'.
    pub fn crons(&self, of: JobKey<'_>) -> Result<(Option<String>, Vec<String>), Failure> {
        let cron = if self.is_current { "coalesce(cron, schedule)" } else { "schedule" };
        let sql = format!("SELECT {OF_JOB}, {cron} FROM {}", self.table(SCHEDULES));
        let args =
            [of.server.into(), of.entity.into(), of.reconcile.into(), current_user()?.into()];
        let all = self.read(&sql, &args, |row| Ok((is_set(&row, 1)?, text(&row, 2)?)))?;
        let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(is_own, _)| *is_own);
        let texts = |rows: Vec<(bool, String)>| rows.into_iter().map(|(_, cron)| cron);
        Ok((texts(own).next(), texts(others).collect()))
    }

    /// The cron expression of a job, as its user wrote it.
    pub fn schedule(&self, of: JobKey<'_>) -> Result<Option<String>, Failure> {
        let sql = format!("SELECT schedule FROM {} WHERE {OF_JOB}", self.table(SCHEDULES));
        let user = current_user()?;
        self.ask(&sql, &[of.server.into(), of.entity.into(), of.reconcile.into(), user.into()])
    }

    /// Forgets a schedule. Durable with the caller's transaction, as its end in pg_cron's table.
    pub fn forget_schedule(&self, of: JobKey<'_>) -> Result<(), Failure> {
        let sql = format!("DELETE FROM {} WHERE {OF_JOB}", self.table(SCHEDULES));
        let user = current_user()?;
        self.write(&sql, &[of.server.into(), of.entity.into(), of.reconcile.into(), user.into()])
    }

    /// A role that has scheduled an entity.
    pub fn scheduler(&self, server: &str, entity: &str) -> Result<Option<String>, Failure> {
        let sql = format!(
            "SELECT role::text FROM {} WHERE server = $1 AND entity = $2 LIMIT 1",
            self.table(SCHEDULES)
        );
        self.ask(&sql, &[server.into(), entity.into()])
    }

    /// Holds the current user's scheduled jobs back: for some time, which is drawn so that not all
    /// of them come back together, or for good. Returns whether for good: older scripts know of no
    /// time.
    ///
    /// Durable with the caller's transaction, that of a job which goes on to its end: the next job
    /// finds it.
    pub fn stop(
        &self,
        server: &str,
        reason: &str,
        wait: Option<Duration>,
    ) -> Result<bool, Failure> {
        let user = current_user()?;
        let sql = format!(
            "INSERT INTO {} AS known (server, role, reason) VALUES ($1, $2, $3) \
             ON CONFLICT (server, role) DO UPDATE SET reason = EXCLUDED.reason, since = now()",
            self.table(STOPS)
        );
        self.write(&sql, &[server.into(), user.as_str().into(), reason.into()])?;
        if self.is_current {
            let sql = format!(
                "UPDATE {} SET until = clock_timestamp() + make_interval(secs => $3 * (1.1 + 0.4 * random())) \
                 WHERE server = $1 AND role = $2",
                self.table(STOPS)
            );
            let wait = wait.map(|wait| wait.as_secs_f64());
            self.write(&sql, &[server.into(), user.into(), wait.into()])?;
        }
        Ok(wait.is_none() || !self.is_current)
    }

    /// What holds the current user's scheduled jobs back.
    pub fn find_stop(&self, server: &str) -> Result<Option<Stop>, Failure> {
        let until = if self.is_current { "until" } else { "NULL::timestamptz" };
        let sql = format!(
            "SELECT reason, since::timestamptz(0)::text, {until} IS NULL, \
               CASE WHEN {until} > clock_timestamp() THEN {until}::timestamptz(0)::text END \
             FROM {} WHERE server = $1 AND role = $2",
            self.table(STOPS)
        );
        let stops = self.read(&sql, &[server.into(), current_user()?.into()], |row| {
            Ok(Stop {
                reason: text(&row, 1)?,
                since: text(&row, 2)?,
                is_final: is_set(&row, 3)?,
                until: row.get(4)?,
            })
        })?;
        Ok(stops.into_iter().next())
    }

    /// Ends what holds the jobs of a role back, and of those who log in by the same user mapping.
    ///
    /// Durable with the caller's transaction, that of whatever statement has just logged in: if it
    /// is undone, the next good login does it.
    pub fn lift_stops(&self, server: &str, role: pg_sys::Oid) -> Result<(), Failure> {
        let stops = self.table(STOPS);
        let is_held = format!("SELECT EXISTS (SELECT FROM {stops} WHERE server = $1)");
        if !self.is_true(&is_held, &[server.into()])? {
            return Ok(());
        }
        let sql = format!(
            "DELETE FROM {stops} AS stops USING pg_catalog.pg_roles AS held, LATERAL ( \
               SELECT bool_or(umuser = held.oid) AS own, bool_or(umuser = $2) AS same \
               FROM pg_catalog.pg_user_mappings WHERE srvname = $1 AND umuser IN (held.oid, $2)) AS mapping \
             WHERE stops.server = $1 AND held.rolname = stops.role \
               AND (held.oid = $2 OR mapping.own IS NOT TRUE AND mapping.same IS NOT TRUE)"
        );
        self.write(&sql, &[server.into(), role.into()])
    }

    /// Ends what holds jobs back of the roles that the current user is a member of, and the waiting
    /// after failures. Returns whether there was any.
    ///
    /// Durable with the caller's transaction, in which both end at once.
    pub fn resume(&self, server: &str) -> Result<bool, Failure> {
        let sql = format!(
            "WITH resumed AS (DELETE FROM {stops} s USING pg_catalog.pg_roles r \
               WHERE s.server = $1 AND r.rolname = s.role AND pg_catalog.pg_has_role($2, r.oid, 'MEMBER') \
               RETURNING 1), \
             started AS (UPDATE {state} SET next_start = NULL \
               WHERE server = $1 AND next_start IS NOT NULL RETURNING 1) \
             SELECT EXISTS (SELECT FROM resumed) OR EXISTS (SELECT FROM started)",
            state = self.table("state"),
            stops = self.table(STOPS),
        );
        let args = [server.into(), current_user()?.into()];
        Ok(self.change(&sql, &args, |row| row.get(1))?.contains(&Some(true)))
    }
}

impl Store {
    /// Holds the lock of whoever follows an entity of a server, until what is returned is dropped.
    /// `None` if somebody else does. It is the session's, as that of a run.
    pub fn hold_following(
        &self,
        server: &str,
        entity: &str,
    ) -> Result<Option<SessionLock>, Failure> {
        let sql = format!("SELECT {KEY} FROM (SELECT $2::text) AS followed (entity)");
        Ok(ask::<i64>(&sql, &[server.into(), entity.into()])?.and_then(SessionLock::take))
    }

    /// Leaves a signal for each job that follows one of some entities. Returns whether there is any.
    ///
    /// The job sees it when the caller's transaction commits. No two signals wait for each other.
    pub fn wake(&self, server: &str, entities: &[&str]) -> Result<bool, Failure> {
        let followed = format!(
            "FROM unnest($2::text[]) AS entity WHERE EXISTS ( \
               SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
                 AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
                 AND (classid::bigint << 32) | objid::bigint = {KEY})"
        );
        let args = || [server.into(), entities.to_vec().into()];
        if !self.is_true(&format!("SELECT EXISTS (SELECT $1::text {followed})"), &args())? {
            return Ok(false);
        }
        let wakes = self.table(WAKES);
        let sql = format!("INSERT INTO {wakes} (server, entity) SELECT $1, entity {followed}");
        self.write(&sql, &args())?;
        Ok(true)
    }

    /// Takes the signals for a job that follows; whether there were any.
    ///
    /// Durable with the caller's transaction. One that is lost costs time: the job looks by itself.
    pub fn take_wakes(&self, server: &str, entity: &str) -> Result<bool, Failure> {
        let of_job = format!("FROM {} WHERE server = $1 AND entity = $2", self.table(WAKES));
        let args = || [server.into(), entity.into()];
        // To delete takes a transaction id, even if there is nothing.
        if !self.is_true(&format!("SELECT EXISTS (SELECT {of_job})"), &args())? {
            return Ok(false);
        }
        self.write(&format!("DELETE {of_job}"), &args())?;
        Ok(true)
    }
}

//! Jobs that pg_cron starts: what is scheduled, what waits after a failure, what is stopped.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use pgrx::PgSqlErrorCode as State;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::failure::{Cause, Failure};
use crate::pg;
use crate::query::{self, ask, current_user, require_writable};
use crate::quote::{ident, literal};
use crate::server::Server;
use crate::state::store::Extension;
use crate::sync::schedule::cron;

/// A job of one role, server and entity.
pub struct Schedule<'a> {
    pub server: &'a str,
    pub entity: &'a str,
    pub reconcile: bool,
}

impl Schedule<'_> {
    /// Has pg_cron run it from now on, in the place of an earlier schedule. Returns pg_cron's
    /// number of the job.
    pub fn set(&self, cron: &str) -> Result<i64, Failure> {
        require_writable()?;
        let parsed = cron::parse(cron).map_err(|reason| invalid(cron, &reason))?;
        let extension = Extension::find()?;
        let command = self.command(&extension);
        self.require_pg_cron(&extension, cron, &command)?;
        let args = [self.job_name().into(), cron.into(), command.into()];
        let job = Spi::get_one_with_args::<i64>("SELECT cron.schedule($1, $2, $3)", &args)?;
        if cron::interval(&parsed, SystemTime::now().into()).is_none() {
            return Err(invalid(cron, "There is no such day"));
        }
        let sql = format!(
            "INSERT INTO {} AS known (server, entity, reconcile, role, schedule, jobid) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (server, entity, reconcile, role) DO UPDATE SET \
               schedule = EXCLUDED.schedule, jobid = EXCLUDED.jobid, scheduled_at = now()",
            extension.table("schedules")
        );
        let args = [
            self.server.into(),
            self.entity.into(),
            self.reconcile.into(),
            current_user()?.into(),
            cron.into(),
            job.into(),
        ];
        extension.write(&sql, &args)?;
        Ok(job.unwrap_or(0))
    }

    /// Ends it. `false` if the current user has not scheduled it.
    pub fn unset(&self) -> Result<bool, Failure> {
        require_writable()?;
        let extension = Extension::find()?;
        let user = current_user()?;
        let args =
            [self.server.into(), self.entity.into(), self.reconcile.into(), user.as_str().into()];
        let known = format!(
            "SELECT 1 FROM {} \
             WHERE server = $1 AND entity = $2 AND reconcile = $3 AND role = $4",
            extension.table("schedules")
        );
        let known = !extension.read(&known, &args, |row| row.get::<i32>(1))?.is_empty();
        if !known {
            return Ok(false);
        }
        if query::is_true("SELECT to_regclass('cron.job') IS NOT NULL", &[])? {
            // Somebody may have unscheduled it by pg_cron's own function.
            Spi::run_with_args(
                "SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = $1 AND username = $2",
                &[self.job_name().into(), user.as_str().into()],
            )?;
        }
        let sql = format!(
            "DELETE FROM {} \
             WHERE server = $1 AND entity = $2 AND reconcile = $3 AND role = $4",
            extension.table("schedules")
        );
        extension.write(&sql, &args)?;
        Ok(true)
    }

    fn job_name(&self) -> String {
        let kind = if self.reconcile { " reconcile" } else { "" };
        format!("odoo_etl {} {}{kind}", self.server, self.entity)
    }

    /// One statement: pg_cron would run several of them in one transaction.
    fn command(&self, extension: &Extension) -> String {
        let kind = if self.reconcile { "reconcile => true, " } else { "" };
        format!(
            "CALL {}.odoo_sync_job({}, {}, {kind}scheduled => true)",
            ident(&extension.schema),
            literal(self.entity),
            literal(self.server),
        )
    }

    fn require_pg_cron(
        &self,
        extension: &Extension,
        cron: &str,
        command: &str,
    ) -> Result<(), Failure> {
        // A setting that not everybody may see.
        let sql = "SELECT current_setting('cron.database_name', true)";
        let home = extension.read(sql, &[], |row| row.get::<String>(1))?.pop().flatten();
        let here = ask::<String>("SELECT current_database()::text", &[])?.unwrap_or_default();
        let installed =
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_cron')";
        let missing = |detail: String, hint: String| {
            let message = "pg_cron is needed to schedule, and is not there";
            Err(Failure::new(State::ERRCODE_FEATURE_NOT_SUPPORTED, message)
                .detail(detail)
                .hint(hint))
        };
        match home {
            None => missing(
                "The server was started without it.".into(),
                "Install the package (postgresql-15-cron), add shared_preload_libraries = 'pg_cron' to postgresql.conf, and restart.".into(),
            ),
            Some(home) if home != here => missing(
                format!("It lives in the database \"{home}\" of this cluster, and this is \"{here}\"."),
                format!(
                    "There, run: SELECT cron.schedule_in_database({}, {}, {}, {});",
                    // Names are pg_cron's for all databases.
                    literal(&format!("{} in {here}", self.job_name())),
                    literal(cron),
                    literal(command),
                    literal(&here),
                ),
            ),
            Some(_) if !query::is_true(installed, &[])? => missing(
                "The server has loaded it, but this database lacks the extension.".into(),
                "CREATE EXTENSION pg_cron;".into(),
            ),
            Some(_) => Ok(()),
        }
    }
}

fn invalid(cron: &str, reason: &str) -> Failure {
    let message = format!("invalid cron expression \"{cron}\"");
    Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, message)
        .detail(format!("{reason}."))
        .hint("Minute, hour, day of month, month, day of week, in UTC: '*/10 * * * *'.")
}

/// Until when entities wait that failed, by name.
pub fn waiting(extension: &Extension, server: &str) -> Result<HashMap<String, String>, Failure> {
    let sql = format!(
        "SELECT entity, max(next_start)::timestamptz(0)::text FROM {} \
         WHERE server = $1 GROUP BY entity HAVING max(next_start) > clock_timestamp()",
        extension.table("state")
    );
    let waiting = extension.read(&sql, &[server.into()], |row| {
        Ok((row.get(1)?.unwrap_or_default(), row.get(2)?.unwrap_or_default()))
    })?;
    Ok(waiting.into_iter().collect())
}

/// The time between two runs of an entity's job that the current user has scheduled.
pub fn interval(
    extension: &Extension,
    server: &str,
    entity: &str,
) -> Result<Option<Duration>, Failure> {
    let sql = format!(
        "SELECT schedule FROM {} \
         WHERE server = $1 AND entity = $2 AND NOT reconcile AND role = $3",
        extension.table("schedules")
    );
    let args = [server.into(), entity.into(), current_user()?.into()];
    let found = extension.read(&sql, &args, |row| row.get::<String>(1))?;
    let cron = found.into_iter().flatten().next().and_then(|text| cron::parse(&text).ok());
    Ok(cron.and_then(|cron| cron::interval(&cron, SystemTime::now().into())))
}

/// How long Odoo refuses logins after several wrong ones, be they somebody else's.
const COOL_DOWN: Duration = Duration::from_secs(60);

/// What keeps the current user's scheduled jobs from a server.
#[derive(Debug, Default)]
pub struct Hold {
    /// A login was refused, and has not succeeded since.
    pub is_refused: bool,
    /// Until when they wait before they try once more.
    pub until: Option<String>,
}

/// Holds scheduled jobs back after a refused login: at first for longer than Odoo's cool-down, and
/// if the next try is refused too, until [`resume`] or a good login. Returns whether until then.
pub fn hold_back(extension: &Extension, server: &str, reason: &Failure) -> Result<bool, Failure> {
    // Words that tell of a cool-down say that it ends.
    let is_last = reason.cause != Cause::CoolDown && find_hold(extension, server)?.is_refused;
    let user = current_user()?;
    let args = [server.into(), user.as_str().into(), reason.message.as_str().into()];
    let sql = format!(
        "INSERT INTO {} AS known (server, role, reason) VALUES ($1, $2, $3) \
         ON CONFLICT (server, role) DO UPDATE SET reason = EXCLUDED.reason, since = now()",
        extension.table("stops")
    );
    extension.write(&sql, &args)?;
    if extension.is_current {
        let sql = format!(
            "UPDATE {} SET until = CASE WHEN NOT $3 THEN clock_timestamp() \
               + make_interval(secs => $4 * (1.1 + 0.4 * random())) END WHERE server = $1 AND role = $2",
            extension.table("stops")
        );
        let wait = COOL_DOWN.as_secs_f64();
        extension.write(&sql, &[server.into(), user.into(), is_last.into(), wait.into()])?;
    }
    Ok(is_last || !extension.is_current)
}

/// What holds scheduled jobs back for a while; an error if that is for good.
pub fn find_hold(extension: &Extension, server: &str) -> Result<Hold, Failure> {
    let until = if extension.is_current { "until" } else { "NULL::timestamptz" };
    let sql = format!(
        "SELECT reason, since::timestamptz(0)::text, {until} IS NULL, \
           CASE WHEN {until} > clock_timestamp() THEN {until}::timestamptz(0)::text END \
         FROM {} WHERE server = $1 AND role = $2",
        extension.table("stops")
    );
    let args = [server.into(), current_user()?.into()];
    let holds = extension.read(&sql, &args, |row| {
        let text = |index| row.get::<String>(index);
        Ok((text(1)?.unwrap_or_default(), text(2)?.unwrap_or_default(), row.get(3)?, text(4)?))
    })?;
    let Some((reason, since, is_stopped, until)) = holds.into_iter().next() else {
        return Ok(Hold::default());
    };
    if is_stopped != Some(true) {
        return Ok(Hold { is_refused: true, until });
    }
    Err(Failure::new(
        State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("scheduled jobs of server \"{server}\" are stopped since {since}"),
    )
    .detail(format!("{reason}."))
    .hint(format!(
        "Mend the user mapping, then SELECT odoo_resume({}); any other statement that logs in does the same.",
        literal(server)
    )))
}

/// A login of a role has succeeded: jobs that its user mapping's refused logins held back may go
/// on. Nobody waits for that in a transaction that may not write.
pub fn login_succeeded(server: &str, role: pg_sys::Oid) -> Result<(), Failure> {
    // A foreign scan has the path of whoever reads.
    pg::with_plain_settings(|| lift_stops(server, role))
}

fn lift_stops(server: &str, role: pg_sys::Oid) -> Result<(), Failure> {
    let is_read_only = "SELECT current_setting('transaction_read_only')::boolean";
    if pg::is_in_parallel() || query::is_true(is_read_only, &[])? {
        return Ok(());
    }
    let extension = Extension::find()?;
    let sql = format!(
        "DELETE FROM {} AS stops USING pg_catalog.pg_roles AS held, LATERAL ( \
           SELECT bool_or(umuser = held.oid) AS own, bool_or(umuser = $2) AS same \
           FROM pg_catalog.pg_user_mappings WHERE srvname = $1 AND umuser IN (held.oid, $2)) AS mapping \
         WHERE stops.server = $1 AND held.rolname = stops.role \
           AND (held.oid = $2 OR mapping.own IS NOT TRUE AND mapping.same IS NOT TRUE)",
        extension.table("stops")
    );
    let is_held =
        format!("SELECT EXISTS (SELECT FROM {} WHERE server = $1)", extension.table("stops"));
    match extension.read(&is_held, &[server.into()], |row| row.get::<bool>(1))?[..] {
        [Some(true)] => extension.write(&sql, &[server.into(), role.into()]),
        _ => Ok(()),
    }
}

/// Lets scheduled jobs of a server run again, those of the roles that the current user is a
/// member of, and ends the waiting after failures. Returns whether any was stopped or waiting.
pub fn resume(server: &Server) -> Result<bool, Failure> {
    require_writable()?;
    let extension = Extension::find()?;
    let user = current_user()?;
    let sql = format!(
        "WITH resumed AS (DELETE FROM {stops} s USING pg_catalog.pg_roles r \
           WHERE s.server = $1 AND r.rolname = s.role AND pg_catalog.pg_has_role($2, r.oid, 'MEMBER') \
           RETURNING 1), \
         started AS (UPDATE {state} SET next_start = NULL \
           WHERE server = $1 AND next_start IS NOT NULL RETURNING 1) \
         SELECT EXISTS (SELECT FROM resumed) OR EXISTS (SELECT FROM started)",
        state = extension.table("state"),
        stops = extension.table("stops"),
    );
    extension.change(&sql, &[server.name.as_str().into(), user.into()])
}

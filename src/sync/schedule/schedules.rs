//! Jobs that pg_cron starts: what is scheduled, what waits after a failure, what is stopped.

use std::time::{Duration, SystemTime};

use pgrx::PgSqlErrorCode as State;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::failure::{Cause, Failure};
use crate::pg;
use crate::query::{self, ask, require_writable};
use crate::quote::{ident, literal};
use crate::server::Server;
use crate::state::{JobKey, Stop, Store};
use crate::sync::schedule::cron;

/// A job of the current user's.
pub struct Schedule<'a> {
    pub of: JobKey<'a>,
    /// It stays until the next one, and looks for changes so often.
    pub follow: Option<Duration>,
}

/// What a job that follows leaves to the one after it: pg_cron starts that when it has ended.
const GAP: Duration = Duration::from_secs(1);

impl Schedule<'_> {
    /// Has pg_cron run it from now on, in the place of an earlier schedule. Where the expression leaves
    /// the minute open, it is one in which few other jobs start. Returns pg_cron's number of the job.
    pub fn set(&self, cron: &str) -> Result<i64, Failure> {
        require_writable()?;
        let parsed = cron::parse(cron).map_err(|reason| invalid(cron, &reason))?;
        let store = Store::find()?;
        let interval = cron::interval(&parsed, SystemTime::now().into());
        let until = interval.unwrap_or_default().saturating_sub(GAP);
        let check = || match interval {
            None => Err(invalid(cron, "There is no such day")),
            Some(_) if self.follow.is_some_and(|every| every > until) => Err(too_seldom()),
            Some(_) => Ok(()),
        };
        let command = self.command(&store, until);
        self.require_pg_cron(&store, cron, &command)
            .or_else(|missing| check().and(Err(missing)))?;
        let chosen = self.choose(&store, cron)?;
        let args = [self.job_name().into(), chosen.as_str().into(), command.into()];
        let job = Spi::get_one_with_args::<i64>("SELECT cron.schedule($1, $2, $3)", &args)?;
        // What pg_cron finds wrong, it says itself.
        check()?;
        let job = job.unwrap_or(0);
        store.note_schedule(self.of, cron, &chosen, self.follow, job)?;
        Ok(job)
    }

    /// Ends it. `false` if the current user has not scheduled it.
    pub fn unset(&self) -> Result<bool, Failure> {
        require_writable()?;
        let store = Store::find()?;
        if store.schedule(self.of)?.is_none() {
            return Ok(false);
        }
        if query::is_true("SELECT to_regclass('cron.job') IS NOT NULL", &[])? {
            // Somebody may have unscheduled it by pg_cron's own function.
            Spi::run_with_args(
                "SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = $1 AND username = current_user",
                &[self.job_name().into()],
            )?;
        }
        store.forget_schedule(self.of)?;
        Ok(true)
    }

    /// What pg_cron gets for an expression.
    fn choose(&self, store: &Store, cron: &str) -> Result<String, Failure> {
        let choices = cron::choices(cron);
        if choices.len() == 1 {
            return Ok(cron.to_owned());
        }
        let (own, others) = store.crons(self.of)?;
        Ok(cron::spread(choices, own.as_deref(), &others).unwrap_or_else(|| cron.to_owned()))
    }

    fn job_name(&self) -> String {
        let JobKey { server, entity, reconcile } = self.of;
        let kind = if reconcile { " reconcile" } else { "" };
        format!("odoo_etl {server} {entity}{kind}")
    }

    /// One statement: pg_cron would run several of them in one transaction. A job that follows stays
    /// for `until`.
    fn command(&self, store: &Store, until: Duration) -> String {
        let JobKey { server, entity, reconcile } = self.of;
        if let Some(every) = self.follow {
            return format!(
                "CALL {}.odoo_follow({}, every => '{} seconds', until => '{} seconds', server => {})",
                ident(&store.schema),
                literal(entity),
                every.as_secs_f64(),
                until.as_secs(),
                literal(server),
            );
        }
        let kind = if reconcile { "reconcile => true, " } else { "" };
        format!(
            "CALL {}.odoo_sync_job({}, {}, {kind}scheduled => true)",
            ident(&store.schema),
            literal(entity),
            literal(server),
        )
    }

    fn require_pg_cron(&self, store: &Store, cron: &str, command: &str) -> Result<(), Failure> {
        let home = store.parameter("cron.database_name")?;
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
                format!(
                    "Install the package (postgresql-{}-cron), add shared_preload_libraries = 'pg_cron' \
                     to postgresql.conf, and restart.",
                    pg::release(),
                ),
            ),
            Some(home) if home != here => missing(
                format!(
                    "It lives in the database \"{home}\" of this cluster, and this is \"{here}\"."
                ),
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

fn too_seldom() -> Failure {
    let message = "follow must be shorter than the time between two jobs";
    Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, message)
        .detail("A job that follows stays until a second before the next one.")
        .hint("SELECT odoo_schedule('sales', '* * * * *', follow => '5 seconds');")
}

fn invalid(cron: &str, reason: &str) -> Failure {
    let message = format!("invalid cron expression \"{cron}\"");
    Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, message)
        .detail(format!("{reason}."))
        .hint("Minute, hour, day of month, month, day of week, in UTC: '*/10 * * * *'.")
}

/// The least time between two runs of an entity's job that the current user has scheduled.
pub fn interval(store: &Store, server: &str, entity: &str) -> Result<Option<Duration>, Failure> {
    let found = store.schedule(JobKey { server, entity, reconcile: false })?;
    let cron = found.and_then(|text| cron::parse(&text).ok());
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
pub fn hold_back(store: &Store, server: &str, reason: &Failure) -> Result<bool, Failure> {
    // Words that tell of a cool-down say that it ends.
    let is_last = reason.cause != Cause::CoolDown && find_hold(store, server)?.is_refused;
    let wait = if is_last { None } else { Some(COOL_DOWN) };
    store.stop(server, &reason.message, wait)
}

/// Why Odoo refuses a login, if it tells in more words than before.
pub fn why_refused(server: &str) -> Option<Failure> {
    let ask = || Server::named_or_only(Some(server))?.session()?.call(|odoo| odoo.refusal());
    let failure = pg::subtransaction(ask).err()?;
    Some(failure).filter(|failure| failure.cause == Cause::CoolDown)
}

/// What holds scheduled jobs back for a while; an error if that is for good.
pub fn find_hold(store: &Store, server: &str) -> Result<Hold, Failure> {
    let (reason, since) = match store.find_stop(server)? {
        None => return Ok(Hold::default()),
        Some(Stop { is_final: false, until, .. }) => return Ok(Hold { is_refused: true, until }),
        Some(Stop { reason, since, .. }) => (reason, since),
    };
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
    if pg::is_in_parallel() || pg::is_read_only() {
        return Ok(());
    }
    Store::find()?.lift_stops(server, role)
}

/// Lets scheduled jobs of a server run again, those of the roles that the current user is a
/// member of, and ends the waiting after failures. Returns whether any was stopped or waiting.
pub fn resume(server: &Server) -> Result<bool, Failure> {
    require_writable()?;
    Store::find()?.resume(&server.name)
}

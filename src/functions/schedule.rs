//! odoo_schedule, odoo_unschedule and odoo_resume.

use std::time::Duration;

use pgrx::datum::Interval;
use pgrx::prelude::*;

use super::arguments::{duration, required};
use crate::failure::{Failure, OrRaise};
use crate::query::require_writable;
use crate::server::Server;
use crate::sync::{self, JobKey, Schedule, entities_named, warehouse_of};

/// Has pg_cron load an entity, or `all`, by `odoo_sync_job`, as the current user and in UTC; with
/// `reconcile` it is compared with Odoo instead. Scheduling it again changes the job. Returns
/// pg_cron's number of it.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
fn odoo_schedule(
    entity: Option<&str>,
    cron: Option<&str>,
    server: default!(Option<&str>, "NULL"),
    reconcile: default!(bool, "false"),
) -> i64 {
    schedule(entity, cron, server, reconcile, None).or_raise()
}

/// The same for a job that follows: each stays until the next one, and looks for changes so often.
#[pg_extern(name = "odoo_schedule")]
#[search_path(pg_catalog, pg_temp)]
fn odoo_schedule_following(
    entity: Option<&str>,
    cron: Option<&str>,
    follow: Option<Interval>,
    server: default!(Option<&str>, "NULL"),
) -> i64 {
    let follow = duration("follow", follow).or_raise();
    schedule(entity, cron, server, false, Some(follow)).or_raise()
}

fn schedule(
    entity: Option<&str>,
    cron: Option<&str>,
    server: Option<&str>,
    reconcile: bool,
    follow: Option<Duration>,
) -> Result<i64, Failure> {
    let entity = required("entity", entity)?;
    let cron = required("cron", cron)?;
    let server = Server::named_or_only(server)?;
    require_writable()?;
    entities_named(&warehouse_of(&server.name)?, entity)?;
    let of = JobKey { server: &server.name, entity, reconcile };
    Schedule { of, follow }.set(cron)
}

/// Ends a schedule of the current user. `false` if there is none.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
fn odoo_unschedule(
    entity: Option<&str>,
    server: default!(Option<&str>, "NULL"),
    reconcile: default!(bool, "false"),
) -> bool {
    let unschedule = || {
        let entity = required("entity", entity)?;
        // The server may be gone.
        let server = match server {
            Some(name) => name.to_owned(),
            None => Server::named_or_only(None)?.name,
        };
        let of = JobKey { server: &server, entity, reconcile };
        Schedule { of, follow: None }.unset()
    };
    unschedule().or_raise()
}

/// Lets scheduled jobs run again that a refused login has stopped, or that wait after failures.
/// Returns whether any was.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
fn odoo_resume(server: default!(Option<&str>, "NULL")) -> bool {
    Server::named_or_only(server).and_then(|server| sync::resume(&server)).or_raise()
}

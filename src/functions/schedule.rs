//! odoo_schedule, odoo_unschedule and odoo_resume.

use pgrx::prelude::*;

use super::arguments::required;
use crate::failure::OrRaise;
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
    let schedule = || {
        let entity = required("entity", entity)?;
        let cron = required("cron", cron)?;
        let server = Server::named_or_only(server)?;
        crate::query::require_writable()?;
        entities_named(&warehouse_of(&server.name)?, entity)?;
        Schedule(JobKey { server: &server.name, entity, reconcile }).set(cron)
    };
    schedule().or_raise()
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
        Schedule(JobKey { server: &server, entity, reconcile }).unset()
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

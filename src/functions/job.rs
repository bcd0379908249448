//! The parts of the procedure odoo_sync_job, which commits between them.

use std::cell::RefCell;
use std::sync::Once;

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use super::arguments::required;
use crate::failure::{Failure, OrRaise};
use crate::pg;
use crate::server::{Access, Server};
use crate::sync::{Job, JobOptions};

thread_local! {
    /// The backend's job. It outlives the transactions that it commits.
    static JOB: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// A job, and for whom it asks Odoo: nobody else goes on with it.
struct Held {
    job: Job,
    access: Access,
}

extension_sql_file!("../../sql/job.sql", name = "job", requires = ["home"]);

extension_sql_file!(
    "../../sql/plans.sql",
    name = "plans",
    requires = [odoo_sync, odoo_sync_all, odoo_reconcile, odoo_verify]
);

/// Begins a job. Of use to the procedure odoo_sync_job only.
#[pg_extern(sql = false)]
fn odoo_sync_job_begin(
    entity: Option<&str>,
    server: Option<&str>,
    full_refresh: bool,
    reconcile: bool,
    scheduled: bool,
) {
    let begin = || {
        let server = Server::named_or_only(server)?;
        let entity = required("entity", entity)?;
        let access = server.access();
        let job = Job::begin(server, JobOptions { entity, full_refresh, reconcile, scheduled })?;
        Ok(Held { job, access })
    };
    keep(begin().or_raise());
}

/// Loads a page of the job; `false` when there is no more. Of use to the procedure
/// odoo_sync_job only.
#[pg_extern(sql = false)]
fn odoo_sync_job_step() -> bool {
    // An error drops the job, and with it its session.
    let mut held = take().or_raise();
    let more = held.job.step().or_raise();
    keep(held);
    more
}

/// Ends the job; raises an error if an entity failed. Of use to the procedure odoo_sync_job
/// only.
#[pg_extern(sql = false)]
fn odoo_sync_job_end() {
    take().and_then(|held| held.job.end()).or_raise();
}

fn take() -> Result<Held, Failure> {
    let none = |message| {
        Failure::new(State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
            .hint("CALL odoo_sync_job();")
    };
    let held = JOB.take().ok_or_else(|| none("there is no job"))?;
    match held.access.is_current() {
        true => Ok(held),
        false => Err(none("there is no job of the current role")
            .detail("The job in progress was begun by another role, or with another user mapping; it ends here.")),
    }
}

/// Keeps the job for the next step; an abort of a transaction, such as by a cancel between two
/// steps, ends it.
fn keep(held: Held) {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| pg::after_rollbacks(|| JOB.set(None)));
    JOB.set(Some(held));
}

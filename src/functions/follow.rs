//! odoo_wake, and the parts of the procedure odoo_follow, which commits between them.

use std::cell::RefCell;
use std::sync::Once;

use pgrx::PgSqlErrorCode as State;
use pgrx::datum::Interval;
use pgrx::prelude::*;

use super::arguments::{duration, invalid, required};
use crate::failure::{Failure, OrRaise};
use crate::pg;
use crate::server::Server;
use crate::sync::{self, Follow, FollowOptions, Step};

thread_local! {
    /// The backend's job that follows, and the role that began it. It outlives the transactions that
    /// it commits.
    static FOLLOW: RefCell<Option<(Follow, pg_sys::Oid)>> = const { RefCell::new(None) };
}

extension_sql_file!("../../sql/follow.sql", name = "follow", requires = ["home"]);

/// Has a job that follows an entity look for changes at once, when this transaction commits. Returns
/// whether there is such a job.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
fn odoo_wake(entity: Option<&str>, server: default!(Option<&str>, "NULL")) -> bool {
    let wake = || {
        let entity = required("entity", entity)?;
        sync::wake(&Server::named_or_only(server)?, entity)
    };
    wake().or_raise()
}

/// Begins a job that follows. Of use to the procedure odoo_follow only.
#[pg_extern(sql = false)]
fn odoo_follow_begin(
    entity: Option<&str>,
    every: Option<Interval>,
    until: Option<Interval>,
    server: Option<&str>,
) {
    let begin = || {
        let entity = required("entity", entity)?;
        let every = duration("every", every)?;
        let until = duration("until", until)?;
        if every > until {
            return Err(invalid("every must not be longer than until".into())
                .hint("CALL odoo_follow('sales', every => '5 seconds', until => '55 seconds');"));
        }
        let server = Server::named_or_only(server)?;
        Follow::begin(&server, FollowOptions { entity, every, until })
    };
    keep(begin().or_raise(), pg::current_user());
}

/// Goes on with the job. Returns for how many seconds there is nothing to do; NULL at its end. Of use
/// to the procedure odoo_follow only.
#[pg_extern(sql = false)]
fn odoo_follow_step() -> Option<f64> {
    // An error drops the job, and with it its locks.
    let (mut follow, role) = take().or_raise();
    let step = follow.step().or_raise();
    keep(follow, role);
    match step {
        Step::Go => Some(0.0),
        Step::Rest(time) => Some(time.as_secs_f64()),
        Step::Over => None,
    }
}

/// Ends the job; raises the error of its last poll. Of use to the procedure odoo_follow only.
#[pg_extern(sql = false)]
fn odoo_follow_end() {
    take().and_then(|(follow, _)| follow.end()).or_raise();
}

fn take() -> Result<(Follow, pg_sys::Oid), Failure> {
    let none = |message| {
        Failure::new(State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
            .hint("CALL odoo_follow('sales');")
    };
    let (follow, role) = FOLLOW.take().ok_or_else(|| none("there is no job that follows"))?;
    match role == pg::current_user() {
        true => Ok((follow, role)),
        false => Err(none("there is no job that follows of the current role")
            .detail("The one in progress was begun by another role; it ends here.")),
    }
}

/// Keeps the job for the next step; an abort of a transaction, such as by a cancel between two
/// steps, ends it.
fn keep(follow: Follow, role: pg_sys::Oid) {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| pg::after_rollbacks(|| FOLLOW.set(None)));
    FOLLOW.set(Some((follow, role)));
}

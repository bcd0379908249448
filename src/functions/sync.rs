//! odoo_sync and odoo_sync_all.

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use crate::failure::{Failure, OrRaise};
use crate::server::Server;
use crate::sync::{Kind, Run, TableReport, Verdict};
use crate::warehouse::{self, ENTITIES, Entity};

extension_sql_file!("../../sql/state.sql", name = "state");
extension_sql_file!("../../sql/views.sql", name = "views", requires = ["state"]);

/// entity, target, fetched, inserted, updated, unchanged, deleted, missing, quarantined, status,
/// error, seconds.
type Row = (String, String, i64, i64, i64, i64, i64, i64, i64, String, Option<String>, f64);

/// Loads one entity and the records that it refers to, in one transaction.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity)]
fn odoo_sync(
    entity: Option<&str>,
    server: default!(Option<&str>, "NULL"),
    full_refresh: default!(bool, "false"),
) -> TableIterator<
    'static,
    (
        name!(entity, String),
        name!(target, String),
        name!(fetched, i64),
        name!(inserted, i64),
        name!(updated, i64),
        name!(unchanged, i64),
        name!(deleted, i64),
        name!(missing, i64),
        name!(quarantined, i64),
        name!(status, String),
        name!(error, Option<String>),
        name!(seconds, f64),
    ),
> {
    let report = || {
        let entity = named(entity)?;
        with_run(server, &[entity], Kind::Sync, full_refresh, |run| run.sync(entity))
    };
    rows(report().or_raise())
}

/// Loads every entity. One that fails is undone alone and says so in its rows.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity)]
fn odoo_sync_all(
    server: default!(Option<&str>, "NULL"),
    full_refresh: default!(bool, "false"),
) -> TableIterator<
    'static,
    (
        name!(entity, String),
        name!(target, String),
        name!(fetched, i64),
        name!(inserted, i64),
        name!(updated, i64),
        name!(unchanged, i64),
        name!(deleted, i64),
        name!(missing, i64),
        name!(quarantined, i64),
        name!(status, String),
        name!(error, Option<String>),
        name!(seconds, f64),
    ),
> {
    let report = || {
        let all: Vec<_> = ENTITIES.iter().collect();
        with_run(server, &all, Kind::Sync, full_refresh, |run| {
            all.iter().for_each(|entity| run.try_sync(entity));
            Ok(())
        })
    };
    rows(report().or_raise())
}

/// Brings one entity in step with Odoo by a scan of every record's id and write_date: fetches
/// what is missing or stale, deletes what is gone.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity)]
fn odoo_reconcile(
    entity: Option<&str>,
    server: default!(Option<&str>, "NULL"),
) -> TableIterator<
    'static,
    (
        name!(entity, String),
        name!(target, String),
        name!(fetched, i64),
        name!(inserted, i64),
        name!(updated, i64),
        name!(unchanged, i64),
        name!(deleted, i64),
        name!(missing, i64),
        name!(quarantined, i64),
        name!(status, String),
        name!(error, Option<String>),
        name!(seconds, f64),
    ),
> {
    let report = || {
        let entity = named(entity)?;
        with_run(server, &[entity], Kind::Reconcile, false, |run| run.reconcile(entity))
    };
    rows(report().or_raise())
}

/// Tells how one entity differs from Odoo. Nothing is written to its tables.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity)]
fn odoo_verify(
    entity: Option<&str>,
    server: default!(Option<&str>, "NULL"),
) -> TableIterator<
    'static,
    (
        name!(entity, String),
        name!(target, String),
        name!(channel, Option<String>),
        name!(in_odoo, i64),
        name!(in_warehouse, i64),
        name!(missing, i64),
        name!(stale, i64),
        name!(deleted, i64),
    ),
> {
    let verify = || {
        let entity = named(entity)?;
        let server = Server::named_or_only(server)?;
        Run::begin(server, None, Kind::Reconcile, false)?.verify(entity)
    };
    let verdicts: Vec<Verdict> = verify().or_raise();
    TableIterator::new(verdicts.into_iter().map(|Verdict { dataset, feed, found }| {
        (
            warehouse::entity_of(dataset).name.to_owned(),
            dataset.table.to_owned(),
            dataset.feeds[feed].channel.map(str::to_owned),
            found.present.len() as i64,
            found.rows,
            found.missing.len() as i64,
            found.stale.len() as i64,
            found.deleted,
        )
    }))
}

/// What stands for every entity.
pub const ALL: &str = "all";

/// The entity that a user names.
pub fn named(entity: Option<&str>) -> Result<&'static Entity, Failure> {
    let name = entity.ok_or_else(|| Failure::null_argument("entity"))?;
    warehouse::entity(name).ok_or_else(|| unknown_entity(name))
}

fn with_run(
    server: Option<&str>,
    entities: &[&'static Entity],
    kind: Kind,
    full_refresh: bool,
    body: impl FnOnce(&mut Run) -> Result<(), Failure>,
) -> Result<Vec<TableReport>, Failure> {
    let alone = match entities {
        [entity] => Some(*entity),
        _ => None,
    };
    let mut run = Run::begin(Server::named_or_only(server)?, alone, kind, full_refresh)?;
    run.plan_ahead(entities.iter().copied());
    body(&mut run)?;
    run.finish(entities)
}

/// A row per table, as the functions return it.
fn rows(reports: Vec<TableReport>) -> TableIterator<'static, Row> {
    TableIterator::new(reports.into_iter().map(|report| {
        (
            report.entity.to_owned(),
            report.target.to_owned(),
            report.fetched,
            report.inserted,
            report.updated,
            report.unchanged(),
            report.deleted,
            report.missing,
            report.quarantined,
            report.status.name().to_owned(),
            report.error,
            (report.seconds * 1000.0).round() / 1000.0,
        )
    }))
}

fn unknown_entity(name: &str) -> Failure {
    let names: Vec<_> = ENTITIES.iter().map(|entity| entity.name).collect();
    Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, format!("unknown entity \"{name}\"")).hint(
        format!("Entities: {}. All of them: SELECT * FROM odoo_sync_all();", names.join(", ")),
    )
}

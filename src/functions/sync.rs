//! odoo_sync and odoo_sync_all.

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use crate::failure::{Failure, OrRaise};
use crate::server::Server;
use crate::sync::{Run, TableReport};
use crate::warehouse::{self, ENTITIES, Entity};

extension_sql_file!("../../sql/state.sql", name = "state");

/// entity, target, fetched, inserted, updated, unchanged, missing, status, error, seconds.
type Row = (String, String, i64, i64, i64, i64, i64, String, Option<String>, f64);

/// Loads one entity and the records that it refers to, in one transaction.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity)]
fn odoo_sync(
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
        name!(missing, i64),
        name!(status, String),
        name!(error, Option<String>),
        name!(seconds, f64),
    ),
> {
    let report = || {
        let name = entity.ok_or_else(|| Failure::null_argument("entity"))?;
        let entity = warehouse::entity(name).ok_or_else(|| unknown_entity(name))?;
        with_run(server, Some(entity), |run| run.sync(entity))
    };
    rows(report().or_raise())
}

/// Loads every entity. One that fails is undone alone and says so in its rows.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity)]
fn odoo_sync_all(
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
        name!(missing, i64),
        name!(status, String),
        name!(error, Option<String>),
        name!(seconds, f64),
    ),
> {
    let report = || {
        with_run(server, None, |run| {
            ENTITIES.iter().for_each(|entity| run.try_sync(entity));
            Ok(())
        })
    };
    rows(report().or_raise())
}

fn with_run(
    server: Option<&str>,
    entity: Option<&Entity>,
    body: impl FnOnce(&mut Run<'_>) -> Result<(), Failure>,
) -> Result<Vec<TableReport>, Failure> {
    let server = Server::named_or_only(server)?;
    let session = server.session()?;
    let mut run = Run::begin(&server, &session, entity)?;
    body(&mut run)?;
    run.finish()
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
            report.missing,
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

//! odoo_sync and odoo_sync_all.

use pgrx::prelude::*;

use super::arguments::required;
use crate::failure::{Failure, OrRaise};
use crate::server::Server;
use crate::sync::{Kind, Order, Run, TableReport, Verdict, entities_named, warehouse_of};
use crate::warehouse;
use crate::warehouse::ALL;

extension_sql_file!("../../sql/state.sql", name = "state", requires = ["home"]);
extension_sql_file!("../../sql/state_0_2_0.sql", name = "state_0_2_0", requires = ["home"]);
extension_sql_file!("../../sql/views.sql", name = "views", requires = ["state", "state_0_2_0"]);
extension_sql_file!("../../sql/grants.sql", name = "grants", requires = ["views"]);

/// Functions that return the reports of a run, a row per table.
macro_rules! reports {
    ($($(#[$about:meta])* fn $name:ident($($arguments:tt)*) $body:block)*) => {$(
        $(#[$about])*
        #[pg_extern]
        #[search_path(pg_catalog, pg_temp)]
        #[allow(clippy::type_complexity)]
        fn $name($($arguments)*) -> TableIterator<
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
            let report = || $body;
            let reports: Vec<TableReport> = report().or_raise();
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
    )*};
}

reports! {
    /// Loads one entity and the records that it refers to, in one transaction.
    fn odoo_sync(
        entity: Option<&str>,
        server: default!(Option<&str>, "NULL"),
        full_refresh: default!(bool, "false"),
    ) {
        let entity = required("entity", entity)?;
        with_run(server, Some(entity), Kind::Sync, full_refresh)
    }

    /// Loads every entity. One that fails is undone alone and says so in its rows.
    fn odoo_sync_all(
        server: default!(Option<&str>, "NULL"),
        full_refresh: default!(bool, "false"),
    ) {
        with_run(server, None, Kind::Sync, full_refresh)
    }

    /// Brings one entity, or `all`, in step with Odoo by a scan of every record's id and write_date:
    /// fetches what is missing or stale, deletes what is gone. Of `all` one that fails is undone alone
    /// and says so in its rows.
    fn odoo_reconcile(entity: Option<&str>, server: default!(Option<&str>, "NULL")) {
        let entity = required("entity", entity)?;
        let one = Some(entity).filter(|entity| *entity != ALL);
        with_run(server, one, Kind::Reconcile, false)
    }
}

/// Tells how one entity, or `all`, differs from Odoo. Nothing is written to its tables.
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
        let entity = required("entity", entity)?;
        crate::query::require_writable()?;
        let server = Server::named_or_only(server)?;
        let known = warehouse_of(&server.name)?;
        entities_named(&known, entity)?;
        let mut run = Run::begin(
            server,
            Order {
                entity: None,
                kind: Kind::Reconcile,
                full_refresh: false,
                is_job: false,
                adds_to: None,
            },
        )?;
        let mut verdicts = Vec::new();
        for entity in entities_named(run.warehouse(), entity)? {
            verdicts.extend(run.verify(entity)?);
        }
        Ok(verdicts)
    };
    let verdicts: Vec<Verdict> = verify().or_raise();
    TableIterator::new(verdicts.into_iter().map(|Verdict { dataset, feed, found }| {
        (
            warehouse::entity_of(dataset).to_owned(),
            dataset.table.to_owned(),
            dataset.feeds[feed].channel.map(str::to_owned),
            found.present,
            found.rows,
            found.missing,
            found.stale,
            found.deleted,
        )
    }))
}

/// Loads one entity, whose error is the statement's, or all of them.
fn with_run(
    server: Option<&str>,
    entity: Option<&str>,
    kind: Kind,
    full_refresh: bool,
) -> Result<Vec<TableReport>, Failure> {
    let order = Order { entity, kind, full_refresh, is_job: false, adds_to: None };
    let mut run = Run::begin(Server::named_or_only(server)?, order)?;
    let entities = entities_named(run.warehouse(), entity.unwrap_or(ALL))?;
    run.plan_ahead(entities.iter().copied());
    let work = match kind {
        Kind::Reconcile => Run::reconcile_entity,
        _ => Run::load_entity,
    };
    if entity.is_some() {
        entities.iter().try_for_each(|entity| run.attempt(entity, work))?;
        entities.iter().try_for_each(|entity| run.end_first_loads(entity))?;
    } else {
        entities.iter().for_each(|entity| run.try_attempt(entity, work));
        entities.iter().for_each(|entity| run.try_end_first_loads(entity));
    }
    run.finish(&entities)
}

//! odoo_check: the doctor.

use std::rc::Rc;
use std::time::Instant;

use pgrx::{pg_sys, prelude::*};

use crate::failure::{Failure, OrRaise};
use crate::fdw;
use crate::odoo::{Domain, ForPages, Identity, Protocol, Version};
use crate::pg::fdw::locked_foreign_table;
use crate::query;
use crate::server::{Server, Session};
use crate::state::Store;
use crate::sync::{self, Catalogue, Finding, Lacks, Level, Mapping, Trials, warehouse_of};
use crate::warehouse::{Additions, Dataset, Warehouse};

/// The first release that has JSON-2.
const JSON2: u32 = 19;

/// The releases that this extension was made for.
const RELEASES: std::ops::RangeInclusive<u32> = 14..=20;

/// Examines a server: whether it is reached, who logs in, and what the user may read of what
/// the warehouse needs. A check that fails is a row, not an error.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity)]
fn odoo_check(
    server: default!(Option<&str>, "NULL"),
) -> TableIterator<
    'static,
    (
        name!(item, String),
        name!(status, String),
        name!(detail, String),
        name!(hint, Option<String>),
        name!(page, Option<String>),
    ),
> {
    let examine = || {
        let server = Server::named_or_only(server)?;
        let session = Rc::new(server.session()?);
        Ok(examine(&server, &session))
    };
    let findings: Vec<Finding> = examine().or_raise();
    TableIterator::new(findings.into_iter().map(|finding| {
        (finding.item, finding.level.name().to_owned(), finding.detail, finding.hint, finding.page)
    }))
}

fn examine(server: &Server, session: &Rc<Session>) -> Vec<Finding> {
    let mut findings = vec![sync::database().explained("the-database-cannot-be-written")];
    let begin = Instant::now();
    let major = match session.call(|odoo| odoo.version()) {
        Err(failure) => {
            findings.push(Finding::failed("connection", failure).explained("the-connection-fails"));
            return findings;
        }
        Ok(version) => {
            let milliseconds = begin.elapsed().as_millis();
            let tls = if server.options.url.starts_with("https:") { "TLS" } else { "no TLS" };
            let detail = format!("{}, {tls}, {milliseconds} ms", server.options.url);
            findings.push(Finding::new("connection", Level::Ok, detail, None));
            findings.push(release(&version).explained("the-release-is-unknown"));
            version.major
        }
    };
    match session.call(|odoo| odoo.identity_now()) {
        Err(failure) => {
            findings.push(Finding::failed("login", failure).explained("the-login-is-refused"));
            return findings;
        }
        Ok(Identity { uid, companies }) => {
            let companies: Vec<_> = companies.iter().map(i64::to_string).collect();
            let detail = format!(
                "database {}, user id {uid}, companies {}",
                server.options.database,
                companies.join(", ")
            );
            findings.push(Finding::new("login", Level::Ok, detail, None));
            findings.push(protocol(server, session, major));
        }
    }
    let known =
        warehouse_of(&server.name).unwrap_or_else(|_| Warehouse::with(&Additions::default()));
    let (found, known) = here(server, session, known.clone())
        .unwrap_or_else(|failure| (vec![Finding::failed("schema", failure)], known));
    findings
        .extend(found.into_iter().map(|finding| finding.explained("the-schema-and-its-tables")));
    let mut catalogue = Catalogue::new(session.clone());
    let mut trials = Trials::default();
    for dataset in known.datasets() {
        for feed in 0..dataset.feeds.len() {
            findings.push(
                table(dataset, feed, server, session, &mut catalogue, &mut trials)
                    .unwrap_or_else(|failure| Finding::failed(dataset.table, failure))
                    .explained("what-odoo-gives"),
            );
        }
    }
    let foreign = foreign_tables(server, session).into_iter();
    findings.extend(foreign.map(|finding| finding.explained("a-foreign-table-no-longer-matches")));
    findings
}

/// The schema and its tables, and what the server fills them with.
fn here(
    server: &Server,
    session: &Session,
    known: Warehouse,
) -> Result<(Vec<Finding>, Warehouse), Failure> {
    let store = Store::find()?;
    let (schema, is_bare) = sync::schema(&store, server, session, &known)?;
    let known = if is_bare { Warehouse::with(&Additions::default()) } else { known };
    let mut findings = vec![schema];
    findings.extend(sync::inspect_tables(&store, server, &known)?);
    Ok((findings, known))
}

/// The server's foreign tables that the user may read.
fn foreign_tables(server: &Server, session: &Session) -> Vec<Finding> {
    let sql = "SELECT array_agg(ftrelid ORDER BY ftrelid::regclass::text) FROM pg_foreign_table \
               WHERE ftserver = $1 AND has_any_column_privilege(ftrelid, 'SELECT')";
    let examine = |oid| match locked_foreign_table(oid) {
        None => Ok(None),
        Some(table) => fdw::health(table, session).map(Some),
    };
    match query::ask::<Vec<pg_sys::Oid>>(sql, &[server.oid.into()]) {
        Err(failure) => vec![Finding::failed("foreign tables", failure)],
        Ok(tables) => tables
            .unwrap_or_default()
            .into_iter()
            .filter_map(|oid| match examine(oid) {
                Ok(health) => health.map(|health| {
                    let level = if health.is_well { Level::Ok } else { Level::Warning };
                    Finding::new(&health.table, level, health.detail, health.hint)
                }),
                Err(failure) => Some(Finding::failed("foreign tables", failure)),
            })
            .collect(),
    }
}

/// The protocol in use, and what a faster one would need.
fn protocol(server: &Server, session: &Session, major: u32) -> Finding {
    let protocol = session.protocol();
    let for_pages = session.call(|odoo| odoo.for_pages()).unwrap_or(ForPages::Same);
    let detail = match for_pages {
        ForPages::Web => format!("{protocol}, of long reads {}", Protocol::Web),
        _ => protocol.to_string(),
    };
    let is_key = session.secret_is_key();
    let hint = match (protocol, for_pages) {
        (Protocol::Json2, _) => None,
        _ if major >= JSON2 && is_key && server.options.protocol.is_some() => Some(AUTO_BY_KEY),
        _ if major >= JSON2 && !is_key => Some(BY_KEY),
        (_, ForPages::Administrator) => Some(ADMINISTRATOR),
        (Protocol::Web, _) | (_, ForPages::Web) => None,
        _ if is_key => Some(BY_PASSWORD),
        _ if server.options.protocol.is_some() => Some(AUTO),
        _ => None,
    };
    Finding::new("protocol", Level::Ok, detail, hint.map(str::to_owned))
}

/// Odoo hashes a password for every login (`_check_credentials`, half a second).
const BY_KEY: &str =
    "With an API key (option api_key) it is JSON-2, for which Odoo hashes no password.";
const AUTO_BY_KEY: &str = "With the server option protocol set to auto it is JSON-2.";
const ADMINISTRATOR: &str = "Long reads would take Odoo a third less time by the protocol web, but an administrator's login by that sets Odoo's web.base.url: take a user without the group Settings, or set web.base.url.freeze in Odoo.";
const BY_PASSWORD: &str = "With a password (option password) long reads take Odoo a third less time, by the protocol web; JSON-2 comes with Odoo 19.";
const AUTO: &str =
    "With the server option protocol set to auto long reads may take Odoo a third less time.";

fn release(version: &Version) -> Finding {
    match RELEASES.contains(&version.major) {
        true => Finding::new("version", Level::Ok, format!("Odoo {version}"), None),
        false => Finding::new(
            "version",
            Level::Warning,
            format!("Odoo {version}"),
            Some("odoo_etl is made for Odoo 14 to 20.".into()),
        ),
    }
}

/// Whether the model of a table's feed is there, readable, and has the fields that the table
/// wants.
fn table(
    dataset: &'static Dataset,
    feed: usize,
    server: &Server,
    session: &Session,
    catalogue: &mut Catalogue,
    trials: &mut Trials,
) -> Result<Finding, Failure> {
    let Some(mapping) = Mapping::make(dataset, feed, catalogue)? else {
        let models = dataset.feeds[feed].models.join(" or ");
        return Ok(Finding::new(
            dataset.table,
            Level::Warning,
            format!("Odoo has no model {models}"),
            Some("Install the Odoo module that brings it, or leave the table empty.".into()),
        ));
    };
    let (model, domain) = (mapping.model.clone(), mapping.domain());
    let count = session.call(move |odoo| odoo.model(&model).count(domain))?;
    let Lacks { unreadable, unsearchable } = trials.of(session, catalogue, &mapping)?;
    let absent = mapping.absent().into_iter().map(str::to_owned).collect();
    let (mut detail, mut hints) = (format!("{}: {count} records", mapping.model), Vec::new());
    for (what, names, hint) in [
        ("no field for", absent, NO_FIELD),
        ("cannot read", unreadable, CANNOT_READ),
        ("cannot search by", unsearchable, CANNOT_SEARCH),
    ] {
        if !names.is_empty() {
            detail += &format!("; {what} {}", names.join(", "));
            hints.push(hint.to_owned());
        }
    }
    let level = if hints.is_empty() { Level::Ok } else { Level::Warning };
    if let Some((seconds, hint)) = slow_poll(server, session, &mapping, count)? {
        detail += &format!("; its changes take {seconds:.1} s to find");
        hints.push(hint);
    }
    let hint = (!hints.is_empty()).then(|| hints.join(" "));
    Ok(Finding::new(dataset.table, level, detail, hint))
}

/// How long Odoo takes to find the few changes of a large model, if that is long, and what its
/// database may lack.
fn slow_poll(
    server: &Server,
    session: &Session,
    mapping: &Mapping,
    count: i64,
) -> Result<Option<(f64, String)>, Failure> {
    if count < LARGE || mapping.is_read_whole() {
        return Ok(None);
    }
    let took = sync::poll_time(&Store::find()?.cache(&server.name)?, &mapping.model)?;
    let Some(seconds) = took.filter(|seconds| *seconds >= SLOW) else {
        return Ok(None);
    };
    let (model, begin) = (mapping.model.clone(), Instant::now());
    session.call(move |odoo| odoo.model(&model).search(Domain::none(), Some("id"), 0, Some(1)))?;
    let any_search = begin.elapsed().as_secs_f64();
    let table = mapping.model.replace('.', "_");
    let hint = format!(
        "Odoo's database may lack an index: CREATE INDEX CONCURRENTLY ON {table} (write_date);"
    );
    Ok(Some((seconds, hint)).filter(|_| seconds - any_search >= SLOW))
}

/// Of models with so many records an index on write_date pays.
const LARGE: i64 = 500_000;

/// In seconds, beyond what any search takes: with an index Odoo finds few changes in a few
/// milliseconds.
const SLOW: f64 = 0.1;

const NO_FIELD: &str = "Such columns stay NULL: the module that brings the field is not installed, \
                        this release has none, or the Odoo user may not read it.";
const CANNOT_READ: &str = "What Odoo describes and cannot read is left out: give the Odoo user a group \
                           that may read it, or look into Odoo's log.";
const CANNOT_SEARCH: &str = "Changes that such records alone tell are found by a full refresh: give the \
                             Odoo user a group that may read them.";

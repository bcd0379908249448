//! What a run would meet here, told without one: odoo_check's share of the database.

use pgrx::PgSqlErrorCode;

use crate::failure::Failure;
use crate::query::{self, current_user, require_writable};
use crate::quote::ident;
use crate::server::{Server, Session};
use crate::state::Store;
use crate::sync::load::own::{calendar, history};
use crate::sync::load::{key, owner};
use crate::sync::tables::columns::existing;
use crate::sync::tables::moved;
use crate::sync::tables::origin::Survey;
use crate::sync::tables::partition::check::{Trouble, trouble};
use crate::sync::tables::ready;
use crate::sync::tables::trigger;
use crate::warehouse::dates::DIM_DATE;
use crate::warehouse::ddl::{EDITED_TRIGGER, qualified};
use crate::warehouse::history::table_of;
use crate::warehouse::own::OWN_TABLES;
use crate::warehouse::{Kind, Warehouse};

/// One examined thing: its name, how it is, the facts, what to do about it, and where more is said.
pub struct Finding {
    pub item: String,
    pub level: Level,
    pub detail: String,
    pub hint: Option<String>,
    pub page: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Ok,
    Warning,
    Error,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

impl Finding {
    pub fn new(item: &str, level: Level, detail: String, hint: Option<String>) -> Finding {
        Finding { item: item.to_owned(), level, detail, hint, page: None }
    }

    pub fn of(item: &str, level: Level, failure: Failure) -> Finding {
        let detail = match failure.detail {
            Some(detail) => format!("{}. {detail}", failure.message),
            None => failure.message,
        };
        Finding::new(item, level, detail, failure.hint)
    }

    pub fn failed(item: &str, failure: Failure) -> Finding {
        Finding::of(item, Level::Error, failure)
    }

    /// With the section of docs/troubleshooting.md that tells more, unless all is well.
    pub fn explained(self, section: &str) -> Finding {
        let page = (self.level != Level::Ok).then(|| format!("docs/troubleshooting.md#{section}"));
        Finding { page, ..self }
    }
}

/// Whether this database can be written; a session is had in an encoding that holds Odoo's texts alone.
pub fn database() -> Finding {
    const ITEM: &str = "database";
    match require_writable() {
        Ok(()) => Finding::new(ITEM, Level::Ok, "UTF8".into(), None),
        Err(failure) => Finding::of(ITEM, Level::Warning, failure),
    }
}

/// Whether the server's schema may be filled from where the server leads to, and whether what was
/// declared for the server still counts.
pub fn schema(
    store: &Store,
    server: &Server,
    session: &Session,
    warehouse: &Warehouse,
) -> Result<(Finding, bool), Failure> {
    const ITEM: &str = "schema";
    let survey = match Survey::make(store, server, session) {
        Ok(survey) => survey,
        Err(failure) => return Ok((Finding::failed(ITEM, failure), false)),
    };
    let is_bare = survey.is_bare(server);
    if let Some(failure) = forbidden(&server.options.schema, warehouse)? {
        return Ok((Finding::failed(ITEM, failure), is_bare));
    }
    let filled = if survey.is_first() { "not yet filled" } else { "filled from there" };
    let detail = format!("{}, {filled}", server.options.schema);
    Ok((Finding::new(ITEM, Level::Ok, detail, None), is_bare))
}

/// What the current user may not do in a schema, and must.
fn forbidden(schema: &str, warehouse: &Warehouse) -> Result<Option<Failure>, Failure> {
    let state = PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE;
    let role = ident(&current_user()?);
    let failure = |what: String, grant: String| {
        Some(Failure::new(state, format!("permission denied for {what}")).hint(grant))
    };
    let exists = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
    if !query::is_true(exists, &[schema.into()])? {
        let sql = "SELECT has_database_privilege(current_database(), 'CREATE')";
        let database = query::ask::<String>("SELECT current_database()::text", &[])?;
        let database = ident(&database.unwrap_or_default());
        return Ok(match query::is_true(sql, &[])? {
            true => None,
            false => failure(
                format!("database {database}: there is no schema {schema} yet"),
                format!("GRANT CREATE ON DATABASE {database} TO {role};"),
            ),
        });
    }
    let found = existing(schema)?;
    let is_whole = warehouse.datasets().all(|dataset| found.contains_key(dataset.table));
    for (privilege, is_needed) in [("USAGE", true), ("CREATE", !is_whole)] {
        let sql = "SELECT has_schema_privilege($1, $2)";
        if is_needed && !query::is_true(sql, &[schema.into(), privilege.into()])? {
            return Ok(failure(
                format!("schema {schema}"),
                format!("GRANT {privilege} ON SCHEMA {} TO {role};", ident(schema)),
            ));
        }
    }
    Ok(None)
}

/// The tables with which a run would have trouble, or whose edits it would not see.
pub fn tables(
    store: &Store,
    server: &Server,
    warehouse: &Warehouse,
) -> Result<Vec<Finding>, Failure> {
    let schema = server.options.schema.as_str();
    let mut findings: Vec<_> = moved::moved(store, server)?
        .into_iter()
        .map(|(table, failure)| Finding::failed(&table, failure))
        .collect();
    let found = existing(schema)?;
    let declared = warehouse.datasets().map(|dataset| (dataset.table, dataset.kind));
    let has_days = !found.contains_key(DIM_DATE) || calendar::is_ours(schema)?;
    let own = OWN_TABLES.iter().map(|own| (own.name, own.kind));
    let own = own.filter(|(table, _)| has_days || *table != DIM_DATE);
    for (table, kind) in declared.chain(own) {
        findings.extend(lacking(schema, table, kind)?.map(|f| Finding::failed(table, f)));
    }
    for dataset in warehouse.datasets() {
        let Some(columns) = found.get(dataset.table) else {
            continue;
        };
        let is_reported = findings.iter().any(|finding| finding.item == dataset.table);
        let is_loadable = match is_reported {
            true => Ok(()),
            false => owner::require_loadable(schema, dataset),
        };
        let is_other = ready::refuse_others(server, dataset, columns);
        let columns = ready::check_columns(schema, dataset, &found);
        let key = key::of(schema, dataset).map(drop);
        let failures = [is_loadable, is_other, columns, key].into_iter().filter_map(Result::err);
        findings.extend(failures.map(|failure| Finding::failed(dataset.table, failure)));
    }
    for dataset in store.histories(&server.name)?.iter().filter_map(|kept| warehouse.dataset(kept))
    {
        let is_there = found.contains_key(dataset.table);
        let failed = history::require(schema, dataset).err().filter(|_| is_there);
        findings.extend(failed.map(|failure| Finding::failed(&table_of(dataset.table), failure)));
    }
    let datasets: Vec<_> = warehouse.datasets().collect();
    let mut unseen = |table: &str, detail: &str, hint: String| {
        findings.push(Finding::new(table, Level::Warning, detail.to_owned(), Some(hint)));
    };
    if !has_days {
        let table = qualified(schema, DIM_DATE);
        let hint =
            format!("ALTER TABLE {table} RENAME TO …; and the next run makes one of its own.");
        unseen(DIM_DATE, "the table is not one that a run made, and is left alone", hint);
    }
    let without = store.known_to_lack(&server.name, schema, EDITED_TRIGGER)?;
    for table in trigger::missing(schema, &datasets)? {
        let hint = match without.contains(&table) {
            true => trigger::UNSEEN.to_owned(),
            false => format!("The next run makes it, and reads all of {table} again."),
        };
        unseen(&table, "rows may be edited unseen: the trigger odoo_row_edited is missing", hint);
    }
    for table in trigger::disabled(schema, &datasets)? {
        let table_name = qualified(schema, &table);
        let hint = format!("ALTER TABLE {table_name} ENABLE TRIGGER {EDITED_TRIGGER};");
        unseen(&table, "rows may be edited unseen: the trigger odoo_row_edited is disabled", hint);
    }
    for dataset in datasets.iter().filter(|dataset| found.contains_key(dataset.table)) {
        if let Some(Trouble { detail, hint }) = trouble(schema, dataset)? {
            unseen(dataset.table, &detail, hint);
        }
    }
    Ok(findings)
}

/// The privileges on a table that the current user lacks.
fn lacking(schema: &str, table: &str, kind: Kind) -> Result<Option<Failure>, Failure> {
    let needed = match kind {
        Kind::Dimension => "{SELECT,INSERT,UPDATE}",
        Kind::Fact => "{SELECT,INSERT,UPDATE,DELETE}",
    };
    let sql = "SELECT string_agg(privilege, ', ') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, \
               unnest($3::text[]) AS privilege \
               WHERE n.nspname = $1 AND c.relname = $2 AND NOT has_table_privilege(c.oid, privilege)";
    let lacking = query::ask::<String>(sql, &[schema.into(), table.into(), needed.into()])?;
    let role = ident(&current_user()?);
    Ok(lacking.map(|lacking| {
        let table = qualified(schema, table);
        let message = format!("permission denied for table {table}: {lacking}");
        Failure::new(PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE, message)
            .hint(format!("GRANT {lacking} ON {table} TO {role};"))
    }))
}

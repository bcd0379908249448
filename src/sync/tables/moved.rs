//! Tables of a server that are not where they were filled. One that was moved is told apart from
//! one that was dropped.

use std::collections::{BTreeMap, HashSet};

use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;
use crate::quote::{ident, literal};
use crate::server::{DEFAULT_SCHEMA, Server};
use crate::state::{Moved, Property, Store};
use crate::sync::load::own::calendar;
use crate::warehouse::Warehouse;
use crate::warehouse::dates::DIM_DATE;
use crate::warehouse::ddl::{self, EDITED_TRIGGER, qualified};
use crate::warehouse::own::{is_own, own_tables};

/// What to do about the tables that were moved, by the name under which each was filled.
pub fn moved(store: &Store, server: &Server) -> Result<BTreeMap<String, Failure>, Failure> {
    let found = store.moved(&server.name, &server.options.schema)?.into_iter();
    Ok(found
        .map(|Moved { target, schema, name }| {
            let failure = was_moved(server, &target, &schema, &name);
            (target, failure)
        })
        .collect())
}

fn was_moved(server: &Server, target: &str, schema: &str, name: &str) -> Failure {
    let own = &server.options.schema;
    let now = qualified(schema, name);
    let mut back = Vec::new();
    if schema != own {
        back.push(format!("ALTER TABLE {now} SET SCHEMA {};", ident(own)));
    }
    if name != target {
        let there = qualified(own, name);
        back.push(format!("ALTER TABLE {there} RENAME TO {};", ident(target)));
    }
    let verb = if own == DEFAULT_SCHEMA { "ADD" } else { "SET" };
    let all = match name == target {
        true => format!(
            " If all tables of the server have moved there: ALTER SERVER {} OPTIONS ({verb} schema {});",
            ident(&server.name),
            literal(schema)
        ),
        false => String::new(),
    };
    Failure::new(
        State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("table {} was moved, and is now {now}", qualified(own, target)),
    )
    .detail("What is built on it, such as views and foreign keys, went along; a new table would leave them behind.")
    .hint(format!(
        "Put it back: {}{all} Or let it go, to have a new one made and loaded: {}",
        back.join(" "),
        match is_own(target) {
            true => format!("DROP TABLE {now};"),
            false => format!("DROP TRIGGER {EDITED_TRIGGER} ON {now};"),
        }
    ))
}

/// Remembers where the server's tables are, and what they lack; in a first load they are still to get
/// their foreign keys. One of days may be a user's.
pub fn note(
    store: &Store,
    server: &Server,
    warehouse: &Warehouse,
    first_loads: &HashSet<String>,
) -> Result<(), Failure> {
    let schema = &server.options.schema;
    let has_days = calendar::is_ours(schema)?;
    let own = own_tables().filter(|table| has_days || *table != DIM_DATE);
    let tables = warehouse.datasets().map(|dataset| dataset.table).chain(own);
    let tables = tables.map(str::to_owned).collect();
    let mut declared = Vec::new();
    for dataset in warehouse.datasets() {
        let target = dataset.table;
        declared.push(Property { target, name: EDITED_TRIGGER.to_owned() });
        if !first_loads.contains(target) {
            let keyed = dataset.value_columns().filter(|column| column.refers_to().is_some());
            let key = |column| Property { target, name: ddl::foreign_key_name(dataset, column) };
            declared.extend(keyed.map(key));
        }
    }
    store.note_relations((&server.name, server.oid), schema, tables, declared)
}

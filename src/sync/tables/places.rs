//! Where a server's tables are: by oid, which moves with a table, beside the name under which it is
//! filled. A table that was moved is told apart from one that was dropped, and what was filled by a
//! server that is gone from what is left.

use std::collections::BTreeMap;

use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;
use crate::quote::{ident, literal};
use crate::server::{DEFAULT_SCHEMA, Server};
use crate::state::store::Extension;
use crate::state::turns::is_first;
use crate::warehouse::Warehouse;
use crate::warehouse::ddl::{EDITED_TRIGGER, qualified};
use crate::warehouse::missing::MISSING_DATA;

const TABLE: &str = "odoo_sync_relations";

/// The tables that are remembered of a server, `$1`.
fn known(extension: &Extension) -> String {
    format!(
        "SELECT target, relation, server_oid FROM {}.{TABLE} WHERE server = $1",
        ident(&extension.schema)
    )
}

/// A relation's schema and name.
const NAMED: &str =
    "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";

/// The server's tables that are no longer in its schema `$2` under their names, nor are others there
/// in their place, though they exist. The trigger is the mark of what is still ours: without it a
/// table was let go.
pub fn moved(extension: &Extension, server: &Server) -> Result<BTreeMap<String, Failure>, Failure> {
    if !extension.has(TABLE)? {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT known.target, n.nspname::text, c.relname::text FROM ({}) AS known JOIN ({NAMED}) ON c.oid = known.relation \
         WHERE NOT EXISTS (SELECT FROM {NAMED} WHERE n.nspname = $2 AND c.relname = known.target) \
           AND (known.target = $3 OR EXISTS (SELECT FROM pg_catalog.pg_trigger t \
             WHERE t.tgrelid = c.oid AND t.tgname = $4))",
        known(extension)
    );
    let schema = server.options.schema.as_str();
    let args =
        [server.name.as_str().into(), schema.into(), MISSING_DATA.into(), EDITED_TRIGGER.into()];
    let found = extension.read(&sql, &args, |row| {
        let text =
            |index| Ok::<_, pgrx::spi::SpiError>(row.get::<String>(index)?.unwrap_or_default());
        Ok((text(1)?, text(2)?, text(3)?))
    })?;
    Ok(found
        .into_iter()
        .map(|(target, now_schema, now_name)| {
            let failure = was_moved(server, &target, &now_schema, &now_name);
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
        match target {
            MISSING_DATA => format!("DROP TABLE {now};"),
            _ => format!("DROP TRIGGER {EDITED_TRIGGER} ON {now};"),
        }
    ))
}

/// Remembers where the server's tables are.
pub fn remember(
    extension: &Extension,
    server: &Server,
    warehouse: &Warehouse,
) -> Result<(), Failure> {
    if !extension.has(TABLE)? {
        return Ok(());
    }
    let tables = warehouse.datasets().map(|dataset| dataset.table).chain([MISSING_DATA]);
    let tables: Vec<String> = tables.map(str::to_owned).collect();
    let fresh = format!(
        "SELECT $1, wanted.target, c.oid, $4::oid FROM unnest($3::text[]) AS wanted (target) \
         JOIN ({NAMED}) ON n.nspname = $2 AND c.relname = wanted.target AND c.relkind IN ('r', 'p') \
         EXCEPT SELECT $1, * FROM ({}) AS known",
        known(extension)
    );
    let args = [
        server.name.as_str().into(),
        server.options.schema.as_str().into(),
        tables.into(),
        server.oid.into(),
    ];
    let differs = format!("SELECT EXISTS ({fresh})");
    let differs = extension.read(&differs, &args, |row| row.get::<bool>(1))?;
    // Another session that notes the same may take long to commit it.
    if differs.first() != Some(&Some(true)) || !is_first(&server.name, "places")? {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO {}.{TABLE} AS known (server, target, relation, server_oid) {fresh} \
         ON CONFLICT (server, target) DO UPDATE SET relation = EXCLUDED.relation, server_oid = EXCLUDED.server_oid",
        ident(&extension.schema)
    );
    extension.write(&sql, &args)
}

/// Forgets where they were: the server fills others.
pub fn forget(extension: &Extension, server: &str) -> Result<(), Failure> {
    match extension.has(TABLE)? {
        true => {
            let sql = format!("DELETE FROM {}.{TABLE} WHERE server = $1", ident(&extension.schema));
            extension.write(&sql, &[server.into()])
        }
        false => Ok(()),
    }
}

/// Whether any table is left that a server of that name has filled, in its schema or elsewhere.
pub fn any_left(extension: &Extension, server: &str, schema: &str) -> Result<bool, Failure> {
    let home = ident(&extension.schema);
    let by_oid = match extension.has(TABLE)? {
        true => format!(
            "EXISTS (SELECT FROM ({}) AS known JOIN pg_catalog.pg_class c ON c.oid = known.relation) OR ",
            known(extension)
        ),
        false => String::new(),
    };
    let sql = format!(
        "SELECT {by_oid}EXISTS (SELECT FROM (SELECT target FROM {home}.odoo_sync_state WHERE server = $1 \
           UNION SELECT target FROM {home}.odoo_sync_columns WHERE server = $1) AS known \
           JOIN ({NAMED}) ON n.nspname = $2 AND c.relname = known.target)"
    );
    let left = extension.read(&sql, &[server.into(), schema.into()], |row| row.get::<bool>(1))?;
    Ok(left.first() == Some(&Some(true)))
}

/// Whether the server that filled tables under a name was dropped, be there another one of that name
/// or not.
pub fn is_dropped(extension: &Extension, server: &str) -> Result<bool, Failure> {
    let is_it = match extension.has(TABLE)? {
        true => format!(
            "s.oid IN (SELECT server_oid FROM ({known}) AS known) \
             OR s.srvname = $1 AND NOT EXISTS (SELECT FROM ({known}) AS known)",
            known = known(extension)
        ),
        false => "s.srvname = $1".into(),
    };
    let sql =
        format!("SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_foreign_server s WHERE {is_it})");
    let dropped = extension.read(&sql, &[server.into()], |row| row.get::<bool>(1))?;
    Ok(dropped.first() == Some(&Some(true)))
}

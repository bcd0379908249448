//! A table that becomes the first partition of a new one in its place. No row is read or written: what
//! holds for the partition holds for the table, and keys that lead to it are held against rows later.

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use super::order::Order;
use super::shape::{self, Statement};
use crate::failure::Failure;
use crate::pg::{self, Relation};
use crate::query;
use crate::quote::ident;
use crate::sync::load::owner::Table;
use crate::sync::load::partitions::bounds::{CONSTRAINT, Ids};
use crate::sync::load::partitions::making;
use crate::sync::load::patience::{in_use, patiently};
use crate::sync::load::privileges;
use crate::warehouse::ddl::qualified;

/// What to do once a table is not in use any more.
pub const AGAIN: &str = "Nothing was changed; call odoo_partition again.";

/// Makes sure that nothing depends on a table that could not be its successor's.
pub fn require_free(order: &Order<'_>) -> Result<(), Failure> {
    let table = order.name();
    let state = State::ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST;
    let obstacles = shape::obstacles(&table)?;
    if !obstacles.is_empty() {
        let lines: Vec<_> = obstacles.iter().map(|what| format!("{what} depends on it.")).collect();
        return Err(Failure::new(
            state,
            format!("table {} cannot become a partition", order.table),
        )
        .detail(lines.join("\n"))
        .hint(
            "Drop it, or take the table out of it, and make it again afterwards. A publication may stay with \
             publish_via_partition_root = true, a constraint once it is validated.",
        ));
    }
    let [dropped, _] = shape::referring(&table, &table)?;
    for statement in shape::views(&table)?.iter().chain(&dropped) {
        require_owner(statement, order)?;
    }
    Ok(())
}

/// Makes sure that the caller may run a statement about somebody's object.
fn require_owner(statement: &Statement, order: &Order<'_>) -> Result<(), Failure> {
    let sql = "SELECT pg_has_role($1::oid, 'USAGE')";
    if query::is_true(sql, &[statement.owner.into()])? {
        return Ok(());
    }
    let owner = pg::role_name(statement.owner);
    let state = State::ERRCODE_INSUFFICIENT_PRIVILEGE;
    Err(Failure::new(state, format!("table {} cannot become a partition", order.table))
        .detail(format!("What \"{owner}\" owns has to be made again: {}", statement.sql))
        .hint(format!("Run it as a member of {}, or as a superuser.", ident(&owner))))
}

/// The statements in their order, each with whose rights it needs.
struct Plan(Vec<Statement>);

impl Plan {
    /// Everything is asked while the names are still the table's.
    fn make(
        order: &Order<'_>,
        held: Ids,
        partition: &str,
        owner: pg_sys::Oid,
    ) -> Result<Plan, Failure> {
        let (table, name) = (order.name(), qualified(order.schema(), partition));
        let [drop_referring, make_referring] = shape::referring(&table, &name)?;
        let [drop_triggers, make_triggers] = shape::triggers(&table)?;
        let (keys, references) = (shape::keys(&table)?, shape::references(&table)?);
        let (indexes, properties) = (shape::indexes(&table)?, shape::properties(&table)?);
        let views = shape::views(&table)?;
        let own = |sql: String| Statement { owner, sql };
        let mut plan: Vec<Statement> = Vec::new();
        plan.extend(drop_triggers.into_iter().map(own));
        plan.extend(drop_referring);
        plan.push(own(format!("ALTER TABLE {table} RENAME TO {}", ident(partition))));
        plan.extend(
            shape::index_names(order.schema(), &order.table, partition)?.into_iter().map(own),
        );
        plan.push(own(format!(
            "CREATE TABLE {table} (LIKE {name} INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (id){}",
            tablespace(&table)?
        )));
        plan.push(own(format!("ALTER TABLE {table} DROP CONSTRAINT {CONSTRAINT}")));
        plan.extend(keys.into_iter().chain(references).map(own));
        plan.push(own(format!(
            "ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({}) TO ({})",
            held.from, held.to
        )));
        plan.push(own(format!("ALTER TABLE {name} DROP CONSTRAINT {CONSTRAINT}")));
        plan.extend(make_referring);
        plan.extend(indexes.into_iter().chain(make_triggers).chain(properties).map(own));
        plan.extend(views);
        Ok(Plan(plan))
    }

    fn run(&self) -> Result<(), Failure> {
        self.0
            .iter()
            .try_for_each(|Statement { owner, sql }| pg::as_owner(*owner, || Ok(Spi::run(sql)?)))
    }
}

fn tablespace(table: &str) -> Result<String, Failure> {
    let sql = "SELECT ' TABLESPACE ' || quote_ident(s.spcname) FROM pg_catalog.pg_class c \
               JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace WHERE c.oid = to_regclass($1)";
    Ok(query::ask::<String>(sql, &[table.into()])?.unwrap_or_default())
}

/// Puts a partitioned table in the place of one that is held to some ids, which becomes its first
/// partition. Others wait for that moment, and none of it is done if they are waited for too long.
pub fn swap(order: &Order<'_>, held: Ids) -> Result<(), Failure> {
    require_free(order)?;
    let table = Table::new(order.schema(), &order.table);
    let partition = making::free_name(order.schema(), &order.table, held);
    let done = patiently(|| {
        table.alter(|| {
            Ok(Spi::run(&format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", order.name()))?)
        })?;
        let owner = Relation::find(order.schema(), &order.table)
            .map_or(pg_sys::InvalidOid, |table| table.owner);
        Plan::make(order, held, &partition, owner)?.run()?;
        privileges::copy(order.schema(), &partition, &order.table)
    });
    done.map_err(|failure| in_use(order.schema(), &order.table, AGAIN, failure))
}

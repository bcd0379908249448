//! Which table is to be in partitions, and whether it may.

use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;
use crate::query::require_writable;
use crate::server::Server;
use crate::state::{Store, warehouse_of};
use crate::warehouse::ddl::qualified;
use crate::warehouse::{self, Dataset, Kind, Warehouse, history};

/// A table that is to be in partitions of so many ids.
pub struct Order<'a> {
    pub server: &'a Server,
    pub store: Store,
    /// Whose runs write it.
    pub entity: &'static str,
    /// The table's name.
    pub table: String,
    /// Its declaration, unless it is a history.
    pub dataset: Option<&'static Dataset>,
    pub rows: i64,
}

/// More ids than any of Odoo's tables has.
const MOST: i64 = 1 << 40;

impl<'a> Order<'a> {
    /// # Errors
    /// If a server has no such table, or one that is not partitioned.
    pub fn new(server: &'a Server, table: &str, rows: i64) -> Result<Order<'a>, Failure> {
        require_writable()?;
        if !(1..=MOST).contains(&rows) {
            let message = format!("rows must be from 1 to {MOST}, not {rows}");
            return Err(Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, message)
                .detail("It is how many ids each partition takes.")
                .hint(
                    "A few millions: CALL odoo_partition('fact_sales_lines', rows => 5000000);",
                ));
        }
        let (store, warehouse) = (Store::find()?, warehouse_of(&server.name)?);
        let histories = store.histories(&server.name)?;
        let kept = histories.iter().find(|kept| history::table_of(kept) == table);
        let known = kept.map_or(table, String::as_str);
        let Some(dataset) = warehouse.dataset(known).filter(|_| kept.is_some() || is_cut(table))
        else {
            return Err(unknown(&warehouse, &histories, table));
        };
        Ok(Order {
            server,
            store,
            entity: warehouse::entity_of(dataset),
            table: table.to_owned(),
            dataset: kept.is_none().then_some(dataset),
            rows,
        })
    }

    pub fn schema(&self) -> &str {
        &self.server.options.schema
    }

    /// The table's name with its schema, as SQL text.
    pub fn name(&self) -> String {
        qualified(self.schema(), &self.table)
    }
}

/// Whether a table grows with what happens: facts and mirrors do.
fn is_cut(table: &str) -> bool {
    warehouse::dataset(table).is_none_or(|declared| declared.kind == Kind::Fact)
}

fn unknown(warehouse: &Warehouse, histories: &[String], table: &str) -> Failure {
    let own = warehouse.datasets().map(|dataset| dataset.table.to_owned());
    let histories = histories.iter().map(|kept| history::table_of(kept));
    let names: Vec<_> = own.filter(|own| is_cut(own)).chain(histories).collect();
    let message = match warehouse.dataset(table) {
        Some(_) => format!("table {table} is a dimension, which is not partitioned"),
        None => format!("unknown table \"{table}\""),
    };
    Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, message)
        .detail("Facts, mirrors and histories may be in partitions.")
        .hint(format!("Tables: {}.", names.join(", ")))
}

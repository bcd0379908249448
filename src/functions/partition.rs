//! The step of the procedure odoo_partition, which commits between them, and odoo_retain. What they take
//! and return is said in sql/partition.sql.

use pgrx::datum::Interval;
use pgrx::prelude::*;

use super::arguments::{null_argument, required};
use crate::failure::{Failure, OrRaise};
use crate::query;
use crate::server::Server;
use crate::sync::{self, PartitionOrder, Retention};

extension_sql_file!("../../sql/partition.sql", name = "partition", requires = ["home"]);

/// Does the next step of a table's way into partitions; `false` when there is none.
#[pg_extern(sql = false)]
fn odoo_partition_step(target: Option<&str>, rows: Option<i64>, server: Option<&str>) -> bool {
    let step = || {
        let server = Server::named_or_only(server)?;
        let rows = rows.ok_or_else(|| null_argument("rows"))?;
        sync::partition_step(&PartitionOrder::new(&server, required("target", target)?, rows)?)
    };
    step().or_raise()
}

fn not_positive() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, "keep must be positive")
        .hint("How long rows are kept: SELECT * FROM odoo_retain('sales', '5 years');")
}

type Row = (String, String, i64, i64);

/// Detaches what is older. Returns what was.
#[pg_extern(sql = false)]
fn odoo_retain(
    entity: Option<&str>,
    keep: Option<Interval>,
    server: Option<&str>,
    drop_tables: bool,
) -> TableIterator<
    'static,
    (name!(target, String), name!(partition, String), name!(from_id, i64), name!(to_id, i64)),
> {
    let retain = || -> Result<Vec<Row>, Failure> {
        let server = Server::named_or_only(server)?;
        let keep = keep.ok_or_else(|| null_argument("keep"))?;
        let sql = "SELECT (current_date - $1)::date::text WHERE $1 > interval '0'";
        let day = query::ask::<String>(sql, &[keep.into()])?.ok_or_else(not_positive)?;
        let retention = Retention::new(&server, required("entity", entity)?, &day)?;
        let detached = retention.detach(drop_tables)?;
        let row = |one: sync::Detached| (one.target, one.partition, one.ids.from, one.ids.to);
        Ok(detached.into_iter().map(row).collect())
    };
    TableIterator::new(retain().or_raise())
}

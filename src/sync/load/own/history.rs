//! The versions of a table's rows in its history: the statement that writes rows ends and begins them.
//! References are Odoo's ids there, be the records here or not.

use chrono::{DateTime, Utc};
use pgrx::datum::{DatumWithOid, clock_timestamp};
use pgrx::prelude::*;
use pgrx::{PgBuiltInOids, PgSqlErrorCode as State};

use crate::failure::Failure;
use crate::pg::{self, Relation};
use crate::quote::{ident, literal};
use crate::sync::load::owner::{self, Table};
use crate::sync::load::references::Reference;
use crate::warehouse::ddl::qualified;
use crate::warehouse::history::{self, WRITTEN};
use crate::warehouse::{Column, Dataset, Kind, Source};

/// What is known of rows beside their values.
pub struct Seen {
    /// Odoo's time: that of changes which it does not date.
    pub clock: DateTime<Utc>,
    /// Columns that Odoo gives of no row.
    pub absent: Vec<String>,
    /// Ids and columns of values that it did not give.
    pub unread: Vec<(i64, String)>,
}

impl Seen {
    pub const TYPES: [PgBuiltInOids; 4] = [
        PgBuiltInOids::INT8ARRAYOID,
        PgBuiltInOids::TEXTARRAYOID,
        PgBuiltInOids::TEXTARRAYOID,
        PgBuiltInOids::TEXTOID,
    ];

    /// As the statement takes it.
    pub fn arguments<'a>(&self) -> [DatumWithOid<'a>; 4] {
        let (ids, columns): (Vec<_>, Vec<_>) = self.unread.iter().cloned().unzip();
        let absent = (!self.absent.is_empty()).then(|| self.absent.clone());
        [ids.into(), columns.into(), absent.into(), self.clock.to_rfc3339().into()]
    }
}

/// The versions of rows of a table, as parts of the statement that knows these.
pub struct Versions<'a> {
    pub dataset: &'static Dataset,
    pub schema: &'a str,
    pub references: &'a [Reference],
    /// Where values are that rows are not loaded with: in `last`, the version before, or `fresh`.
    pub carried_from: &'static str,
    /// The time of changes that Odoo does not date, as SQL.
    pub clock: &'a str,
}

impl Versions<'_> {
    /// Ends and begins versions by the rows `told`, which have the table's columns, the ids that
    /// references were to have, and `"not read"`, the columns whose values are not known.
    pub fn parts(&self) -> String {
        let columns: String =
            self.versioned().chain(self.carried()).map(|name| format!(", {name}")).collect();
        let assigned: String =
            self.versioned().map(|name| format!("{name} = seen.{name}, ")).collect();
        format!(
            ", judged AS MATERIALIZED ({judged}), \
             seen AS MATERIALIZED (SELECT judged.*, \
                 CASE WHEN \"is version\" THEN \"not read\" ELSE \"still not read\" END AS unknown_columns, \
                 CASE WHEN \"is held\" AND NOT \"is version\" THEN \"last written\" ELSE \"now written\" END AS {WRITTEN}, \
                 clock_timestamp() AS synced_at \
               FROM judged), \
             ended AS (UPDATE {history} AS last SET valid_to = seen.valid_from, is_current = false, \
                 synced_at = seen.synced_at FROM seen WHERE {same} AND seen.\"is version\" RETURNING last.id), \
             filled AS (UPDATE {history} AS last SET {assigned}{WRITTEN} = seen.{WRITTEN}, \
                 unknown_columns = seen.unknown_columns, synced_at = seen.synced_at FROM seen \
               WHERE {same} AND NOT seen.\"is version\" AND (seen.\"is other\" OR \
                 last.{WRITTEN} IS DISTINCT FROM seen.{WRITTEN} OR \
                 last.unknown_columns IS DISTINCT FROM seen.unknown_columns)), \
             begun AS (INSERT INTO {history} \
                 (id{columns}, {WRITTEN}, unknown_columns, synced_at, valid_from, is_current) \
               SELECT id{columns}, {WRITTEN}, unknown_columns, synced_at, valid_from, true FROM seen \
               WHERE \"is version\" AND (SELECT count(*) FROM ended) IS NOT NULL)",
            judged = self.judged(),
            history = self.history(),
            same = "last.id = seen.id AND last.valid_from = seen.\"last from\" AND last.is_current",
        )
    }

    /// The rows beside the last version of each. A value that is not known is as it was before. The
    /// version before keeps its write_date until all values are known that were, so that it dates
    /// what they turn out to be.
    fn judged(&self) -> String {
        let columns: String = self
            .versioned()
            .map(|name| format!(", now.{name}"))
            .chain(history::carried(self.dataset).map(|column| self.carried_value(column)))
            .collect();
        format!(
            "SELECT fresh.id{columns}, now.{WRITTEN} AS \"now written\", last.{WRITTEN} AS \"last written\", \
               last.valid_from AS \"last from\", {differs} AS \"is other\", {is_version} AS \"is version\", \
               gap.*, {valid_from} AS valid_from \
             FROM told AS fresh \
             LEFT JOIN LATERAL (SELECT known.* FROM {history} AS known WHERE known.id = fresh.id \
               ORDER BY known.valid_from DESC LIMIT 1) AS last ON true \
             CROSS JOIN LATERAL (SELECT {now}) AS now \
             CROSS JOIN LATERAL (SELECT \
               nullif(array_remove(fresh.\"not read\", '{WRITTEN}'), '{{}}') AS \"not read\", \
               nullif(ARRAY(SELECT part.name FROM unnest(fresh.\"not read\") AS part (name) \
                 WHERE part.name = ANY (last.unknown_columns)), '{{}}') AS \"still not read\", \
               (fresh.\"not read\" <@ coalesce(last.unknown_columns, '{{}}')) IS FALSE AS \"is held\") AS gap",
            history = self.history(),
            now = self.now(),
            differs = self.differs(),
            is_version = self.is_version(),
            valid_from = self.valid_from(),
        )
    }

    fn history(&self) -> String {
        qualified(self.schema, &history::table_of(self.dataset.table))
    }

    fn versioned(&self) -> impl Iterator<Item = String> + use<> {
        history::versioned(self.dataset).map(|column| ident(column.name))
    }

    fn carried(&self) -> impl Iterator<Item = String> + use<> {
        history::carried(self.dataset).map(|column| ident(column.name))
    }

    /// Whether a row has other values than the last version, or has values that this lacks.
    fn differs(&self) -> String {
        let list = |alias: &str| {
            self.versioned().map(|name| format!("{alias}.{name}")).collect::<Vec<_>>().join(", ")
        };
        match self.versioned().next() {
            Some(_) => format!("({}) IS DISTINCT FROM ({})", list("last"), list("now")),
            None => "false".into(),
        }
    }

    /// Whether a row is another version than the last one: what that did not know makes none.
    fn is_version(&self) -> String {
        let was_known = history::versioned(self.dataset).map(|column| {
            let (name, text) = (ident(column.name), literal(column.name));
            format!(
                "last.{name} IS DISTINCT FROM now.{name} AND {text} <> ALL (last.unknown_columns)"
            )
        });
        let any: String = was_known.map(|part| format!(" OR {part}")).collect();
        format!(
            "(last.is_current IS NOT TRUE OR {} AND (last.unknown_columns IS NULL{any}))",
            self.differs()
        )
    }

    /// A new write_date, if it is later than all of the version before; else the clock's time.
    fn valid_from(&self) -> String {
        let clock = self.clock;
        format!(
            "CASE WHEN last.id IS NULL THEN coalesce(now.{WRITTEN}, {clock}) \
               WHEN now.{WRITTEN} > greatest(last.{WRITTEN}, last.valid_from) \
                 AND now.{WRITTEN} >= coalesce(last.valid_to, now.{WRITTEN}) THEN now.{WRITTEN} \
               ELSE greatest({clock}, last.valid_from + interval '1 microsecond', last.valid_to) END"
        )
    }

    /// The values of rows, as they are or were when they were last known.
    fn now(&self) -> String {
        let current = |name: &str, value: String| {
            let column = ident(name);
            format!(
                "CASE WHEN {} = ANY (fresh.\"not read\") THEN last.{column} ELSE {value} END AS {column}",
                literal(name)
            )
        };
        let values = history::versioned(self.dataset)
            .map(|column| current(column.name, self.value(column)))
            .chain([current(WRITTEN, format!("fresh.{WRITTEN}"))]);
        values.collect::<Vec<_>>().join(", ")
    }

    fn value(&self, column: &Column) -> String {
        match self.references.iter().find(|reference| reference.column == column.name) {
            Some(reference) => format!("fresh.{}", reference.wanted()),
            None => format!("fresh.{}", ident(column.name)),
        }
    }

    fn carried_value(&self, column: &Column) -> String {
        let from = match column.source {
            Source::Inherited { .. } => "fresh",
            _ => self.carried_from,
        };
        format!(", {from}.{}", ident(column.name))
    }

    /// The statement that begins the versions of the rows that are there. Its parameters are what
    /// rows lack of references, rows, columns and ids; and the columns that Odoo gave of no row, or
    /// of some.
    pub fn seed(&self, of_feed: &str) -> String {
        let table = qualified(self.schema, self.dataset.table);
        let columns = self.dataset.value_columns();
        let columns = columns.filter(|column| !matches!(column.source, Source::Generated(_)));
        let columns: String =
            columns.map(|column| format!(", row.{}", ident(column.name))).collect();
        let wanted: String = self
            .references
            .iter()
            .map(|reference| {
                let column = ident(reference.column);
                format!(
                    ", coalesce(row.{column}, {}.id) AS {}",
                    lack(reference),
                    reference.wanted()
                )
            })
            .collect();
        let joins: String = self
            .references
            .iter()
            .map(|reference| {
                let (lack, name) = (lack(reference), literal(reference.column));
                format!(
                    " LEFT JOIN missing AS {lack} ON {lack}.row_id = row.id AND {lack}.name = {name}"
                )
            })
            .collect();
        let not_read: Vec<_> = history::versioned(self.dataset)
            .map(|column| {
                let (value, name) = (self.value(column), literal(column.name));
                format!("CASE WHEN {value} IS NULL AND {name} = ANY ($4) THEN {name} END")
            })
            .collect();
        format!(
            "WITH missing AS MATERIALIZED (SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS missing (row_id, name, id)), \
             fresh AS MATERIALIZED (SELECT row.id{columns}{wanted} FROM {table} AS row{joins} WHERE {of_feed}), \
             told AS (SELECT fresh.*, array_remove(ARRAY[{}]::text[], NULL) AS \"not read\" FROM fresh){} \
             SELECT count(*) FROM seen",
            not_read.join(", "),
            self.parts(),
        )
    }
}

/// What a reference lacks, as the statement of [`Versions::seed`] joins it.
fn lack(reference: &Reference) -> String {
    ident(&format!("missing {}", reference.column))
}

/// Ends the versions of rows that are `gone`, as a part of the statement that says so, whose second
/// parameter is the time at which it writes.
pub fn end(schema: &str, dataset: &Dataset, clock: &str) -> String {
    let deleted = match dataset.kind {
        Kind::Dimension => ", deleted_at = now()",
        Kind::Fact => "",
    };
    format!(
        ", ended AS (UPDATE {} AS last SET {}{deleted} FROM gone \
         WHERE last.id = gone.id AND last.is_current)",
        qualified(schema, &history::table_of(dataset.table)),
        ends(clock, 2),
    )
}

/// Ends versions at a time, written at the one that a parameter brings.
fn ends(clock: &str, written: usize) -> String {
    format!(
        "valid_to = greatest({clock}, last.valid_from + interval '1 microsecond'), is_current = false, \
         synced_at = ${written}"
    )
}

/// Ends the versions of rows that are not there.
pub fn end_absent(schema: &str, dataset: &Dataset, of_feed: &str) -> Result<(), Failure> {
    let sql = format!(
        "UPDATE {} AS last SET {} WHERE last.is_current \
         AND NOT EXISTS (SELECT FROM {} AS row WHERE row.id = last.id AND {of_feed})",
        qualified(schema, &history::table_of(dataset.table)),
        ends("now()", 1),
        qualified(schema, dataset.table),
    );
    let args = [clock_timestamp().into()];
    Table::new(schema, dataset.table).run(owner::LOAD, || Ok(Spi::run_with_args(&sql, &args)?))
}

/// Brings current versions up to date with what changes in rows without making another version.
pub fn follow(schema: &str, dataset: &Dataset) -> Result<(), Failure> {
    let columns: Vec<_> = history::followed(dataset).map(|column| ident(column.name)).collect();
    if columns.is_empty() {
        return Ok(());
    }
    let list =
        |text: &dyn Fn(&String) -> String| columns.iter().map(text).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "UPDATE {} AS last SET {}, synced_at = $1 FROM {} AS row \
         WHERE row.id = last.id AND last.is_current AND ({}) IS DISTINCT FROM ({})",
        qualified(schema, &history::table_of(dataset.table)),
        list(&|name| format!("{name} = row.{name}")),
        qualified(schema, dataset.table),
        list(&|name| format!("last.{name}")),
        list(&|name| format!("row.{name}")),
    );
    let args = [clock_timestamp().into()];
    Table::new(schema, dataset.table).run(owner::LOAD, || Ok(Spi::run_with_args(&sql, &args)?))
}

/// Makes sure that a table's history can be written by the statement that writes the table.
pub fn require(schema: &str, dataset: &Dataset) -> Result<(), Failure> {
    let name = history::table_of(dataset.table);
    let (table, history) = (qualified(schema, dataset.table), qualified(schema, &name));
    let forget = format!("SELECT odoo_forget_history({});", literal(dataset.table));
    let Some(kept) = Relation::find(schema, &name) else {
        return Err(Failure::new(
            State::ERRCODE_UNDEFINED_TABLE,
            format!("table {history} does not exist, in which the history of {table} is kept"),
        )
        .hint(format!("The next run makes it again. To keep none: {forget}")));
    };
    let owners = Relation::find(schema, dataset.table).map(|own| (own.owner, kept.owner));
    match owners {
        Some((own, other)) if own != other => {
            let (own, other) = (pg::role_name(own), pg::role_name(other));
            Err(Failure::new(
                State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("table {history} belongs to \"{other}\", and {table} to \"{own}\""),
            )
            .detail(
                "A table and its history are written by one statement, with one owner's rights.",
            )
            .hint(format!("ALTER TABLE {history} OWNER TO {}; or {forget}", ident(&own))))
        }
        _ => Ok(()),
    }
}

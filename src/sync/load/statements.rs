//! The statements that load a feed of a table. Pure text; nothing is run here.

use pgrx::PgBuiltInOids;

use crate::quote::{ident, literal};
use crate::sync::load::own::history::Versions;
use crate::sync::load::references::Reference;
use crate::warehouse::ddl::qualified;
use crate::warehouse::missing::{self, MISSING_DATA};
use crate::warehouse::{self, Column, Dataset, Feed, Source, SqlType};

/// The type in which a column's cells are handed over.
pub fn carrier(sql_type: SqlType) -> PgBuiltInOids {
    match sql_type {
        SqlType::Bigint => PgBuiltInOids::INT8ARRAYOID,
        SqlType::Boolean => PgBuiltInOids::BOOLARRAYOID,
        _ => PgBuiltInOids::TEXTARRAYOID,
    }
}

/// The joined row that a reference points to.
fn parent_alias(reference: &str) -> String {
    ident(&format!("parent {reference}"))
}

/// The number of the parameter that brings a loaded column; the first one brings the ids.
fn parameter(column: usize) -> usize {
    column + 2
}

/// What the statements are written for.
///
/// What a page is compared with is looked up by the page's ids, and joined then: engines that keep a
/// table on several machines take no statement that asks it once for each row of another.
pub struct Target<'a> {
    pub dataset: &'static Dataset,
    pub feed: usize,
    pub schema: &'a str,
    pub references: &'a [Reference],
    /// The columns of the unique key by which rows are known: the declared ones, and maybe more.
    pub key: &'a [String],
    /// Whether tables are kept on several machines.
    pub is_distributed: bool,
}

impl Target<'_> {
    fn feed(&self) -> &'static Feed {
        &self.dataset.feeds[self.feed]
    }

    pub fn carriers(&self) -> impl Iterator<Item = PgBuiltInOids> + use<> {
        self.dataset.loaded_columns().map(|column| carrier(column.sql_type))
    }

    /// The parameters as rows of the table's types, with corrected values. Side by side in a select
    /// list arrays are unnested as they are read; in FROM each would be stored first.
    pub fn input(&self) -> String {
        let loaded: Vec<_> = self.dataset.loaded_columns().collect();
        let list = |format: &dyn Fn(usize, &Column) -> String| {
            let parts = loaded.iter().enumerate().map(|(index, column)| format(index, column));
            parts.map(|part| format!(", {part}")).collect::<String>()
        };
        // The expressions of corrected columns see each other's values as they came.
        let typed = list(&|_, column| {
            let name = ident(column.name);
            format!("given.{name}::{} AS {name}", column.sql_type.name())
        });
        let channel = self.feed().channel;
        let channel = channel.map(|name| format!(", {}::text AS channel", literal(name)));
        format!(
            "SELECT id{channel_name}{values} FROM (SELECT given.id{channel}{typed} \
             FROM (SELECT unnest($1) AS id{arrays}) AS given OFFSET 0) AS typed",
            channel_name = channel.as_ref().map_or("", |_| ", channel"),
            values = list(&|_, column| match column.source {
                Source::Corrected { expression, .. } => {
                    format!("({expression}) AS {}", ident(column.name))
                }
                _ => ident(column.name),
            }),
            channel = channel.unwrap_or_default(),
            arrays = list(&|index, column| {
                format!("unnest(${}) AS {}", parameter(index), ident(column.name))
            }),
        )
    }

    /// The columns to write, and where each comes from: `input`, unless `other` says something
    /// else.
    fn values(&self, other: impl Fn(&Column) -> Option<String>) -> Vec<(String, String)> {
        let value = |column: &Column| match column.source {
            Source::Inherited { reference, column, .. } => {
                format!("{}.{}", parent_alias(reference), ident(column))
            }
            _ => other(column).unwrap_or_else(|| format!("input.{}", ident(column.name))),
        };
        let columns = self.dataset.value_columns().filter(|column| column.is_written());
        columns.map(|column| (ident(column.name), value(column))).collect()
    }

    /// The rows behind references of a page, each looked up once, with what is inherited from them:
    /// those of all references, or only those that something is inherited from.
    fn joins(&self, of_all: bool) -> String {
        let mut through: Vec<(&str, Vec<&str>)> = Vec::new();
        if of_all {
            through.extend(self.references.iter().map(|reference| (reference.column, Vec::new())));
        }
        for column in self.dataset.columns {
            if let Source::Inherited { reference, column, .. } = column.source {
                match through.iter_mut().find(|(known, _)| *known == reference) {
                    Some((_, columns)) => columns.push(column),
                    None => through.push((reference, vec![column])),
                }
            }
        }
        let join = |(name, columns): &(&str, Vec<&str>)| {
            let reference = self.references.iter().find(|r| r.column == *name)?;
            let columns: String =
                columns.iter().map(|name| format!(", there.{}", ident(name))).collect();
            Some(format!(
                " LEFT JOIN ({}) AS {alias} ON {alias}.id = input.{}",
                self.parents(reference, parameter(reference.index), &columns),
                ident(name),
                alias = parent_alias(name),
            ))
        };
        through.iter().filter_map(join).collect()
    }

    /// The rows that a reference points to from a page, by ids that a parameter brings.
    fn parents(&self, reference: &Reference, ids: usize, columns: &str) -> String {
        self.found(reference.table, ids, &reference.of_feed("there"), &format!("there.id{columns}"))
    }

    /// The rows of a table with ids that a parameter brings. OFFSET keeps PostgreSQL from reading the
    /// whole table for them, whatever it knows of it: each is looked up by all columns of the key,
    /// which of a list of ids is not certain.
    fn found(&self, table: &str, ids: usize, of_feed: &str, columns: &str) -> String {
        let table = qualified(self.schema, table);
        match self.is_distributed {
            false => format!(
                "SELECT found.* FROM (SELECT DISTINCT unnest(${ids}) AS id) AS wanted CROSS JOIN LATERAL \
                 (SELECT {columns} FROM {table} AS there WHERE there.id = wanted.id AND {of_feed} OFFSET 0) AS found"
            ),
            true => format!(
                "SELECT {columns} FROM {table} AS there WHERE there.id = ANY (${ids}) AND {of_feed} OFFSET 0"
            ),
        }
    }

    /// A reference, NULL where there is no such row; a table that refers to itself has those of
    /// this page too.
    fn checked(&self, column: &Column) -> String {
        let Some(reference) = self.references.iter().find(|r| r.column == column.name) else {
            return "NULL::bigint".into();
        };
        let found = format!("{}.id", parent_alias(column.name));
        let wanted = format!("input.{}", ident(column.name));
        match reference.points_to(self.dataset, self.feed) {
            true => format!(
                "CASE WHEN {wanted} IN (SELECT id FROM input) THEN {wanted} ELSE {found} END"
            ),
            false => found,
        }
    }

    fn declared_key(&self) -> String {
        self.dataset.key().join(", ")
    }

    pub fn highest(&self) -> String {
        format!(
            "SELECT max(row.id) FROM {} AS row WHERE {}",
            qualified(self.schema, self.dataset.table),
            self.feed().condition("row")
        )
    }

    /// Only what inherits a parent's values has to look at it.
    pub fn insert(&self) -> String {
        let values = self.values(|_| None);
        let list = |part: &dyn Fn(&(String, String)) -> &String| {
            values.iter().map(|value| format!(", {}", part(value))).collect::<String>()
        };
        let keys: Vec<_> = self.dataset.key().iter().map(|name| format!("input.{name}")).collect();
        let joins = self.joins(false);
        // A join may give them in another order, in which indexes take longer and BRIN is worth less.
        let order = if joins.is_empty() { "" } else { " ORDER BY input.id" };
        format!(
            "WITH input AS ({input}) INSERT INTO {table} ({key}{names}, synced_at) \
             SELECT {keys}{values}, clock_timestamp() FROM input{joins}{order}",
            table = qualified(self.schema, self.dataset.table),
            key = self.declared_key(),
            keys = keys.join(", "),
            names = list(&|(name, _)| name),
            values = list(&|(_, value)| value),
            input = self.input(),
        )
    }

    pub fn upsert(&self) -> String {
        self.upsert_and("")
    }

    /// The same, which ends and begins versions in the table's history too. After the columns come
    /// ids and columns of values that were not read, the columns that are of no row, and the time.
    pub fn upsert_with_history(&self) -> String {
        let first = parameter(self.dataset.loaded_columns().count());
        let clock = format!("${}::timestamptz", first + 3);
        let versions = Versions {
            dataset: self.dataset,
            schema: self.schema,
            references: self.references,
            carried_from: "last",
            clock: &clock,
        };
        self.upsert_and(&format!(
            ", unread AS (SELECT unread.id, array_agg(unread.name) AS names \
               FROM unnest(${first}, ${}) AS unread (id, name) GROUP BY unread.id), \
             told AS (SELECT fresh.*, ${} || unread.names AS \"not read\" \
               FROM fresh LEFT JOIN unread ON unread.id = fresh.id){}",
            first + 1,
            first + 2,
            versions.parts(),
        ))
    }

    /// Rows that are as they should be are left out before the INSERT: it would lock them.
    fn upsert_and(&self, more: &str) -> String {
        let table = qualified(self.schema, self.dataset.table);
        let is_reference = |column: &Column| matches!(column.source, Source::Reference { .. });
        let pairs = self.values(|column| is_reference(column).then(|| self.checked(column)));
        let names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
        let keys = self.dataset.key().iter().map(|name| format!("input.{name}"));
        let wanted =
            self.references.iter().map(|r| format!("input.{} AS {}", ident(r.column), r.wanted()));
        let values: Vec<_> = keys
            .chain(pairs.iter().map(|(name, value)| format!("{value} AS {name}")))
            .chain(wanted)
            .collect();
        let list = |format: &dyn Fn(&String) -> String| {
            names.iter().map(format).collect::<Vec<_>>().join(", ")
        };
        let assignments: Vec<_> = names
            .iter()
            .filter(|name| !self.key.iter().any(|key| ident(key) == **name))
            .map(|name| format!("{name} = EXCLUDED.{name}"))
            .collect();
        // A row of a dimension that is marked as deleted differs, and is there again.
        let (mark, no_mark, seen_again, again) = match self.dataset.kind {
            warehouse::Kind::Dimension => (
                ", deleted_at",
                ", NULL::timestamptz AS deleted_at",
                ", deleted_at = NULL",
                " OR target.deleted_at IS NOT NULL",
            ),
            warehouse::Kind::Fact => ("", "", "", ""),
        };
        format!(
            "WITH input AS MATERIALIZED ({input}), \
             fresh AS MATERIALIZED (SELECT {values} FROM input{joins}), \
             known AS MATERIALIZED ({known}), \
             {moved}\
             written AS (INSERT INTO {table} AS target ({key}, {columns}, synced_at) \
               SELECT {key}, {columns}, clock_timestamp() FROM ( \
                 SELECT {key}, {columns}{no_mark} FROM fresh EXCEPT SELECT {key}, {columns}{mark} FROM known) AS other \
               ORDER BY id \
               ON CONFLICT ({conflict}) DO UPDATE SET {assignments}{seen_again}, synced_at = EXCLUDED.synced_at \
               WHERE ({current}) IS DISTINCT FROM ({excluded}){again} \
               RETURNING target.id), \
             again AS (SELECT id FROM written INTERSECT SELECT id FROM known), \
             lost AS ({lost}){more} \
             SELECT (SELECT count(*) FROM written) - (SELECT count(*) FROM again), (SELECT count(*) FROM again), \
               array_agg(id), array_agg(place), array_agg(missing_id) FROM lost",
            input = self.input(),
            values = values.join(", "),
            joins = self.joins(true),
            key = self.declared_key(),
            columns = names.join(", "),
            known = self.found(
                self.dataset.table,
                1,
                &self.feed().condition("there"),
                &format!("{}, {}{mark}", self.declared_key(), names.join(", ")),
            ),
            moved = self.moved(),
            conflict = self.key.iter().map(|name| ident(name)).collect::<Vec<_>>().join(", "),
            assignments = assignments.join(", "),
            current = list(&|name| format!("target.{name}")),
            excluded = list(&|name| format!("EXCLUDED.{name}")),
            lost = self.lost(),
        )
    }

    /// Where the unique key has more than the declared columns, takes away the rows of records that
    /// are to be found under another key: nothing else would.
    fn moved(&self) -> String {
        let written = self.dataset.value_columns().filter(|column| column.is_written());
        let more: Vec<_> = written
            .filter(|column| self.key.iter().any(|key| key == column.name))
            .map(|column| ident(column.name))
            .collect();
        if more.is_empty() {
            return String::new();
        }
        let list = |alias: &str| {
            more.iter().map(|name| format!("{alias}.{name}")).collect::<Vec<_>>().join(", ")
        };
        format!(
            "moved AS (DELETE FROM {} AS row USING fresh WHERE row.id = ANY ($1) AND {} \
               AND row.id = fresh.id AND ({}) IS DISTINCT FROM ({})), ",
            qualified(self.schema, self.dataset.table),
            self.feed().condition("row"),
            list("row"),
            list("fresh"),
        )
    }

    /// The rows that lack a record which they refer to, the place of the reference, and the id.
    fn lost(&self) -> String {
        let lost = self.references.iter().enumerate().map(|(place, reference)| {
            let wanted = reference.wanted();
            format!(
                "SELECT id, {} AS place, {wanted} AS missing_id FROM fresh \
                 WHERE {wanted} IS NOT NULL AND {} IS NULL",
                place + 1,
                ident(reference.column),
            )
        });
        let lost = lost.collect::<Vec<_>>().join(" UNION ALL ");
        match lost.is_empty() {
            true => "SELECT NULL::bigint AS id, 0 AS place, NULL::bigint AS missing_id WHERE false"
                .into(),
            false => lost,
        }
    }

    /// Remembers references that are not there: rows, places of references, ids, and for each
    /// reference why Odoo gives no record, where that is known.
    pub fn remember_lost(&self) -> String {
        let list = |text: &dyn Fn(&Reference) -> String| {
            self.references.iter().map(text).collect::<Vec<_>>().join(", ")
        };
        format!(
            "INSERT INTO {missing_data} AS known (target, channel, row_id, column_name, odoo_model, missing_id, last_error) \
             SELECT {target}, {channel}, row_id, (ARRAY[{columns}])[place], (ARRAY[{models}])[place], missing_id, ($4)[place] \
             FROM unnest($1, $2, $3) AS lost (row_id, place, missing_id) \
             ON CONFLICT (target, channel, row_id, column_name) DO UPDATE SET \
               missing_id = EXCLUDED.missing_id, odoo_model = EXCLUDED.odoo_model, \
               last_error = EXCLUDED.last_error, last_seen = now(), resolved_at = NULL, attempts = known.attempts + 1",
            missing_data = qualified(self.schema, MISSING_DATA),
            target = literal(self.dataset.table),
            channel = literal(self.feed().channel_or_none()),
            columns = list(&|reference| literal(reference.column)),
            models = list(&|reference| literal(reference.model())),
        )
    }

    /// For each reference, by its place, which of its ids, each given once, are neither there nor in
    /// this page.
    pub fn absent(&self) -> String {
        let parts = self.references.iter().enumerate().map(|(place, reference)| {
            let wanted = place + 2;
            let own = match reference.points_to(self.dataset, self.feed) {
                true => " WHERE id NOT IN (SELECT unnest($1))",
                false => "",
            };
            format!(
                "SELECT {place} AS place, id FROM (SELECT unnest(${wanted}) AS id EXCEPT {}) AS absent{own}",
                self.parents(reference, wanted, ""),
            )
        });
        format!(
            "SELECT place, array_agg(id ORDER BY id) FROM ({}) AS absent GROUP BY place ORDER BY place",
            parts.collect::<Vec<_>>().join(" UNION ALL ")
        )
    }

    /// Marks what was missing for these rows as resolved, unless it was found missing again
    /// just now.
    pub fn resolve(&self) -> String {
        format!(
            "UPDATE {} AS known SET resolved_at = now() WHERE {} \
             AND resolved_at IS NULL AND row_id = ANY ($1) AND last_seen < now()",
            qualified(self.schema, MISSING_DATA),
            missing::condition(self.dataset.table, self.feed(), "known"),
        )
    }
}

#[cfg(test)]
mod tests;

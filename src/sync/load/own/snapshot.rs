//! A day's rows of a table of days: those that differ from what the day before left. What a day
//! held last counts; the rows are the same however many runs wrote it.

use chrono::{DateTime, Utc};
use pgrx::prelude::*;

use crate::failure::Failure;
use crate::pg;
use crate::query;
use crate::quote::ident;
use crate::sync::load::owner::{self, Table};
use crate::sync::transform::zones::Zones;
use crate::warehouse::ddl::qualified;
use crate::warehouse::snapshot::TIMEZONE;
use crate::warehouse::{Snapshot, SqlType};

/// Writes what the table holds now as the end of the day that it is at each place. `read_at` is
/// when it was read, by Odoo's clock; `zone` is for places that tell none.
///
/// Durable with the caller's transaction, which has to have loaded the table whole.
pub fn take(
    schema: &str,
    snapshot: &Snapshot,
    read_at: DateTime<Utc>,
    zone: &str,
) -> Result<(), Failure> {
    for parent in [snapshot.of.table, snapshot.places()] {
        owner::require_reading(schema, snapshot.table, parent)?;
    }
    let write = || {
        let names = zones(schema, snapshot)?;
        // PostgreSQL may not know all zones that Odoo does.
        let mut known = Zones::new(zone);
        let mut day = |name| read_at.with_timezone(&known.named(name)).date_naive().to_string();
        let usual = day(None);
        let days: Vec<_> = names.iter().map(|name| day(Some(name))).collect();
        let args = [read_at.timestamp().into(), names.into(), days.into(), usual.into()];
        let sql = statement(schema, snapshot, numbers_itself(schema, snapshot)?);
        Ok(Spi::run_with_args(&sql, &args)?)
    };
    let table = Table::new(schema, snapshot.table);
    table.run(owner::REPLACE, || pg::in_own_memory(write))
}

/// Whether the table numbers its rows: one that an engine keeps in parts may not.
fn numbers_itself(schema: &str, snapshot: &Snapshot) -> Result<bool, Failure> {
    let sql = "SELECT attidentity <> '' OR atthasdef FROM pg_catalog.pg_attribute \
               WHERE attrelid = to_regclass($1) AND attname = 'id'";
    query::is_true(sql, &[qualified(schema, snapshot.table).into()])
}

/// The time zones of all places.
fn zones(schema: &str, snapshot: &Snapshot) -> Result<Vec<String>, Failure> {
    let (zone, places) = (ident(TIMEZONE), qualified(schema, snapshot.places()));
    let sql = format!("SELECT array_agg(DISTINCT {zone}) FROM {places} WHERE {zone} IS NOT NULL");
    Ok(query::ask(&sql, &[])?.unwrap_or_default())
}

/// Names as a list, each as `format` writes it.
fn list(names: impl IntoIterator<Item = &'static str>, format: impl Fn(&str) -> String) -> String {
    names.into_iter().map(|name| format(&ident(name))).collect::<Vec<_>>().join(", ")
}

/// Whether two rows have the same key: by what a hash join takes, and exactly.
fn same_key(snapshot: &Snapshot, one: &str, other: &str) -> String {
    let same = |name: &&'static str| {
        let nothing = match snapshot.sql_type(name) {
            SqlType::Text => "''",
            _ => "0",
        };
        let (one, other) = (format!("{one}.{}", ident(name)), format!("{other}.{}", ident(name)));
        format!(
            "coalesce({one}, {nothing}) = coalesce({other}, {nothing}) AND {one} IS NOT DISTINCT FROM {other}"
        )
    };
    snapshot.key.iter().map(same).collect::<Vec<_>>().join(" AND ")
}

/// What of a key is no longer there is 0, if it was known. The label is what it was last known to be.
fn now(snapshot: &Snapshot) -> String {
    let sums = list(snapshot.sums.iter().copied(), |name| {
        format!(
            "CASE WHEN is_there THEN {name} WHEN {} IS NOT NULL THEN 0 END AS {name}",
            was(name)
        )
    });
    let label = ident(snapshot.label);
    format!("{sums}, coalesce({label}, {}) AS {label}", was(&label))
}

/// The name of what a value was.
fn was(name: &str) -> String {
    ident(&format!("was {}", name.replace('"', "")))
}

fn statement(schema: &str, snapshot: &Snapshot, numbers_itself: bool) -> String {
    let Snapshot { of, key, sums, label, place, .. } = *snapshot;
    let number = match numbers_itself {
        true => String::new(),
        false => format!(
            "(SELECT coalesce(max(id), 0) FROM {}) + row_number() OVER (), ",
            qualified(schema, snapshot.table)
        ),
    };
    let values = || snapshot.values();
    let typed = |name: &'static str| format!("NULL::{}", snapshot.sql_type(name).name());
    let nothing: Vec<_> = values().map(typed).collect();
    format!(
        "WITH fresh AS (SELECT {keys}, {added_up}, max({label}) AS {label} FROM {of} GROUP BY {keys}), \
         seen AS (SELECT {keys}, bool_or(is_there) AS is_there, max(id) AS id, max(day) AS last_day, {both} \
           FROM (SELECT {keys}, true, NULL::bigint, NULL::date, {values}, {nothing} FROM fresh \
             UNION ALL SELECT {keys}, false, id, day, {nothing}, {values} FROM {table} WHERE until IS NULL) \
             AS side ({keys}, is_there, id, day, {values}, {were}) GROUP BY {keys}), \
         now AS (SELECT {keys}, is_there, id, last_day, {were}, {now} FROM seen), \
         changed AS MATERIALIZED (SELECT now.*, \
             greatest(coalesce((SELECT local.day FROM {places} AS place \
               JOIN unnest($2::text[], $3::text[]) AS local (zone, day) ON local.zone = place.{zone} \
               WHERE place.id = now.{place}), $4)::date, last_day) AS day, to_timestamp($1) AS taken_at \
           FROM now WHERE id IS NULL OR ({sums}) IS DISTINCT FROM ({sums_were})), \
         today AS MATERIALIZED (SELECT changed.id, before.id AS before_id, \
             CASE WHEN before.id IS NULL THEN NOT changed.is_there \
               ELSE ({of_before}) IS NOT DISTINCT FROM ({of_changed}) END AS is_back \
           FROM changed LEFT JOIN {table} AS before ON before.until = changed.last_day AND {same_key} \
           WHERE changed.last_day = changed.day), \
         undone AS (DELETE FROM {table} AS row USING today WHERE row.id = today.id AND is_back), \
         opened AS (UPDATE {table} AS row SET until = NULL FROM today WHERE row.id = today.before_id AND is_back), \
         changed_again AS (UPDATE {table} AS row SET {assigned}, taken_at = changed.taken_at \
           FROM changed JOIN today USING (id) WHERE row.id = changed.id AND NOT is_back), \
         closed AS (UPDATE {table} AS row SET until = changed.day FROM changed \
           WHERE row.id = changed.id AND changed.last_day < changed.day) \
         INSERT INTO {table} ({id}day, {keys}, {values}, taken_at) SELECT {number}day, {keys}, {values}, taken_at \
         FROM changed WHERE id IS NULL OR last_day < day ORDER BY {keys}",
        id = if numbers_itself { "" } else { "id, " },
        keys = list(key.iter().copied(), str::to_owned),
        // A value that could not be read makes the sum unknown.
        added_up = list(sums.iter().copied(), |name| {
            format!("CASE WHEN count({name}) = count(*) THEN sum({name}) END AS {name}")
        }),
        label = ident(label),
        of = qualified(schema, of.table),
        both = list(values(), |name| format!("max({name}) AS {name}, max({0}) AS {0}", was(name))),
        values = list(values(), str::to_owned),
        nothing = nothing.join(", "),
        table = qualified(schema, snapshot.table),
        were = list(values(), was),
        now = now(snapshot),
        zone = ident(TIMEZONE),
        places = qualified(schema, snapshot.places()),
        place = ident(place),
        of_before = list(sums.iter().copied(), |name| format!("before.{name}")),
        of_changed = list(sums.iter().copied(), |name| format!("changed.{name}")),
        sums_were = list(sums.iter().copied(), was),
        sums = list(sums.iter().copied(), str::to_owned),
        same_key = same_key(snapshot, "before", "changed"),
        assigned = list(values(), |name| format!("{name} = changed.{name}")),
    )
}

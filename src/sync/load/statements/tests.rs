use super::*;
use crate::sync::load::own::deleted;
use crate::sync::load::references::references;
use crate::warehouse::history;

/// All statements of a feed, by what they do.
fn statements(
    dataset: &'static Dataset,
    feed: usize,
    key: &[&str],
    is_distributed: bool,
) -> Vec<(&'static str, String)> {
    let (references, key) =
        (references(dataset, feed), key.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let target = Target {
        dataset,
        feed,
        schema: "shop",
        references: &references,
        key: &key,
        is_distributed,
    };
    let mut all = vec![
        ("highest", target.highest()),
        ("insert", target.insert()),
        ("upsert", target.upsert()),
        ("absent", target.absent()),
        ("remember_lost", target.remember_lost()),
        ("resolve", target.resolve()),
        ("forget", deleted::forget("shop", dataset, feed)),
    ];
    if history::may_be_kept(dataset) {
        all.push(("upsert_with_history", target.upsert_with_history()));
    }
    all
}

fn all_statements(is_distributed: bool) -> impl Iterator<Item = (&'static str, String)> {
    warehouse::datasets().flat_map(move |dataset| {
        (0..dataset.feeds.len())
            .flat_map(move |feed| statements(dataset, feed, dataset.key(), is_distributed))
    })
}

/// The words of a statement, names in quotes without them.
fn words(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(|c: char| !c.is_alphanumeric() && c != '_')
}

#[test]
fn none_has_what_an_engine_refuses() {
    const SYSTEM_COLUMNS: [&str; 6] = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];
    for (name, sql) in all_statements(false).chain(all_statements(true)) {
        let is_system_column = |word: &str| SYSTEM_COLUMNS.contains(&word);
        assert!(!words(&sql).any(is_system_column), "{name} has a system column: {sql}");
        // What is written over a row that is there is no function's value.
        for change in sql.split(" DO UPDATE SET ").skip(1) {
            let changes = change.split(" WHERE ").next().unwrap();
            let is_volatile = changes.contains("clock_timestamp") || changes.contains("random");
            assert!(!is_volatile, "{name}: {changes}");
        }
        for change in sql.split("UPDATE ").skip(1).filter(|part| part.contains(" SET ")) {
            let changes = change.split(" FROM ").next().unwrap();
            assert!(!changes.contains("clock_timestamp"), "{name}: {changes}");
        }
    }
}

/// Citus asks no table once for each row of a page, and knows no SELECT without columns in FROM.
#[test]
fn none_is_correlated_where_tables_are_distributed() {
    for (name, sql) in all_statements(true) {
        // Those of histories and odoo_deleted stay on one machine, or are whole on each.
        if !name.ends_with("history") && name != "forget" {
            assert!(
                !words(&sql).any(|word| word == "LATERAL" || word == "EXISTS"),
                "{name}: {sql}"
            );
        }
    }
}

#[test]
fn what_is_inherited_comes_by_a_reference() {
    for dataset in warehouse::datasets() {
        for feed in 0..dataset.feeds.len() {
            let references = references(dataset, feed);
            for column in dataset.columns {
                if let Source::Inherited { reference, .. } = column.source {
                    let is_there = references.iter().any(|r| r.column == reference);
                    assert!(is_there, "{}.{} has no {reference}", dataset.table, column.name);
                }
            }
        }
    }
}

#[test]
fn rows_move_where_the_key_has_more_columns() {
    let lines = warehouse::dataset("fact_sales_lines").unwrap();
    let upsert = |key: &[&str]| {
        let found =
            statements(lines, 0, key, false).into_iter().find(|(name, _)| *name == "upsert");
        found.unwrap().1
    };
    assert!(!upsert(&["channel", "id"]).contains("DELETE"));
    let sql = upsert(&["id", "channel", "order_id"]);
    assert!(sql.contains("ON CONFLICT (\"id\", \"channel\", \"order_id\")"));
    assert!(!sql.contains("\"order_id\" = EXCLUDED.\"order_id\""));
    assert!(sql.contains(
        "moved AS (DELETE FROM \"shop\".\"fact_sales_lines\" AS row USING fresh WHERE row.id = ANY ("
    ));
}

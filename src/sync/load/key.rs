//! The unique key of a table by which its rows are known: its users may have made it of more columns
//! than are declared, as engines want it that keep tables in parts.

use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;
use crate::query;
use crate::warehouse::Dataset;
use crate::warehouse::ddl::qualified;

/// The columns of the primary key, or of another unique one, with the declared ones among them.
pub fn of(schema: &str, dataset: &Dataset) -> Result<Vec<String>, Failure> {
    let sql = "SELECT (SELECT key.columns FROM pg_catalog.pg_index i CROSS JOIN LATERAL (\
          SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) \
          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
          WHERE k.place <= i.indnkeyatts) AS key (columns) \
        WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate \
          AND i.indpred IS NULL AND i.indexprs IS NULL AND key.columns @> $2 \
        ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1)";
    let table = qualified(schema, dataset.table);
    let declared: Vec<_> = dataset.key().iter().map(|name| (*name).to_owned()).collect();
    let args = [table.as_str().into(), declared.clone().into()];
    query::ask(sql, &args)?.ok_or_else(|| {
        let key = declared.join(", ");
        Failure::new(
            State::ERRCODE_INVALID_TABLE_DEFINITION,
            format!("table {table} has no primary key ({key})"),
        )
        .detail("Rows are known by it: one that came before would be there twice.")
        .hint(format!("ALTER TABLE {table} ADD PRIMARY KEY ({key});"))
    })
}

/// Whether a row may come to be known by another key, as its values change.
pub fn moves(dataset: &Dataset, key: &[String]) -> bool {
    key.len() > dataset.key().len()
}

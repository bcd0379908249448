//! What a table has that is to be its partitioned successor's, as the statements that make it there.

use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;

use crate::failure::Failure;
use crate::query;
use crate::quote::{ident, literal};
use crate::sync::load::partitions::making::index_name;
use crate::warehouse::ddl::qualified;

/// A statement about a table, and whose rights it needs.
pub struct Statement {
    pub owner: pg_sys::Oid,
    pub sql: String,
}

/// Statements of a query with the table `$1` as its parameter.
fn texts(sql: &str, table: &str) -> Result<Vec<String>, Failure> {
    let sql =
        format!("SELECT array_agg(sql ORDER BY place, sql) FROM ({sql}) AS made (place, sql)");
    Ok(query::ask::<Vec<String>>(&sql, &[table.into()])?.unwrap_or_default())
}

/// Statements of a query that has the owner of each in front.
fn owned(sql: &str, table: &str) -> Result<Vec<Statement>, Failure> {
    Spi::connect(|client| {
        let found = client.select(sql, None, &[table.into()])?;
        let statement = |row: SpiHeapTupleData<'_>| {
            let owner = row.get(1)?.unwrap_or(pg_sys::InvalidOid);
            Ok(Statement { owner, sql: row.get(2)?.unwrap_or_default() })
        };
        found.map(statement).collect()
    })
}

/// What makes names free that are one table's in a schema: its indexes get names of the partition's.
pub fn index_names(schema: &str, table: &str, partition: &str) -> Result<Vec<String>, Failure> {
    let sql = "SELECT array_agg(c.relname::text ORDER BY c.oid) FROM pg_catalog.pg_index i \
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass($1)";
    let found = query::ask::<Vec<String>>(sql, &[qualified(schema, table).into()])?;
    let mut taken = Vec::new();
    let rename = |index: String| {
        taken.push(index_name(schema, table, partition, &index, &taken));
        let name = taken.last().map(|name| ident(name)).unwrap_or_default();
        format!("ALTER INDEX {} RENAME TO {name}", qualified(schema, &index))
    };
    Ok(found.unwrap_or_default().into_iter().map(rename).collect())
}

/// Its primary key, and what is unique.
pub fn keys(table: &str) -> Result<Vec<String>, Failure> {
    texts(
        "SELECT contype::text, format('ALTER TABLE %s ADD CONSTRAINT %I %s', $1, conname, pg_get_constraintdef(oid)) \
         FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass($1) AND contype IN ('p', 'u')",
        table,
    )
}

/// Its foreign keys that hold for all rows, but for those to itself.
pub fn references(table: &str) -> Result<Vec<String>, Failure> {
    texts(
        "SELECT '', format('ALTER TABLE %s ADD CONSTRAINT %I %s', $1, conname, pg_get_constraintdef(oid)) \
         FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass($1) AND contype = 'f' AND convalidated \
           AND conparentid = 0 AND confrelid <> conrelid",
        table,
    )
}

/// The foreign keys that lead to it, in the tables that have them: what takes them away, and what
/// makes them again, without a look at the rows; its own in its `partition`. Those of a table in
/// partitions are made in each of these.
pub fn referring(table: &str, partition: &str) -> Result<[Vec<Statement>; 2], Failure> {
    let drop = "SELECT c.relowner, format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, conname) \
        FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        WHERE k.confrelid = to_regclass($1) AND k.contype = 'f' AND k.conparentid = 0";
    let make = format!(
        "SELECT leaf.relowner, format('ALTER TABLE %s ADD CONSTRAINT %I %s', \
          CASE k.confrelid WHEN leaf.oid THEN {} ELSE format('%I.%I', n.nspname, leaf.relname) END, conname, \
          regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '') || ' NOT VALID') \
        FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
        CROSS JOIN LATERAL (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid) WHERE isleaf AND c.relkind = 'p' \
          UNION ALL SELECT c.oid WHERE c.relkind <> 'p') AS part JOIN pg_catalog.pg_class leaf ON leaf.oid = part.relid \
        JOIN pg_catalog.pg_namespace n ON n.oid = leaf.relnamespace \
        WHERE k.confrelid = to_regclass($1) AND k.contype = 'f' AND k.conparentid = 0",
        literal(partition)
    );
    Ok([owned(drop, table)?, owned(&make, table)?])
}

/// Its indexes that belong to no key.
pub fn indexes(table: &str) -> Result<Vec<String>, Failure> {
    texts(
        "SELECT '', pg_get_indexdef(i.indexrelid) FROM pg_catalog.pg_index i \
         WHERE i.indrelid = to_regclass($1) AND i.indisvalid AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k \
           WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x'))",
        table,
    )
}

/// Its triggers: what takes them away, and what makes them again.
pub fn triggers(table: &str) -> Result<[Vec<String>; 2], Failure> {
    let own =
        "FROM pg_catalog.pg_trigger t WHERE t.tgrelid = to_regclass($1) AND NOT t.tgisinternal";
    let drop = format!("SELECT '', format('DROP TRIGGER %I ON %s', t.tgname, $1) {own}");
    let make = format!(
        "SELECT '1', pg_get_triggerdef(t.oid) {own} \
         UNION ALL SELECT '2', format('ALTER TABLE %s %s TRIGGER %I', $1, CASE t.tgenabled WHEN 'D' THEN 'DISABLE' \
           WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, t.tgname) {own} AND t.tgenabled <> 'O' \
         UNION ALL SELECT '2', format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, $1, about) \
           FROM pg_catalog.pg_trigger t, obj_description(t.oid, 'pg_trigger') AS about \
           WHERE t.tgrelid = to_regclass($1) AND NOT t.tgisinternal AND about IS NOT NULL \
         UNION ALL SELECT '2', format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION %I', t.tgname, $1, e.extname) \
           FROM pg_catalog.pg_trigger t \
           JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_trigger'::regclass AND d.objid = t.oid AND d.deptype = 'x' \
             AND d.refclassid = 'pg_catalog.pg_extension'::regclass \
           JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid WHERE t.tgrelid = to_regclass($1) AND NOT t.tgisinternal"
    );
    Ok([texts(&drop, table)?, texts(&make, table)?])
}

/// Its comment, its row security, and what the planner counts of its columns.
pub fn properties(table: &str) -> Result<Vec<String>, Failure> {
    texts(
        "SELECT '1', format('COMMENT ON TABLE %s IS %L', $1, about) \
           FROM obj_description(to_regclass($1), 'pg_class') AS about WHERE about IS NOT NULL \
         UNION ALL SELECT '1', format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, $1, about) \
           FROM pg_catalog.pg_constraint k, obj_description(k.oid, 'pg_constraint') AS about \
           WHERE k.conrelid = to_regclass($1) AND k.contype IN ('p', 'u') AND about IS NOT NULL \
         UNION ALL SELECT '1', format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', $1, attname, attstattarget) \
           FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attstattarget > 0 \
         UNION ALL SELECT '2', format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', $1) \
           FROM pg_catalog.pg_class WHERE oid = to_regclass($1) AND relforcerowsecurity \
         UNION ALL SELECT '3', format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', polname, $1, \
             CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, \
             CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END, \
             (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, ', ') \
               FROM unnest(polroles) AS role), \
             ' USING (' || pg_get_expr(polqual, polrelid) || ')', ' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')') \
           FROM pg_catalog.pg_policy WHERE polrelid = to_regclass($1)",
        table,
    )
}

/// The views that read it, as they are to read its successor: they keep their privileges, comments and
/// owners.
pub fn views(table: &str) -> Result<Vec<Statement>, Failure> {
    owned(
        "SELECT DISTINCT v.relowner, format('CREATE OR REPLACE VIEW %I.%I%s AS %s', n.nspname, v.relname, \
             ' WITH (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid)) \
         FROM pg_catalog.pg_depend d \
         JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid \
         JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind = 'v' \
         JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace \
         WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = to_regclass($1)",
        table,
    )
}

/// What depends on it and could not be made again, or not for its successor, as PostgreSQL names it.
pub fn obstacles(table: &str) -> Result<Vec<String>, Failure> {
    texts(
        "SELECT '', pg_describe_object(d.classid, d.objid, 0) FROM pg_catalog.pg_class t \
         JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = t.oid \
           OR d.refclassid = 'pg_catalog.pg_type'::regclass \
             AND (d.refobjid = t.reltype OR d.refobjid = (SELECT typarray FROM pg_catalog.pg_type WHERE oid = t.reltype)) \
         LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid \
         LEFT JOIN pg_catalog.pg_class o ON o.oid = coalesce(r.ev_class, CASE d.classid WHEN 'pg_catalog.pg_class'::regclass THEN d.objid END) \
         LEFT JOIN pg_catalog.pg_policy p ON d.classid = 'pg_catalog.pg_policy'::regclass AND p.oid = d.objid \
         WHERE t.oid = to_regclass($1) AND d.deptype <> 'i' AND CASE d.classid \
           WHEN 'pg_catalog.pg_rewrite'::regclass THEN o.relkind <> 'v' OR o.oid = t.oid OR r.rulename <> '_RETURN' \
           WHEN 'pg_catalog.pg_class'::regclass THEN o.relkind NOT IN ('i', 't') \
           WHEN 'pg_catalog.pg_policy'::regclass THEN p.polrelid <> t.oid \
           ELSE d.classid NOT IN ('pg_catalog.pg_constraint'::regclass, 'pg_catalog.pg_trigger'::regclass, \
             'pg_catalog.pg_attrdef'::regclass, 'pg_catalog.pg_statistic_ext'::regclass) END \
         UNION SELECT '', 'index ' || i.indexrelid::regclass FROM pg_catalog.pg_index i WHERE i.indrelid = to_regclass($1) \
           AND i.indisunique AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a \
             WHERE a.attrelid = i.indrelid AND a.attname = 'id' AND a.attnum = ANY (i.indkey)) \
         UNION SELECT '', format('constraint %I', conname) FROM pg_catalog.pg_constraint \
           WHERE conrelid = to_regclass($1) AND contype IN ('x', 't') \
         UNION SELECT '', format('constraint %I, which is NOT VALID,', conname) FROM pg_catalog.pg_constraint \
           WHERE conrelid = to_regclass($1) AND contype = 'c' AND NOT convalidated \
         UNION SELECT '', format('publication %I, which lacks publish_via_partition_root,', p.pubname) \
           FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_class t ON t.oid = to_regclass($1) \
           WHERE NOT p.pubviaroot AND (p.puballtables OR EXISTS (SELECT FROM pg_catalog.pg_publication_namespace n \
             WHERE n.pnpubid = p.oid AND n.pnnspid = t.relnamespace)) \
         UNION SELECT '', format('column %I, which is an identity', attname) FROM pg_catalog.pg_attribute \
           WHERE attrelid = to_regclass($1) AND attidentity <> '' AND NOT attisdropped",
        table,
    )
}

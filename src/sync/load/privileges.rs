//! Who may do what with a table that is made beside another one: what they may do with that.

use pgrx::prelude::*;

use crate::failure::Failure;
use crate::sync::load::owner::Table;
use crate::warehouse::ddl::qualified;

/// The statements that give a table `$2` the privileges of another one, `$1`, and no others: those by
/// default are taken back first. The owner of the other one counts as one who has all of them. Where
/// row security guards the other one, no row is shown until there are policies.
const COPY: &str = "WITH source AS (SELECT * FROM pg_catalog.pg_class WHERE oid = to_regclass($1)), \
    made AS (SELECT * FROM pg_catalog.pg_class WHERE oid = to_regclass($2)), \
    given AS (SELECT privilege.*, '' AS columns \
        FROM source, aclexplode(coalesce(relacl, acldefault('r', relowner))) AS privilege \
        UNION ALL SELECT privilege.*, format(' (%I)', a.attname) \
        FROM source JOIN pg_catalog.pg_attribute a ON a.attrelid = source.oid AND NOT a.attisdropped, \
          aclexplode(a.attacl) AS privilege \
        WHERE EXISTS (SELECT FROM made JOIN pg_catalog.pg_attribute own ON own.attrelid = made.oid \
          AND own.attname = a.attname)), \
    named AS (SELECT oid AS role, format('%I', rolname) AS name FROM pg_catalog.pg_roles UNION ALL SELECT 0::oid, 'PUBLIC'), \
    statements AS (SELECT 1 AS place, format('REVOKE ALL ON %s FROM %s', $2, name) AS sql \
        FROM made, aclexplode(relacl) AS privilege JOIN named ON role = grantee WHERE grantee <> relowner \
        UNION SELECT 2, format('GRANT %s%s ON %s TO %s%s', privilege_type, columns, $2, name, \
          CASE WHEN is_grantable AND grantee <> 0 THEN ' WITH GRANT OPTION' END) \
        FROM given JOIN named ON role = grantee, made WHERE grantee <> made.relowner \
        UNION SELECT 3, format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', $2) FROM source WHERE relrowsecurity) \
    SELECT array_agg(sql ORDER BY place, sql) FROM statements";

/// Gives a table that was just made the privileges of another one, where that is there.
pub fn copy(schema: &str, from: &str, to: &str) -> Result<(), Failure> {
    let (from, table) = (qualified(schema, from), qualified(schema, to));
    let args = [from.into(), table.into()];
    let statements = Spi::get_one_with_args::<Vec<String>>(COPY, &args)?.unwrap_or_default();
    let run = || Ok(statements.iter().try_for_each(|sql| Spi::run(sql))?);
    Table::new(schema, to).alter(run)
}

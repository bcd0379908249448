//! Whose rights a statement on a table of the warehouse uses: those of the table's owner.
//!
//! Such a statement runs code that is not ours: triggers, defaults, constraints, expressions of
//! indexes. As REINDEX and REFRESH MATERIALIZED VIEW do, and logical replication does, it runs as
//! the owner and, unless that one could become the caller anyway, in a security-restricted
//! operation. The caller needs the privileges as if it wrote itself. A statement writes tables of
//! one owner; what belongs to another's goes to a second one.

use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;
use crate::pg::{self, Privilege, Relation};
use crate::query;
use crate::quote::ident;
use crate::warehouse::ddl::qualified;
use crate::warehouse::missing::MISSING_DATA;
use crate::warehouse::{Dataset, Kind};

pub const READ: &[Privilege] = &[Privilege::Select];
pub const LOAD: &[Privilege] = &[Privilege::Select, Privilege::Insert, Privilege::Update];
const CHANGE: &[Privilege] = &[Privilege::Select, Privilege::Update];
/// What a table of days takes, of which a run may take back what another one wrote that day.
pub const REPLACE: &[Privilege] =
    &[Privilege::Select, Privilege::Insert, Privilege::Update, Privilege::Delete];
/// What missing_data and odoo_deleted take.
pub const FORGET: &[Privilege] = DELETE;
const DELETE: &[Privilege] = &[Privilege::Select, Privilege::Delete];

/// What a statement needs that says that records are gone.
pub fn deleting(dataset: &Dataset) -> &'static [Privilege] {
    match dataset.kind {
        Kind::Dimension => CHANGE,
        Kind::Fact => DELETE,
    }
}

/// A table of the warehouse, by its name.
#[derive(Debug, Clone)]
pub struct Table {
    schema: String,
    name: String,
}

impl Table {
    pub fn new(schema: &str, name: &str) -> Table {
        Table { schema: schema.to_owned(), name: name.to_owned() }
    }

    /// The table of references that could not be resolved.
    pub fn missing(schema: &str) -> Table {
        Table::new(schema, MISSING_DATA)
    }

    /// Runs a statement on the table as its owner, if the caller has the privileges.
    pub fn run<T>(
        &self,
        needed: &[Privilege],
        statement: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let relation = self.relation()?;
        match relation.allows(needed) {
            true => pg::as_owner(relation.owner, statement),
            false => Err(denied(format!("permission denied for table {}", self.name))),
        }
    }

    /// Runs a statement that changes the table's definition as its owner, whose rights the
    /// caller must have.
    pub fn alter(&self, statement: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
        let relation = self.relation()?;
        match relation.is_owned() {
            true => pg::as_owner(relation.owner, statement),
            false => Err(denied(format!("must be owner of table {}", self.name))),
        }
    }

    pub fn exists(&self) -> bool {
        Relation::find(&self.schema, &self.name).is_some()
    }

    fn relation(&self) -> Result<Relation, Failure> {
        Relation::find(&self.schema, &self.name).ok_or_else(|| {
            Failure::new(
                State::ERRCODE_UNDEFINED_TABLE,
                format!("table {} does not exist", qualified(&self.schema, &self.name)),
            )
            .hint("It was dropped or moved a moment ago; run the sync again.")
        })
    }
}

/// Makes sure that a table can be loaded before Odoo is asked: what is remembered of it shall be
/// what was loaded.
pub fn require_loadable(schema: &str, dataset: &Dataset) -> Result<(), Failure> {
    let table = Table::new(schema, dataset.table);
    table.run(LOAD, || Ok(()))?;
    let relation = table.relation()?;
    let parents = dataset.columns.iter().filter_map(|column| column.refers_to());
    for parent in parents {
        require_readable(schema, dataset.table, &relation, parent)?;
    }
    match relation.is_restricted() {
        true => refuse_deferred(schema, dataset.table, &relation),
        false => Ok(()),
    }
}

/// Makes sure that the owner of a table sees the rows that another one is written from.
pub fn require_reading(schema: &str, table: &str, other: &str) -> Result<(), Failure> {
    let relation = Table::new(schema, table).relation()?;
    require_readable(schema, table, &relation, other)
}

/// Makes sure that the owner of a table sees the rows that it refers to.
fn require_readable(
    schema: &str,
    table: &str,
    relation: &Relation,
    parent: &str,
) -> Result<(), Failure> {
    let Some(seen) = Relation::find(schema, parent) else {
        return Ok(());
    };
    if seen.allows_to(relation.owner, READ) {
        return Ok(());
    }
    let owner = pg::role_name(relation.owner);
    Err(denied(format!("table {table} belongs to \"{owner}\", who may not read {parent}"))
        .detail("A table is loaded with its owner's rights, and refers to rows of the other.")
        .hint(format!("GRANT SELECT ON {} TO {};", qualified(schema, parent), ident(&owner))))
}

/// Names a deferred trigger of a table, which a security-restricted operation does not run.
fn refuse_deferred(schema: &str, table: &str, relation: &Relation) -> Result<(), Failure> {
    let sql = "SELECT min(c.conname::text) FROM pg_catalog.pg_trigger t \
               JOIN pg_catalog.pg_constraint c ON c.oid = t.tgconstraint AND c.conrelid = t.tgrelid \
               WHERE t.tgrelid = $1 AND t.tginitdeferred AND c.contype IN ('t', 'f')";
    let Some(constraint) = query::ask::<String>(sql, &[relation.oid.into()])? else {
        return Ok(());
    };
    let owner = ident(&pg::role_name(relation.owner));
    let (table, constraint) = (qualified(schema, table), ident(&constraint));
    Err(Failure::new(
        State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("table {table} has the deferred constraint {constraint}"),
    )
    .detail("The table is another role's: its triggers run in a security-restricted operation, and that cannot wait for the end of the transaction.")
    .hint(format!("Run the sync as {owner}, or make the constraint INITIALLY IMMEDIATE.")))
}

fn denied(message: String) -> Failure {
    Failure::new(State::ERRCODE_INSUFFICIENT_PRIVILEGE, message)
}

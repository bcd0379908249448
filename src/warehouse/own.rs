//! Tables that no model fills: runs make them, and keep them.

use super::Kind;
use super::dates::{self, DIM_DATE};
use super::deleted::{self, ODOO_DELETED};
use super::missing::{self, MISSING_DATA};
use super::stock::DAILY;

/// One of them.
pub struct OwnTable {
    pub name: &'static str,
    pub kind: Kind,
    /// The statements that make it in a schema.
    pub create: fn(&str) -> String,
}

pub const OWN_TABLES: &[OwnTable] = &[
    OwnTable { name: MISSING_DATA, kind: Kind::Fact, create: missing::create_table },
    OwnTable { name: ODOO_DELETED, kind: Kind::Fact, create: deleted::create_table },
    OwnTable { name: DAILY.table, kind: Kind::Fact, create: |schema| DAILY.create_table(schema) },
    OwnTable { name: DIM_DATE, kind: Kind::Dimension, create: dates::create_table },
];

/// Their names.
pub fn own_tables() -> impl Iterator<Item = &'static str> {
    OWN_TABLES.iter().map(|own| own.name)
}

/// Whether one is called so.
pub fn is_own(table: &str) -> bool {
    own_tables().any(|own| own == table)
}

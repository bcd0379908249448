//! Foreign tables as the catalogs have them.

use std::ffi::c_char;

use pgrx::pg_sys::{self, Oid};

use crate::pg::compat;
use crate::pg::nodes::{options, text};
use crate::pg::with_plain_settings;

type Options = Vec<(String, String)>;

pub struct RawTable {
    /// With its schema, in quotes where it needs them.
    pub name: String,
    pub server: Oid,
    pub options: Options,
    /// Those that were not dropped, in their order.
    pub columns: Vec<RawColumn>,
}

pub struct RawColumn {
    pub attribute: i16,
    pub name: String,
    pub class: Class,
    pub options: Options,
}

impl RawTable {
    pub fn attributes(&self) -> Vec<i16> {
        self.columns.iter().map(|column| column.attribute).collect()
    }
}

/// The column types that a comparison may be handed over for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Boolean,
    Integer,
    Numeric,
    Float,
    Text,
    Date,
    Timestamptz,
    Other,
}

/// A foreign table on which the caller holds a lock.
pub fn foreign_table(relid: Oid) -> RawTable {
    // SAFETY: the lock is held already; the relation is closed before anything else can raise an
    // error but those of PostgreSQL, which close it too.
    unsafe {
        let table = pg_sys::GetForeignTable(relid);
        let relation = pg_sys::relation_open(relid, pg_sys::NoLock as i32);
        let kept = compat::columns((*relation).rd_att).iter().filter(|column| !column.attisdropped);
        let columns = kept.map(|column| RawColumn {
            attribute: column.attnum,
            name: text(column.attname.data.as_ptr()),
            class: class(column.atttypid, column.atttypmod),
            options: options(pg_sys::GetForeignColumnOptions(relid, column.attnum)),
        });
        let columns = columns.collect();
        let name = qualified_name(relid);
        pg_sys::relation_close(relation, pg_sys::NoLock as i32);
        RawTable { name, server: (*table).serverid, options: options((*table).options), columns }
    }
}

/// A foreign table, kept from changing until the transaction ends; `None` if it is gone.
pub fn locked_foreign_table(relid: Oid) -> Option<RawTable> {
    // SAFETY: a relation that was opened is closed; its lock is kept.
    unsafe {
        let relation = pg_sys::try_relation_open(relid, pg_sys::AccessShareLock as i32);
        if relation.is_null() {
            return None;
        }
        pg_sys::relation_close(relation, pg_sys::NoLock as i32);
    }
    Some(foreign_table(relid))
}

/// A relation's name with its schema's, in quotes where it needs them alone.
///
/// # Safety
/// The relation exists.
pub unsafe fn qualified_name(relid: Oid) -> String {
    // SAFETY: as above; both functions give palloc'ed C strings.
    with_plain_settings(|| unsafe {
        let schema: *const c_char = pg_sys::get_namespace_name(pg_sys::get_rel_namespace(relid));
        let name: *const c_char = pg_sys::get_rel_name(relid);
        text(pg_sys::quote_qualified_identifier(schema, name))
    })
}

/// A type that holds whole values: one with a length cuts them, or refuses.
fn class(oid: Oid, modifier: i32) -> Class {
    match oid {
        pg_sys::BOOLOID => Class::Boolean,
        pg_sys::INT4OID | pg_sys::INT8OID => Class::Integer,
        pg_sys::NUMERICOID if modifier < 0 => Class::Numeric,
        pg_sys::FLOAT8OID => Class::Float,
        pg_sys::TEXTOID => Class::Text,
        pg_sys::VARCHAROID if modifier < 0 => Class::Text,
        pg_sys::DATEOID => Class::Date,
        pg_sys::TIMESTAMPTZOID if modifier < 0 => Class::Timestamptz,
        _ => Class::Other,
    }
}

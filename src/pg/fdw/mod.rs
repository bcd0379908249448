//! The callbacks of the foreign-data wrapper: PostgreSQL's trees to plain data and back.
//!
//! What is decided is decided in [`crate::fdw`].

mod analyze;
mod execute;
mod expression;
mod import;
mod modify;
mod paths;
mod planner;
mod slot;
mod target;
mod value;

use std::ffi::c_char;

use pgrx::pg_sys;

use super::nodes::{options, text};
use super::with_plain_settings;
use crate::fdw::{Class, RawColumn, RawTable};

/// The version of the calling convention.
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn pg_finfo_odoo_fdw_handler_wrapper() -> &'static pg_sys::Pg_finfo_record {
    const RECORD: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
    &RECORD
}

/// odoo_fdw_handler(): the callbacks.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn odoo_fdw_handler_wrapper(
    _call: pg_sys::FunctionCallInfo,
) -> pg_sys::Datum {
    let routine = pg_sys::FdwRoutine {
        type_: pg_sys::NodeTag::T_FdwRoutine,
        GetForeignRelSize: Some(planner::size),
        GetForeignPaths: Some(paths::paths),
        GetForeignPlan: Some(planner::plan),
        GetForeignUpperPaths: Some(paths::upper_paths),
        BeginForeignScan: Some(execute::begin),
        IterateForeignScan: Some(execute::iterate),
        ReScanForeignScan: Some(execute::rescan),
        EndForeignScan: Some(execute::end),
        ExplainForeignScan: Some(execute::explain),
        IsForeignRelUpdatable: Some(target::is_updatable),
        AddForeignUpdateTargets: Some(target::add_targets),
        PlanForeignModify: Some(target::plan),
        BeginForeignModify: Some(modify::begin),
        BeginForeignInsert: Some(modify::begin_insert),
        GetForeignModifyBatchSize: Some(modify::batch_size),
        ExecForeignInsert: Some(modify::insert),
        ExecForeignBatchInsert: Some(modify::insert_batch),
        ExecForeignUpdate: Some(modify::update),
        ExecForeignDelete: Some(modify::delete),
        EndForeignModify: Some(modify::end),
        AnalyzeForeignTable: Some(analyze::analyze),
        ImportForeignSchema: Some(import::import),
        ..Default::default()
    };
    // SAFETY: PostgreSQL's own node allocator; the routine lives in the caller's context.
    let routine = unsafe {
        let node = pg_sys::palloc0(size_of::<pg_sys::FdwRoutine>()).cast::<pg_sys::FdwRoutine>();
        node.write(routine);
        node
    };
    pg_sys::Datum::from(routine)
}

/// The role as which a table of the query is read: a view's owner, or the current user.
///
/// # Safety
/// The entry is one of the query's range table.
unsafe fn user_of(entry: *const pg_sys::RangeTblEntry) -> pg_sys::Oid {
    // SAFETY: as above.
    unsafe {
        match (*entry).checkAsUser {
            pg_sys::InvalidOid => pg_sys::GetUserId(),
            user => user,
        }
    }
}

/// A foreign table as the catalogs have it. The caller holds a lock on it.
fn foreign_table(relid: pg_sys::Oid) -> RawTable {
    // SAFETY: the lock is held already; the relation is closed before anything else can raise an
    // error but those of PostgreSQL, which close it too.
    unsafe {
        let table = pg_sys::GetForeignTable(relid);
        let relation = pg_sys::relation_open(relid, pg_sys::NoLock as i32);
        let descriptor = (*relation).rd_att;
        let columns = (0..(*descriptor).natts)
            .filter_map(|index| {
                let column =
                    (*descriptor).attrs.as_slice((*descriptor).natts as usize)[index as usize];
                (!column.attisdropped).then(|| RawColumn {
                    attribute: column.attnum,
                    name: text(column.attname.data.as_ptr()),
                    class: class(column.atttypid, column.atttypmod),
                    options: options(pg_sys::GetForeignColumnOptions(relid, column.attnum)),
                })
            })
            .collect();
        let name = qualified_name(relid);
        pg_sys::relation_close(relation, pg_sys::NoLock as i32);
        RawTable { name, server: (*table).serverid, options: options((*table).options), columns }
    }
}

/// A foreign table as the catalogs have it, kept from changing until the transaction ends; `None`
/// if it is gone.
pub fn locked_foreign_table(relid: pg_sys::Oid) -> Option<RawTable> {
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
unsafe fn qualified_name(relid: pg_sys::Oid) -> String {
    // SAFETY: as above; both functions give palloc'ed C strings.
    with_plain_settings(|| unsafe {
        let schema: *const c_char = pg_sys::get_namespace_name(pg_sys::get_rel_namespace(relid));
        let name: *const c_char = pg_sys::get_rel_name(relid);
        text(pg_sys::quote_qualified_identifier(schema, name))
    })
}

/// A type that holds whole values: one with a length cuts them, or refuses.
fn class(oid: pg_sys::Oid, modifier: i32) -> Class {
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

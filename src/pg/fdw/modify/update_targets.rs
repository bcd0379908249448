//! AddForeignUpdateTargets: what tells the row that is to be changed.

use std::ffi::CString;

use pgrx::{PgSqlErrorCode, pg_sys};

use crate::failure::Failure;
use crate::pg::compat;
use crate::pg::fdw::contract::Table;
use crate::pg::fdw::table::foreign_table;
use crate::pg::nodes::text;
use crate::quote::ident;

/// By which the plan's junk column with the record's id is known. Of one name all are alike,
/// whichever of a parent's children they are about.
pub fn row_id_name(attribute: i16, oid: pg_sys::Oid) -> CString {
    CString::new(format!("odoo_id_{attribute}_{}", oid.to_u32())).unwrap_or_default()
}

/// IsForeignRelUpdatable: whether the server allows it is said when it is tried.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn is_updatable(_relation: pg_sys::Relation) -> i32 {
    let bit = |command: pg_sys::CmdType::Type| 1 << command;
    bit(pg_sys::CmdType::CMD_INSERT)
        | bit(pg_sys::CmdType::CMD_UPDATE)
        | bit(pg_sys::CmdType::CMD_DELETE)
}

/// AddForeignUpdateTargets: the id of the record that a row shows.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn add_targets<T: Table>(
    root: *mut pg_sys::PlannerInfo,
    index: pg_sys::Index,
    entry: *mut pg_sys::RangeTblEntry,
    relation: pg_sys::Relation,
) {
    // SAFETY: the planner's structs are whole when it calls; the table is open and locked.
    unsafe {
        let table = foreign_table((*entry).relid);
        let Some(id) = T::row_id(&table) else {
            Failure::new(
                PgSqlErrorCode::ERRCODE_FDW_ERROR,
                format!("foreign table \"{}\" has no column for the id", table.name),
            )
            .detail("Without it the record to change is not known.")
            .hint("ALTER FOREIGN TABLE … ADD COLUMN id bigint;")
            .raise();
        };
        let column = &compat::columns((*relation).rd_att)[id as usize - 1];
        if !matches!(
            pg_sys::getBaseType(column.atttypid),
            pg_sys::INT2OID | pg_sys::INT4OID | pg_sys::INT8OID
        ) {
            let (table, id) = (&table.name, ident(&text(column.attname.data.as_ptr())));
            Failure::new(
                PgSqlErrorCode::ERRCODE_FDW_INVALID_DATA_TYPE,
                format!("the column {id} of foreign table {table} holds no integers"),
            )
            .detail("It shows the id, by which the record to change is known.")
            .hint(format!("ALTER FOREIGN TABLE {table} ALTER COLUMN {id} TYPE bigint;"))
            .raise();
        }
        let var = pg_sys::makeVar(
            index as i32,
            id,
            column.atttypid,
            column.atttypmod,
            pg_sys::InvalidOid,
            0,
        );
        let name = row_id_name(id, column.atttypid);
        pg_sys::add_row_identity_var(root, var, index, name.as_ptr());
    }
}

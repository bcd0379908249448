//! What the planner asks of a foreign table that is to be changed.

use std::ffi::CString;
use std::ptr;

use pgrx::{PgSqlErrorCode, pg_sys};

use super::planner::private_list;
use super::{foreign_table, text, user_of};
use crate::failure::{Failure, OrRaise};
use crate::fdw::{Action, Relation, Table};
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
pub unsafe extern "C-unwind" fn add_targets(
    root: *mut pg_sys::PlannerInfo,
    index: pg_sys::Index,
    entry: *mut pg_sys::RangeTblEntry,
    relation: pg_sys::Relation,
) {
    // SAFETY: the planner's structs are whole when it calls; the table is open and locked.
    unsafe {
        let table = Table::from(foreign_table((*entry).relid));
        let Some(id) = table.columns.iter().find(|column| column.field == "id") else {
            Failure::new(
                PgSqlErrorCode::ERRCODE_FDW_ERROR,
                format!("foreign table \"{}\" has no column for the id", table.name),
            )
            .detail("Without it the record to change is not known.")
            .hint("ALTER FOREIGN TABLE … ADD COLUMN id bigint;")
            .raise();
        };
        let descriptor = (*relation).rd_att;
        let columns = (*descriptor).attrs.as_slice((*descriptor).natts as usize);
        let column = &columns[id.attribute as usize - 1];
        if !matches!(
            pg_sys::getBaseType(column.atttypid),
            pg_sys::INT2OID | pg_sys::INT4OID | pg_sys::INT8OID
        ) {
            let (table, id) = (&table.name, ident(&id.name));
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
            id.attribute,
            column.atttypid,
            column.atttypmod,
            pg_sys::InvalidOid,
            0,
        );
        let name = row_id_name(id.attribute, column.atttypid);
        pg_sys::add_row_identity_var(root, var, index, name.as_ptr());
    }
}

/// PlanForeignModify.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn plan(
    root: *mut pg_sys::PlannerInfo,
    plan: *mut pg_sys::ModifyTable,
    index: pg_sys::Index,
    subplan: i32,
) -> *mut pg_sys::List {
    // SAFETY: the planner's structs are whole when it calls; the table is locked.
    unsafe {
        let entry = *(*root).simple_rte_array.add(index as usize);
        if (*plan).onConflictAction != pg_sys::OnConflictAction::ONCONFLICT_NONE {
            Failure::new(
                PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
                "INSERT with an ON CONFLICT clause is not supported by odoo_fdw",
            )
            .raise();
        }
        let offset = pg_sys::FirstLowInvalidHeapAttributeNumber;
        let is_in = |set, attribute: i16| pg_sys::bms_is_member(i32::from(attribute) - offset, set);
        let raw = foreign_table((*entry).relid);
        let all: Vec<i16> = raw.columns.iter().map(|column| column.attribute).collect();
        let relation = Relation::open(raw, user_of(entry)).or_raise();
        let (action, attributes) = match (*plan).operation {
            // What the statement does not name gets Odoo's own default.
            pg_sys::CmdType::CMD_INSERT => {
                let named = all.into_iter().filter(|column| is_in((*entry).insertedCols, *column));
                (Action::Insert, named.collect())
            }
            pg_sys::CmdType::CMD_UPDATE => {
                let named = all.into_iter().filter(|column| is_in((*entry).updatedCols, *column));
                (Action::Update, named.collect())
            }
            _ => (Action::Delete, Vec::new()),
        };
        let mut set = ptr::null_mut();
        if !(*plan).returningLists.is_null() {
            let list = pg_sys::list_nth((*plan).returningLists, subplan);
            pg_sys::pull_varattnos(list.cast(), index, &mut set);
        }
        let returned: Vec<i16> = relation
            .table
            .columns
            .iter()
            .map(|column| column.attribute)
            .filter(|column| is_in(set, *column) || is_in(set, 0))
            .collect();
        private_list(&relation.modify(action, &attributes, &returned).or_raise().to_text())
    }
}

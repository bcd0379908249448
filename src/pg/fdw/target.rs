//! What the planner asks of a foreign table that is to be changed.

use std::ffi::CString;
use std::ptr;

use pgrx::{PgSqlErrorCode, pg_sys};

use super::planner::private_list;
use super::{foreign_table, user_of};
use crate::failure::{Failure, OrRaise};
use crate::fdw::{Action, Relation, Table};
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
            refuse("INSERT with an ON CONFLICT clause is not supported by odoo_fdw").raise();
        }
        if !(*plan).withCheckOptionLists.is_null() {
            refuse("a foreign table of odoo_fdw cannot be changed WITH CHECK OPTION")
                .detail("Odoo would have the record before it could be checked.")
                .raise();
        }
        let raw = foreign_table((*entry).relid);
        let all: Vec<i16> = raw.columns.iter().map(|column| column.attribute).collect();
        let relation = Relation::open(raw, user_of(entry)).or_raise();
        let action = match (*plan).operation {
            pg_sys::CmdType::CMD_INSERT => Action::Insert,
            pg_sys::CmdType::CMD_UPDATE => Action::Update,
            _ => Action::Delete,
        };
        let changed = changed(root, index, action);
        let attributes: Vec<i16> =
            all.into_iter().filter(|column| is_in(changed, *column)).collect();
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

fn refuse(message: &str) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, message)
}

/// Whether a set of the planner's has a column.
///
/// # Safety
/// The set is one of attribute numbers, or null.
unsafe fn is_in(set: *mut pg_sys::Bitmapset, attribute: i16) -> bool {
    let offset = pg_sys::FirstLowInvalidHeapAttributeNumber;
    // SAFETY: as above.
    unsafe { pg_sys::bms_is_member(i32::from(attribute) - offset, set) }
}

/// The columns that a statement gives values to: those that it names, and those that PostgreSQL
/// fills itself. What is left of a new record gets Odoo's own default.
///
/// # Safety
/// The table is one of the query's, and locked.
unsafe fn changed(
    root: *mut pg_sys::PlannerInfo,
    index: pg_sys::Index,
    action: Action,
) -> *mut pg_sys::Bitmapset {
    // SAFETY: as above; the relation is closed before anything else can raise an error but those
    // that close it too.
    unsafe {
        let entry = *(*root).simple_rte_array.add(index as usize);
        let relation = pg_sys::table_open((*entry).relid, pg_sys::NoLock as i32);
        refuse_triggers(relation, action);
        let changed = match action {
            Action::Insert => {
                let descriptor = (*relation).rd_att;
                let columns = (*descriptor).attrs.as_slice((*descriptor).natts as usize);
                let offset = pg_sys::FirstLowInvalidHeapAttributeNumber;
                let filled = columns.iter().filter(|column| column.atthasdef);
                filled.fold(pg_sys::bms_copy((*entry).insertedCols), |set, column| {
                    pg_sys::bms_add_member(set, i32::from(column.attnum) - offset)
                })
            }
            Action::Update => {
                let named = (*entry).updatedCols;
                let generated = pg_sys::get_dependent_generated_columns(root, index, named);
                pg_sys::bms_union(named, generated)
            }
            Action::Delete => ptr::null_mut(),
        };
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        changed
    }
}

/// Refuses triggers that may change a row before it is sent: which columns they give values to is
/// not known.
///
/// # Safety
/// The relation is open.
unsafe fn refuse_triggers(relation: pg_sys::Relation, action: Action) {
    let event = match action {
        Action::Insert => pg_sys::TRIGGER_TYPE_INSERT,
        Action::Update => pg_sys::TRIGGER_TYPE_UPDATE,
        Action::Delete => return,
    };
    let wanted = (pg_sys::TRIGGER_TYPE_ROW | pg_sys::TRIGGER_TYPE_BEFORE | event) as i16;
    // SAFETY: as above; the description, if there is one, is whole, and its names are C strings.
    unsafe {
        let Some(all) = (*relation).trigdesc.as_ref() else {
            return;
        };
        let triggers = std::slice::from_raw_parts(all.triggers, all.numtriggers as usize);
        let refused = triggers.iter().find(|trigger| {
            trigger.tgtype & wanted == wanted && trigger.tgenabled as u8 != pg_sys::TRIGGER_DISABLED
        });
        if let Some(trigger) = refused {
            refuse(&format!(
                "the trigger \"{}\" is not supported by odoo_fdw",
                text(trigger.tgname)
            ))
            .detail("What a trigger BEFORE … FOR EACH ROW changes would not reach Odoo.")
            .hint("A trigger AFTER … FOR EACH ROW is, or one on a view of the table.")
            .raise();
        }
    }
}

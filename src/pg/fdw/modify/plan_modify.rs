//! PlanForeignModify: which columns get values, and which are returned.

use std::ptr;

use pgrx::{PgSqlErrorCode, pg_sys};

use crate::failure::{Failure, OrRaise};
use crate::pg::compat;
use crate::pg::fdw::asked::Action;
use crate::pg::fdw::contract::Table;
use crate::pg::fdw::private::{ModifyPlan, to_list};
use crate::pg::fdw::table::foreign_table;
use crate::pg::nodes::{is_member, text};

/// PlanForeignModify.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn plan<T: Table>(
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
        let table = foreign_table((*entry).relid);
        let (id, all) = (T::row_id(&table), table.attributes());
        let table = T::open(table, compat::planned_as(root, index)).or_raise();
        let action = match (*plan).operation {
            pg_sys::CmdType::CMD_INSERT => Action::Insert,
            pg_sys::CmdType::CMD_UPDATE => Action::Update,
            _ => Action::Delete,
        };
        let changed = changed(root, index, action);
        let is_written = |attribute: &i16| is_member(changed, *attribute);
        let written: Vec<i16> = all.iter().copied().filter(is_written).collect();
        let mut set = ptr::null_mut();
        if !(*plan).returningLists.is_null() {
            let list = pg_sys::list_nth((*plan).returningLists, subplan);
            pg_sys::pull_varattnos(list.cast(), index, &mut set);
        }
        let is_whole_row = is_member(set, 0);
        let is_returned = |attribute: &i16| {
            Some(*attribute) != id && (is_whole_row || is_member(set, *attribute))
        };
        let returned: Vec<i16> = all.into_iter().filter(is_returned).collect();
        let plan = table.plan_modification(action, &written, &returned).or_raise();
        to_list(&ModifyPlan { action, id, written, returned, plan })
    }
}

fn refuse(message: &str) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, message)
}

/// A generated column that is not stored, in 18 and later (catalog/pg_attribute.h).
const VIRTUAL: u8 = b'v';

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
        let columns = compat::columns((*relation).rd_att);
        let member = |column: &pg_sys::FormData_pg_attribute| {
            i32::from(column.attnum) - pg_sys::FirstLowInvalidHeapAttributeNumber
        };
        let changed = match action {
            Action::Insert => {
                let inserted = pg_sys::bms_copy(compat::inserted_columns(root, index));
                let filled = columns.iter().filter(|column| column.atthasdef);
                filled.fold(inserted, |set, column| pg_sys::bms_add_member(set, member(column)))
            }
            Action::Update => {
                let updated = compat::updated_columns(root, index);
                let generated = pg_sys::get_dependent_generated_columns(root, index, updated);
                pg_sys::bms_union(updated, generated)
            }
            Action::Delete => ptr::null_mut(),
        };
        // What is computed when it is read has no value to send.
        let virtual_ones = columns.iter().filter(|column| column.attgenerated as u8 == VIRTUAL);
        let changed =
            virtual_ones.fold(changed, |set, column| pg_sys::bms_del_member(set, member(column)));
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

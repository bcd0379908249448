//! BeginForeignModify to EndForeignModify.

use std::ptr;

use pgrx::{PgMemoryContexts, PgSqlErrorCode, pg_sys};

use super::rows::{met, tell, values};
use super::statement::{Work, at_work, name_of, statement};
use super::update_targets::row_id_name;
use crate::failure::{Failure, OrRaise};
use crate::pg::compat;
use crate::pg::fdw::asked::Action;
use crate::pg::fdw::contract::Modification;
use crate::pg::fdw::private::{ModifyPlan, from_list};
use crate::pg::fdw::slot::Maker;
use crate::pg::fdw::table::foreign_table;

/// BeginForeignModify.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn begin<M: Modification>(
    state: *mut pg_sys::ModifyTableState,
    result: *mut pg_sys::ResultRelInfo,
    private: *mut pg_sys::List,
    _subplan: i32,
    flags: i32,
) {
    // SAFETY: the executor's structs are whole when it calls, in the query's memory, where what
    // the makers need stays.
    unsafe {
        if flags & pg_sys::EXEC_FLAG_EXPLAIN_ONLY as i32 != 0 {
            return;
        }
        let executor = (*state).ps.state;
        let plan: ModifyPlan<M::Plan> = from_list(private).or_raise();
        let relation = (*result).ri_RelationDesc;
        let server = foreign_table((*relation).rd_id).server;
        let descriptor = (*relation).rd_att;
        let row_id = match (plan.action, plan.id) {
            (Action::Update | Action::Delete, Some(attribute)) => {
                let oid = compat::columns(descriptor)[attribute as usize - 1].atttypid;
                let name = row_id_name(attribute, oid);
                let list = (*(*(*state).ps.lefttree).plan).targetlist;
                (pg_sys::ExecFindJunkAttributeInTlist(list, name.as_ptr()), oid)
            }
            _ => (0, pg_sys::InvalidOid),
        };
        let user = compat::modified_as(executor, result);
        let modification = M::begin(plan.plan, server, user).or_raise();
        // Row triggers and RETURNING want each row's own answer.
        let returning = (*(*state).ps.plan.cast::<pg_sys::ModifyTable>()).returningLists;
        let is_plain = (*result).ri_TrigDesc.is_null() && returning.is_null();
        let id = plan.id.as_slice();
        let work = Work {
            id: id.iter().copied().zip(Maker::all(descriptor, id)).next(),
            makers: Maker::all(descriptor, &plan.returned),
            written: plan.written,
            returned: plan.returned,
            modification,
            row_id,
            batch: if is_plain { M::BATCH as i32 } else { 1 },
            row_memory: pg_sys::AllocSetContextCreateExtended(
                (*executor).es_query_cxt,
                c"odoo_fdw row".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            ),
        };
        let mut memory = PgMemoryContexts::For((*executor).es_query_cxt);
        (*result).ri_FdwState = memory.leak_and_drop_on_delete(Some(work)).cast();
    }
}

/// BeginForeignInsert: COPY, and rows that a partitioned table sends here.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn begin_insert(
    _state: *mut pg_sys::ModifyTableState,
    result: *mut pg_sys::ResultRelInfo,
) {
    // SAFETY: the executor's struct is whole when it calls.
    let name = unsafe { name_of(result) };
    Failure::new(
        PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
        format!("COPY and partitions are not supported by odoo_fdw, as for {name}"),
    )
    .hint(format!("INSERT INTO {name} SELECT … makes records of rows."))
    .raise();
}

/// GetForeignModifyBatchSize.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn batch_size<M: Modification>(
    result: *mut pg_sys::ResultRelInfo,
) -> i32 {
    // SAFETY: the executor's struct is whole when it calls; EXPLAIN prepares nothing.
    unsafe { statement::<M>(result) }.and_then(|work| work.as_ref()).map_or(1, |work| work.batch)
}

/// ExecForeignInsert.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn insert<M: Modification>(
    state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
    slot: *mut pg_sys::TupleTableSlot,
    plan_slot: *mut pg_sys::TupleTableSlot,
) -> *mut pg_sys::TupleTableSlot {
    let (mut slots, mut plan_slots, mut count) = ([slot], [plan_slot], 1);
    // SAFETY: as for a batch of one row.
    unsafe {
        insert_batch::<M>(state, result, slots.as_mut_ptr(), plan_slots.as_mut_ptr(), &mut count);
    }
    slot
}

/// ExecForeignBatchInsert.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn insert_batch<M: Modification>(
    _state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
    slots: *mut *mut pg_sys::TupleTableSlot,
    _plan_slots: *mut *mut pg_sys::TupleTableSlot,
    count: *mut i32,
) -> *mut *mut pg_sys::TupleTableSlot {
    // SAFETY: the executor's structs are whole when it calls, with so many slots.
    unsafe {
        let work = at_work::<M>(result);
        let rows = std::slice::from_raw_parts(slots, *count as usize);
        let values = rows.iter().map(|slot| values(*slot, work)).collect();
        let ids = work.modification.insert(values).or_raise();
        if let (true, [slot], [id]) = (work.is_single(), rows, &ids[..]) {
            tell(work, *slot, *id);
        }
        slots
    }
}

/// ExecForeignUpdate.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn update<M: Modification>(
    _state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
    slot: *mut pg_sys::TupleTableSlot,
    plan_slot: *mut pg_sys::TupleTableSlot,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the executor's structs are whole when it calls.
    unsafe {
        let work = at_work::<M>(result);
        let Some(id) = met(work, result, plan_slot) else {
            return ptr::null_mut();
        };
        let values = values(slot, work);
        work.modification.update(id, values).or_raise();
        if work.is_single() {
            work.modification.flush().or_raise();
            tell(work, slot, id);
        }
        slot
    }
}

/// ExecForeignDelete.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn delete<M: Modification>(
    _state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
    slot: *mut pg_sys::TupleTableSlot,
    plan_slot: *mut pg_sys::TupleTableSlot,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the executor's structs are whole when it calls.
    unsafe {
        let work = at_work::<M>(result);
        let Some(id) = met(work, result, plan_slot) else {
            return ptr::null_mut();
        };
        if work.is_single() {
            // RETURNING reads the row from the slot, as the record was.
            pg_sys::ExecStoreAllNullTuple(slot);
            tell(work, slot, id);
        }
        work.modification.delete(id).or_raise();
        if work.is_single() {
            work.modification.flush().or_raise();
        }
        slot
    }
}

/// EndForeignModify.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn end<M: Modification>(
    _state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
) {
    // SAFETY: as for `update`.
    if let Some(work) = unsafe { statement::<M>(result) }.and_then(Option::take) {
        work.modification.end().or_raise();
    }
}

//! INSERT, UPDATE and DELETE on foreign tables.

use pgrx::{PgMemoryContexts, PgSqlErrorCode, pg_sys};

use super::super::in_own_memory;
use super::planner::private_text;
use super::slot::Maker;
use super::target::ROW_ID;
use super::value::{constant_of, written};
use super::{foreign_table, user_of};
use crate::failure::{Failure, OrRaise};
use crate::fdw::predicate::{Constant, Scalar};
use crate::fdw::{Action, BATCH, Fetched, Modification, ModifyPlan};
use crate::odoo::Cells;

/// A statement between its begin and its end; the query's memory drops it.
struct Work {
    modification: Option<Modification>,
    /// The junk column.
    row_id: pg_sys::AttrNumber,
    /// Rows in one request; one each if the statement wants each row's own answer.
    batch: i32,
    /// One for each column that RETURNING needs.
    makers: Vec<Maker>,
}

/// # Safety
/// [`begin`] was called for the table, or nothing was.
unsafe fn work<'a>(result: *mut pg_sys::ResultRelInfo) -> Option<&'a mut Work> {
    // SAFETY: only `begin` sets the pointer; what it points to lives as long as the query.
    unsafe { (*result).ri_FdwState.cast::<Work>().as_mut() }
}

/// # Safety
/// As for [`work`].
unsafe fn modification<'a>(result: *mut pg_sys::ResultRelInfo) -> &'a mut Modification {
    // SAFETY: as above.
    match unsafe { work(result) }.and_then(|work| work.modification.as_mut()) {
        Some(modification) => modification,
        None => pgrx::error!("a foreign table was not prepared before it was changed"),
    }
}

/// BeginForeignModify.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn begin(
    state: *mut pg_sys::ModifyTableState,
    result: *mut pg_sys::ResultRelInfo,
    private: *mut pg_sys::List,
    _subplan: i32,
    flags: i32,
) {
    // SAFETY: the executor's structs are whole when it calls.
    unsafe {
        if flags & pg_sys::EXEC_FLAG_EXPLAIN_ONLY as i32 != 0 {
            return;
        }
        let executor = (*state).ps.state;
        let entry = pg_sys::exec_rt_fetch((*result).ri_RangeTableIndex, executor);
        let plan = ModifyPlan::from_text(&private_text(private)).or_raise();
        let server = foreign_table((*entry).relid).server;
        let subplan = (*(*state).ps.lefttree).plan;
        let row_id = match plan.action {
            Action::Insert => 0,
            _ => pg_sys::ExecFindJunkAttributeInTlist((*subplan).targetlist, ROW_ID.as_ptr()),
        };
        let modification = Modification::begin(plan, server, user_of(entry)).or_raise();
        // Row triggers and RETURNING want each row's own answer.
        let returning = (*(*state).ps.plan.cast::<pg_sys::ModifyTable>()).returningLists;
        let is_plain = (*result).ri_TrigDesc.is_null() && returning.is_null();
        let descriptor = (*(*result).ri_RelationDesc).rd_att;
        let columns = (*descriptor).attrs.as_slice((*descriptor).natts as usize);
        let maker = |column: &Fetched| {
            let column = &columns[column.attribute as usize - 1];
            Maker::new(column.atttypid, column.atttypmod)
        };
        let work = Work {
            makers: modification.plan().returned.iter().map(maker).collect(),
            modification: Some(modification),
            row_id,
            batch: if is_plain { BATCH as i32 } else { 1 },
        };
        let kept = PgMemoryContexts::For((*executor).es_query_cxt).leak_and_drop_on_delete(work);
        (*result).ri_FdwState = kept.cast();
    }
}

/// BeginForeignInsert: COPY, and rows that a partitioned table sends here.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn begin_insert(
    _state: *mut pg_sys::ModifyTableState,
    _result: *mut pg_sys::ResultRelInfo,
) {
    Failure::new(
        PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
        "COPY and partitions are not supported by odoo_fdw",
    )
    .hint("INSERT INTO … SELECT … makes records of rows.")
    .raise();
}

/// GetForeignModifyBatchSize.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn batch_size(result: *mut pg_sys::ResultRelInfo) -> i32 {
    // SAFETY: the executor's struct is whole when it calls.
    unsafe { work(result) }.map_or(1, |work| work.batch)
}

/// The values that a row has for the plan's columns.
unsafe fn values(slot: *mut pg_sys::TupleTableSlot, plan: &ModifyPlan) -> Vec<Constant> {
    // SAFETY: the slot holds a row of the table; a slot keeps its values in memory of its own.
    in_own_memory(|| unsafe {
        let descriptor = (*slot).tts_tupleDescriptor;
        let columns = (*descriptor).attrs.as_slice((*descriptor).natts as usize);
        plan.written
            .iter()
            .map(|column| {
                let oid = columns[column.attribute as usize - 1].atttypid;
                let mut is_null = false;
                let datum = pg_sys::slot_getattr(slot, column.attribute.into(), &mut is_null);
                constant_of(datum, is_null, oid)
                    .unwrap_or_else(|| Constant::One(Scalar::Text(written(datum, oid))))
            })
            .collect()
    })
}

/// Puts a record's id, and what RETURNING needs of it, into its row.
unsafe fn answer(
    slot: *mut pg_sys::TupleTableSlot,
    work: &mut Work,
    plan: &ModifyPlan,
    id: i64,
    cells: &[Cells],
) {
    // SAFETY: the slot holds a row of the table; the tuple, a copy with other values, is made in
    // the memory that was current before, and the slot frees it.
    unsafe {
        pg_sys::slot_getallattrs(slot);
        let outer = pg_sys::CurrentMemoryContext;
        let tuple = in_own_memory(|| {
            let descriptor = (*slot).tts_tupleDescriptor;
            let width = (*descriptor).natts as usize;
            let columns = (*descriptor).attrs.as_slice(width);
            let mut values = std::slice::from_raw_parts((*slot).tts_values, width).to_vec();
            let mut is_null = std::slice::from_raw_parts((*slot).tts_isnull, width).to_vec();
            let mut set = |attribute: i16, datum: Option<pg_sys::Datum>| {
                let index = attribute as usize - 1;
                is_null[index] = datum.is_none();
                values[index] = datum.unwrap_or(pg_sys::Datum::null());
            };
            if let Some(attribute) = plan.id {
                let column = &columns[attribute as usize - 1];
                let ids = Cells::Integers(vec![Some(id)]);
                set(attribute, Maker::new(column.atttypid, column.atttypmod).datum(&ids, 0));
            }
            for ((column, maker), cells) in plan.returned.iter().zip(&mut work.makers).zip(cells) {
                set(column.attribute, maker.datum(cells, 0));
            }
            pg_sys::MemoryContextSwitchTo(outer);
            pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), is_null.as_mut_ptr())
        });
        pg_sys::ExecForceStoreHeapTuple(tuple, slot, true);
    }
}

/// Whether each row has a request of its own.
unsafe fn is_single(result: *mut pg_sys::ResultRelInfo) -> bool {
    // SAFETY: as for `work`.
    unsafe { work(result) }.is_some_and(|work| work.batch == 1)
}

/// Tells RETURNING what it asks of a record.
unsafe fn tell(result: *mut pg_sys::ResultRelInfo, slot: *mut pg_sys::TupleTableSlot, id: i64) {
    // SAFETY: as for `work`; the slot is the row's.
    unsafe {
        let cells = modification(result).returned(id).or_raise();
        let plan = modification(result).plan().clone();
        if let Some(work) = work(result) {
            answer(slot, work, &plan, id, &cells);
        }
    }
}

/// ExecForeignInsert.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn insert(
    state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
    slot: *mut pg_sys::TupleTableSlot,
    plan_slot: *mut pg_sys::TupleTableSlot,
) -> *mut pg_sys::TupleTableSlot {
    let (mut slots, mut plan_slots, mut count) = ([slot], [plan_slot], 1);
    // SAFETY: as for a batch of one row.
    unsafe {
        insert_batch(state, result, slots.as_mut_ptr(), plan_slots.as_mut_ptr(), &mut count);
    }
    slot
}

/// ExecForeignBatchInsert.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn insert_batch(
    _state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
    slots: *mut *mut pg_sys::TupleTableSlot,
    _plan_slots: *mut *mut pg_sys::TupleTableSlot,
    count: *mut i32,
) -> *mut *mut pg_sys::TupleTableSlot {
    // SAFETY: the executor's structs are whole when it calls, with so many slots.
    unsafe {
        let modification = modification(result);
        let rows = std::slice::from_raw_parts(slots, *count as usize);
        let values = rows.iter().map(|slot| values(*slot, modification.plan())).collect();
        let ids = modification.insert(values).or_raise();
        if let (true, [slot], [id]) = (is_single(result), rows, &ids[..]) {
            tell(result, *slot, *id);
        }
        slots
    }
}

/// The id of the record that a row of the plan is about.
unsafe fn row_id(
    result: *mut pg_sys::ResultRelInfo,
    plan_slot: *mut pg_sys::TupleTableSlot,
) -> i64 {
    // SAFETY: the junk column is of the id column's type.
    unsafe {
        let attribute = work(result).map_or(0, |work| work.row_id);
        let mut is_null = true;
        let datum = pg_sys::ExecGetJunkAttribute(plan_slot, attribute, &mut is_null);
        if is_null {
            pgrx::error!("a row of a foreign table has no id");
        }
        // An integer is passed with its sign.
        datum.value() as i64
    }
}

/// ExecForeignUpdate.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn update(
    _state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
    slot: *mut pg_sys::TupleTableSlot,
    plan_slot: *mut pg_sys::TupleTableSlot,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the executor's structs are whole when it calls.
    unsafe {
        let modification = modification(result);
        let values = values(slot, modification.plan());
        let id = row_id(result, plan_slot);
        modification.update(id, values).or_raise();
        if is_single(result) {
            modification.flush().or_raise();
            tell(result, slot, id);
        }
        slot
    }
}

/// ExecForeignDelete.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn delete(
    _state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
    slot: *mut pg_sys::TupleTableSlot,
    plan_slot: *mut pg_sys::TupleTableSlot,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the executor's structs are whole when it calls.
    unsafe {
        let modification = modification(result);
        let id = row_id(result, plan_slot);
        if is_single(result) {
            // RETURNING reads the row from the slot, as the record was.
            pg_sys::ExecStoreAllNullTuple(slot);
            tell(result, slot, id);
        }
        modification.delete(id).or_raise();
        if is_single(result) {
            modification.flush().or_raise();
        }
        slot
    }
}

/// EndForeignModify.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn end(
    _state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
) {
    // SAFETY: as for `update`.
    if let Some(work) = unsafe { work(result) }
        && let Some(modification) = work.modification.take()
    {
        modification.end().or_raise();
    }
}

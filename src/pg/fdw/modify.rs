//! INSERT, UPDATE and DELETE on foreign tables.

use std::ptr;

use pgrx::{FromDatum, PgMemoryContexts, PgSqlErrorCode, pg_sys};

use super::planner::private_text;
use super::slot::{Maker, encode};
use super::target::row_id_name;
use super::value::{constant_of, written};
use super::{foreign_table, qualified_name, user_of};
use crate::failure::{Failure, OrRaise};
use crate::fdw::query::predicate::{Constant, Scalar};
use crate::fdw::{Action, BATCH, Fetched, Modification, ModifyPlan};
use crate::odoo::Cells;
use crate::pg::with_plain_settings;

/// A statement between its begin and its end; the query's memory drops it.
struct Work {
    modification: Modification,
    /// The junk column with the record's id, and its type.
    row_id: (pg_sys::AttrNumber, pg_sys::Oid),
    /// Rows in one request; one each if the statement wants each row's own answer.
    batch: i32,
    /// The column that shows the id.
    id: Option<(i16, Maker)>,
    /// One for each column that RETURNING needs.
    makers: Vec<Maker>,
    /// What one row needs; the query's memory frees it.
    row_memory: pg_sys::MemoryContext,
}

impl Work {
    /// Whether each row has a request of its own.
    fn is_single(&self) -> bool {
        self.batch == 1
    }
}

/// The statement at work, until it ends. A caller lets go of it before the next one asks.
///
/// # Safety
/// [`begin`] was called for the table, or nothing was.
unsafe fn state<'a>(result: *mut pg_sys::ResultRelInfo) -> Option<&'a mut Option<Work>> {
    // SAFETY: only `begin` sets the pointer; what it points to lives as long as the query.
    unsafe { (*result).ri_FdwState.cast::<Option<Work>>().as_mut() }
}

/// # Safety
/// As for [`state`].
unsafe fn work<'a>(result: *mut pg_sys::ResultRelInfo) -> &'a mut Work {
    // SAFETY: as above.
    match unsafe { state(result) }.and_then(Option::as_mut) {
        Some(work) => work,
        None => pgrx::error!("a foreign table was not prepared before it was changed"),
    }
}

/// The name of a table that is changed.
///
/// # Safety
/// The executor's struct is whole.
unsafe fn name_of(result: *mut pg_sys::ResultRelInfo) -> String {
    // SAFETY: the executor holds the relation open.
    unsafe { qualified_name((*(*result).ri_RelationDesc).rd_id) }
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
    // SAFETY: the executor's structs are whole when it calls, in the query's memory, where what
    // the makers need stays.
    unsafe {
        if flags & pg_sys::EXEC_FLAG_EXPLAIN_ONLY as i32 != 0 {
            return;
        }
        let executor = (*state).ps.state;
        let entry = pg_sys::exec_rt_fetch((*result).ri_RangeTableIndex, executor);
        let plan = ModifyPlan::from_text(&private_text(private)).or_raise();
        let server = foreign_table((*entry).relid).server;
        let descriptor = (*(*result).ri_RelationDesc).rd_att;
        let columns = (*descriptor).attrs.as_slice((*descriptor).natts as usize);
        let maker = |attribute: i16| {
            let column = &columns[attribute as usize - 1];
            Maker::new(column)
        };
        let row_id = match (plan.action, plan.id) {
            (Action::Update | Action::Delete, Some(attribute)) => {
                let oid = columns[attribute as usize - 1].atttypid;
                let name = row_id_name(attribute, oid);
                let list = (*(*(*state).ps.lefttree).plan).targetlist;
                (pg_sys::ExecFindJunkAttributeInTlist(list, name.as_ptr()), oid)
            }
            _ => (0, pg_sys::InvalidOid),
        };
        let modification = Modification::begin(plan, server, user_of(entry)).or_raise();
        // Row triggers and RETURNING want each row's own answer.
        let returning = (*(*state).ps.plan.cast::<pg_sys::ModifyTable>()).returningLists;
        let is_plain = (*result).ri_TrigDesc.is_null() && returning.is_null();
        let returned = modification.plan().returned.iter();
        let work = Work {
            id: modification.plan().id.map(|attribute| (attribute, maker(attribute))),
            makers: returned.map(|column: &Fetched| maker(column.attribute)).collect(),
            modification,
            row_id,
            batch: if is_plain { BATCH as i32 } else { 1 },
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
pub unsafe extern "C-unwind" fn batch_size(result: *mut pg_sys::ResultRelInfo) -> i32 {
    // SAFETY: the executor's struct is whole when it calls; EXPLAIN prepares nothing.
    unsafe { state(result) }.and_then(|work| work.as_ref()).map_or(1, |work| work.batch)
}

/// Runs `body` in the memory of one row, which it empties first.
///
/// # Safety
/// Nothing that a row before left there is used any more.
unsafe fn in_row_memory<T>(memory: pg_sys::MemoryContext, body: impl FnOnce() -> T) -> T {
    // SAFETY: as above; the context lives as long as the query.
    unsafe {
        pg_sys::MemoryContextReset(memory);
        PgMemoryContexts::For(memory).switch_to(|_| body())
    }
}

/// The values that a row has for the plan's columns.
///
/// # Safety
/// The slot holds a row of the table.
unsafe fn values(slot: *mut pg_sys::TupleTableSlot, work: &Work) -> Vec<Constant> {
    // SAFETY: as above; a slot keeps its values in memory of its own, and what is returned is
    // Rust's own.
    unsafe {
        let descriptor = (*slot).tts_tupleDescriptor;
        let columns = (*descriptor).attrs.as_slice((*descriptor).natts as usize);
        let value = |column: &Fetched| {
            let oid = columns[column.attribute as usize - 1].atttypid;
            let mut is_null = false;
            let datum = pg_sys::slot_getattr(slot, column.attribute.into(), &mut is_null);
            value_of(datum, is_null, oid)
        };
        let written = work.modification.plan().written.iter();
        in_row_memory(work.row_memory, || written.map(value).collect())
    }
}

/// What Odoo takes for a value: bytes in base64, and as a text what no plain value stands for,
/// in one form whatever the session's settings.
///
/// # Safety
/// The datum is of that type.
unsafe fn value_of(datum: pg_sys::Datum, is_null: bool, oid: pg_sys::Oid) -> Constant {
    let text = |text| Constant::One(Scalar::Text(text));
    // SAFETY: as above.
    unsafe {
        match constant_of(datum, is_null, oid) {
            // As many digits as tell it from other numbers of its own type.
            Some(Constant::One(_)) if oid == pg_sys::FLOAT4OID => {
                let number = f32::from_datum(datum, false).unwrap_or_default();
                Constant::One(Scalar::Decimal(format!("{number:?}")))
            }
            Some(constant) => constant,
            None if oid == pg_sys::BYTEAOID => {
                text(encode(&Vec::<u8>::from_datum(datum, false).unwrap_or_default()))
            }
            None => text(with_plain_settings(|| written(datum, oid))),
        }
    }
}

/// Tells RETURNING what it asks of a record: puts it, and the id, into the row.
///
/// # Safety
/// The slot holds a row of the table.
unsafe fn tell(work: &mut Work, slot: *mut pg_sys::TupleTableSlot, id: i64) {
    let cells = work.modification.returned(id).or_raise();
    let makers = work.modification.plan().returned.iter().zip(&mut work.makers);
    // SAFETY: as above, and both arrays are as wide as the descriptor; the tuple, a copy with
    // other values, is made in the memory that was current before, and the slot frees it.
    unsafe {
        pg_sys::slot_getallattrs(slot);
        let descriptor = (*slot).tts_tupleDescriptor;
        let width = (*descriptor).natts as usize;
        let mut values = std::slice::from_raw_parts((*slot).tts_values, width).to_vec();
        let mut is_null = std::slice::from_raw_parts((*slot).tts_isnull, width).to_vec();
        let mut set = |attribute: i16, datum: Option<pg_sys::Datum>| {
            let index = attribute as usize - 1;
            is_null[index] = datum.is_none();
            values[index] = datum.unwrap_or(pg_sys::Datum::null());
        };
        in_row_memory(work.row_memory, || {
            if let Some((attribute, maker)) = &mut work.id {
                set(*attribute, maker.datum(&Cells::Integers(vec![Some(id)]), 0));
            }
            for ((column, maker), cells) in makers.zip(&cells) {
                set(column.attribute, maker.datum(cells, 0));
            }
        });
        let tuple = pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), is_null.as_mut_ptr());
        pg_sys::ExecForceStoreHeapTuple(tuple, slot, true);
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
        let work = work(result);
        let rows = std::slice::from_raw_parts(slots, *count as usize);
        let values = rows.iter().map(|slot| values(*slot, work)).collect();
        let ids = work.modification.insert(values).or_raise();
        if let (true, [slot], [id]) = (work.is_single(), rows, &ids[..]) {
            tell(work, *slot, *id);
        }
        slots
    }
}

/// The id of the record that a row of the plan is about; `None` if the statement has met it.
///
/// # Safety
/// The executor's structs are whole.
unsafe fn met(
    work: &mut Work,
    result: *mut pg_sys::ResultRelInfo,
    plan_slot: *mut pg_sys::TupleTableSlot,
) -> Option<i64> {
    let (attribute, oid) = work.row_id;
    // SAFETY: as above; the junk column is of the id column's type.
    unsafe {
        let mut is_null = true;
        let datum = pg_sys::ExecGetJunkAttribute(plan_slot, attribute, &mut is_null);
        match constant_of(datum, is_null, pg_sys::getBaseType(oid)) {
            Some(Constant::One(Scalar::Integer(id))) => work.modification.meet(id).then_some(id),
            _ => pgrx::error!("a row of the foreign table {} has no id", name_of(result)),
        }
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
        let work = work(result);
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
pub unsafe extern "C-unwind" fn delete(
    _state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
    slot: *mut pg_sys::TupleTableSlot,
    plan_slot: *mut pg_sys::TupleTableSlot,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the executor's structs are whole when it calls.
    unsafe {
        let work = work(result);
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
pub unsafe extern "C-unwind" fn end(
    _state: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
) {
    // SAFETY: as for `update`.
    if let Some(work) = unsafe { state(result) }.and_then(Option::take) {
        work.modification.end().or_raise();
    }
}

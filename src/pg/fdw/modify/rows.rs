//! The executor's rows to plain values, and what RETURNING tells of a record into them.

use pgrx::{FromDatum, PgMemoryContexts, pg_sys};

use super::statement::{Work, name_of};
use crate::failure::OrRaise;
use crate::pg::compat;
use crate::pg::fdw::contract::{Cells, Modification, Value};
use crate::pg::fdw::predicate::{Constant, Scalar};
use crate::pg::fdw::slot::encode;
use crate::pg::fdw::value::{constant_of, written};
use crate::pg::with_plain_settings;

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
pub unsafe fn values<M>(slot: *mut pg_sys::TupleTableSlot, work: &Work<M>) -> Vec<Constant> {
    // SAFETY: as above; a slot keeps its values in memory of its own, and what is returned is
    // Rust's own.
    unsafe {
        let columns = compat::columns((*slot).tts_tupleDescriptor);
        let value = |attribute: &i16| {
            let oid = columns[*attribute as usize - 1].atttypid;
            let mut is_null = false;
            let datum = pg_sys::slot_getattr(slot, (*attribute).into(), &mut is_null);
            value_of(datum, is_null, oid)
        };
        in_row_memory(work.row_memory, || work.written.iter().map(value).collect())
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
pub unsafe fn tell<M: Modification>(
    work: &mut Work<M>,
    slot: *mut pg_sys::TupleTableSlot,
    id: i64,
) {
    let cells = work.modification.returned(id).or_raise();
    let makers = work.returned.iter().zip(&mut work.makers);
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
                set(*attribute, maker.datum(Some(Value::Integer(id))));
            }
            for ((attribute, maker), cells) in makers.zip(&cells) {
                set(*attribute, maker.datum(cells.value(0)));
            }
        });
        let tuple = pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), is_null.as_mut_ptr());
        pg_sys::ExecForceStoreHeapTuple(tuple, slot, true);
    }
}

/// The id of the record that a row of the plan is about; `None` if the statement has met it.
///
/// # Safety
/// The executor's structs are whole.
pub unsafe fn met<M: Modification>(
    work: &mut Work<M>,
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

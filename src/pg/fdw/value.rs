//! PostgreSQL's values to plain ones.

use std::ptr;

use pgrx::{FromDatum, pg_sys};

use super::predicate::{Constant, Scalar};
use crate::pg::nodes::text;

/// A datum as a plain value; `None` for a type that is compared with no column.
///
/// # Safety
/// The datum is of that type.
pub unsafe fn constant_of(
    datum: pg_sys::Datum,
    is_null: bool,
    oid: pg_sys::Oid,
) -> Option<Constant> {
    if is_null {
        return Some(Constant::Null);
    }
    // SAFETY: as above.
    unsafe {
        match pg_sys::get_element_type(oid) {
            pg_sys::InvalidOid => scalar_of(datum, oid).map(Constant::One),
            element => elements_of(datum, element).map(Constant::Many),
        }
    }
}

/// # Safety
/// The datum is an array of elements of that type.
unsafe fn elements_of(datum: pg_sys::Datum, element: pg_sys::Oid) -> Option<Vec<Option<Scalar>>> {
    let (mut length, mut by_value, mut align) = (0, false, 0);
    let (mut items, mut nulls, mut count) = (ptr::null_mut(), ptr::null_mut(), 0);
    // SAFETY: as above; the array is detoasted first, and the results are palloc'ed.
    unsafe {
        pg_sys::get_typlenbyvalalign(element, &mut length, &mut by_value, &mut align);
        let array = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast();
        pg_sys::deconstruct_array(
            array,
            element,
            length.into(),
            by_value,
            align,
            &mut items,
            &mut nulls,
            &mut count,
        );
        (0..count as usize)
            .map(|index| match *nulls.add(index) {
                true => Some(None),
                false => scalar_of(*items.add(index), element).map(Some),
            })
            .collect()
    }
}

/// # Safety
/// The datum is of that type and not NULL.
unsafe fn scalar_of(datum: pg_sys::Datum, oid: pg_sys::Oid) -> Option<Scalar> {
    // SAFETY: as above; the output functions give palloc'ed C strings.
    unsafe {
        Some(match oid {
            pg_sys::BOOLOID => Scalar::Boolean(datum.value() != 0),
            pg_sys::INT2OID => Scalar::Integer(i16::from_datum(datum, false)?.into()),
            pg_sys::INT4OID => Scalar::Integer(i32::from_datum(datum, false)?.into()),
            pg_sys::INT8OID => Scalar::Integer(i64::from_datum(datum, false)?),
            pg_sys::NUMERICOID => Scalar::Decimal(written(datum, oid)),
            // The shortest text that stands for the very number.
            pg_sys::FLOAT4OID => {
                Scalar::Decimal(format!("{:?}", f64::from(f32::from_datum(datum, false)?)))
            }
            pg_sys::FLOAT8OID => Scalar::Decimal(format!("{:?}", f64::from_datum(datum, false)?)),
            pg_sys::TEXTOID | pg_sys::VARCHAROID => Scalar::Text(written(datum, oid)),
            pg_sys::DATEOID => Scalar::Date(i32::from_datum(datum, false)?),
            pg_sys::TIMESTAMPTZOID => Scalar::Time(i64::from_datum(datum, false)?),
            _ => return None,
        })
    }
}

/// A value as its type writes it, which for some types depends on settings.
///
/// # Safety
/// The datum is of that type and not NULL.
pub unsafe fn written(datum: pg_sys::Datum, oid: pg_sys::Oid) -> String {
    let (mut function, mut is_varlena) = (pg_sys::InvalidOid, false);
    // SAFETY: as above.
    unsafe {
        pg_sys::getTypeOutputInfo(oid, &mut function, &mut is_varlena);
        text(pg_sys::OidOutputFunctionCall(function, datum))
    }
}

/// A date or a time without a zone as the time that a comparison with a `timestamptz` takes it
/// for, an infinity if it is beyond all of those; other values as they are.
///
/// # Safety
/// The datum is of that type and not NULL.
pub unsafe fn as_time(datum: pg_sys::Datum, oid: pg_sys::Oid) -> (pg_sys::Datum, pg_sys::Oid) {
    let mut overflow = 0;
    // SAFETY: as above; both types are passed by value, and `overflow` is a live variable.
    let time = unsafe {
        match oid {
            pg_sys::DATEOID => {
                pg_sys::date2timestamptz_opt_overflow(datum.value() as i32, &mut overflow)
            }
            pg_sys::TIMESTAMPOID => {
                pg_sys::timestamp2timestamptz_opt_overflow(datum.value() as i64, &mut overflow)
            }
            _ => return (datum, oid),
        }
    };
    (pg_sys::Datum::from(time), pg_sys::TIMESTAMPTZOID)
}

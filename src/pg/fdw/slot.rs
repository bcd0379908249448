//! A wrapper's values to PostgreSQL's, column by column.

use std::ffi::CString;
use std::ptr;

use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use pgrx::{IntoDatum, PgSqlErrorCode, direct_function_call_as_datum, pg_sys};

use super::contract::{Cells, Value};
use crate::failure::Failure;
use crate::pg::compat;
use crate::pg::nodes::text;

/// Makes the values of one column.
pub struct Maker {
    column: String,
    oid: pg_sys::Oid,
    modifier: i32,
    input: pg_sys::FmgrInfo,
    parameter: pg_sys::Oid,
}

impl Maker {
    pub fn new(column: &pg_sys::FormData_pg_attribute) -> Maker {
        let (oid, modifier) = (column.atttypid, column.atttypmod);
        let (mut function, mut parameter) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
        let mut input = pg_sys::FmgrInfo::default();
        // SAFETY: the type exists; what the function needs lives in the current context, which
        // the caller keeps for as long as the maker.
        unsafe {
            pg_sys::getTypeInputInfo(oid, &mut function, &mut parameter);
            pg_sys::fmgr_info(function, &mut input);
        }
        // SAFETY: the name is a C string.
        let column = unsafe { text(column.attname.data.as_ptr()) };
        Maker { column, oid, modifier, input, parameter }
    }

    /// One for each of these columns of a descriptor.
    ///
    /// # Safety
    /// The descriptor is whole, and has them.
    pub unsafe fn all(descriptor: pg_sys::TupleDesc, attributes: &[i16]) -> Vec<Maker> {
        // SAFETY: as above.
        let columns = unsafe { compat::columns(descriptor) };
        attributes.iter().map(|attribute| Maker::new(&columns[*attribute as usize - 1])).collect()
    }

    /// A value in the current memory context; `None` for NULL.
    // Inside the loop over columns, where the cell that made the value is known, it is one match.
    #[inline(always)]
    pub fn datum(&mut self, value: Option<Value>) -> Option<pg_sys::Datum> {
        match (value?, self.oid) {
            (Value::Boolean(value), pg_sys::BOOLOID) => value.into_datum(),
            (Value::Integer(value), pg_sys::INT8OID) => value.into_datum(),
            (Value::Integers(values), pg_sys::INT8ARRAYOID) => values.to_vec().into_datum(),
            (Value::Text(text), pg_sys::TEXTOID) => text.into_datum(),
            (Value::Text(text), pg_sys::BYTEAOID) => {
                decode(text).unwrap_or_else(|| self.not_base64(text).raise()).into_datum()
            }
            (Value::Quotient(dividend, divisor), _) => {
                let dividend = self.read(dividend);
                quotient(dividend?, divisor)
            }
            (Value::Boolean(value), _) => self.read(if value { "true" } else { "false" }),
            (Value::Integer(value), _) => self.read(&value.to_string()),
            (Value::Text(text), _) => self.read(text),
            (Value::Integers(values), _) => {
                let values: Vec<_> = values.iter().map(i64::to_string).collect();
                self.read(&format!("{{{}}}", values.join(",")))
            }
        }
    }

    fn not_base64(&self, text: &str) -> Failure {
        let begin: String = text.chars().take(40).collect();
        Failure::new(
            PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
            format!("Odoo's value for the column \"{}\" is not base64", self.column),
        )
        .detail(format!("It begins: {begin}"))
        .hint("A column of type text shows it as it is.")
    }

    /// What the type's own input function makes of a text.
    fn read(&mut self, text: &str) -> Option<pg_sys::Datum> {
        // The decoders leave out NUL.
        let text = CString::new(text).unwrap_or_default();
        // SAFETY: the function is the type's input function, the text a C string.
        Some(unsafe {
            pg_sys::InputFunctionCall(
                &mut self.input,
                text.as_ptr().cast_mut(),
                self.parameter,
                self.modifier,
            )
        })
    }
}

/// Puts the cells of a row into a slot.
///
/// # Safety
/// The slot is empty and has these columns; the makers are theirs.
pub unsafe fn fill(
    slot: *mut pg_sys::TupleTableSlot,
    attributes: &[i16],
    makers: &mut [Maker],
    cells: &[impl Cells],
    row: usize,
) {
    // SAFETY: as above; it has room for all columns of its descriptor.
    unsafe {
        let width = (*(*slot).tts_tupleDescriptor).natts as usize;
        ptr::write_bytes((*slot).tts_isnull, 1, width);
        for ((attribute, maker), cells) in attributes.iter().zip(makers).zip(cells) {
            if let Some(datum) = maker.datum(cells.value(row)) {
                let index = *attribute as usize - 1;
                *(*slot).tts_values.add(index) = datum;
                *(*slot).tts_isnull.add(index) = false;
            }
        }
        pg_sys::ExecStoreVirtualTuple(slot);
    }
}

/// A `numeric` by a whole number, as `avg` divides.
fn quotient(dividend: pg_sys::Datum, divisor: i64) -> Option<pg_sys::Datum> {
    // SAFETY: PostgreSQL's own functions, with arguments of their types; a group has rows.
    unsafe {
        let divisor = direct_function_call_as_datum(pg_sys::int8_numeric, &[divisor.into_datum()]);
        direct_function_call_as_datum(pg_sys::numeric_div, &[Some(dividend), divisor])
    }
}

/// As PostgreSQL's `decode` and Python have it: bits that stand for no whole byte do not matter.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The bytes that a text in base64 stands for, in lines or in one; `None` if it is none.
fn decode(text: &str) -> Option<Vec<u8>> {
    let is_space = |c: &u8| c.is_ascii_whitespace();
    let bytes = match text.as_bytes().iter().any(is_space) {
        true => BASE64.decode(text.bytes().filter(|c| !is_space(c)).collect::<Vec<_>>()),
        false => BASE64.decode(text),
    };
    bytes.ok()
}

/// Bytes in base64.
pub fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn base64() {
        assert_eq!(decode("T2Rvbw==").unwrap(), b"Odoo");
        assert_eq!(decode("T2Rv\nb28=").unwrap(), b"Odooo");
        assert_eq!(decode("T2Rvbx==").unwrap(), b"Odoo");
        assert_eq!(decode("").unwrap(), b"");
        for wrong in ["12.3 Kb", "T2Rvb", "T2Rvbw=", "T2Rv=bw=", "T2R=====", "====", "T2R\u{e9}"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
        assert_eq!(encode(b""), "");
        assert_eq!(encode(b"Odoo"), "T2Rvbw==");
        assert_eq!(encode(b"\xff\xef\xbe\0\0"), "/+++AAA=");
    }
}

//! Columns as arrays, each laid out at once: pgrx asks PostgreSQL for every element.

use std::ptr;

use pgrx::datum::DatumWithOid;
use pgrx::{PgBuiltInOids, pg_sys};

/// `bigint[]`.
pub fn bigint_array(numbers: impl IntoIterator<Item = Option<i64>>) -> DatumWithOid<'static> {
    let mut elements = Elements::default();
    for number in numbers {
        elements.bytes.extend_from_slice(number.map(i64::to_ne_bytes).as_ref().map_or(&[], |b| b));
        elements.present.push(number.is_some());
    }
    elements.array(PgBuiltInOids::INT8OID, PgBuiltInOids::INT8ARRAYOID)
}

/// `boolean[]`.
pub fn boolean_array(flags: impl IntoIterator<Item = Option<bool>>) -> DatumWithOid<'static> {
    let mut elements = Elements::default();
    for flag in flags {
        elements.bytes.extend(flag.map(u8::from));
        elements.present.push(flag.is_some());
    }
    elements.array(PgBuiltInOids::BOOLOID, PgBuiltInOids::BOOLARRAYOID)
}

/// `text[]`.
pub fn text_array<T: AsRef<str>>(
    texts: impl IntoIterator<Item = Option<T>>,
) -> DatumWithOid<'static> {
    let mut elements = Elements::default();
    for text in texts {
        if let Some(text) = &text {
            let text = text.as_ref().as_bytes();
            elements.bytes.extend_from_slice(&varlena_header(size_of::<u32>() + text.len()));
            elements.bytes.extend_from_slice(text);
            elements.align(align_of::<u32>());
        }
        elements.present.push(text.is_some());
    }
    elements.array(PgBuiltInOids::TEXTOID, PgBuiltInOids::TEXTARRAYOID)
}

/// The head of a value that takes so many bytes, itself among them (varatt.h, SET_VARSIZE_4B).
fn varlena_header(bytes: usize) -> [u8; 4] {
    // What is longer is refused when its memory is asked for.
    let bytes = bytes as u32;
    match cfg!(target_endian = "big") {
        true => bytes & 0x3FFF_FFFF,
        false => bytes << 2,
    }
    .to_ne_bytes()
}

/// The values that are not NULL, one after the other, and which of all those are.
#[derive(Default)]
struct Elements {
    bytes: Vec<u8>,
    present: Vec<bool>,
}

impl Elements {
    fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    /// The array as `array.h` describes it.
    fn layout(&self, element: PgBuiltInOids) -> Vec<u8> {
        let rows = self.present.len();
        let mut head = Vec::new();
        if rows > 0 {
            // How many, and the index of the first.
            head.extend([rows as i32, 1].map(i32::to_ne_bytes).as_flattened());
        }
        let nulls = self.present.contains(&false);
        if nulls {
            let bits =
                |some: &[bool]| some.iter().rev().fold(0, |bits, is| bits << 1 | u8::from(*is));
            head.extend(self.present.chunks(8).map(bits));
        }
        let fixed = size_of::<pg_sys::ArrayType>();
        let data = (fixed + head.len()).next_multiple_of(pg_sys::MAXIMUM_ALIGNOF as usize);
        let mut array = Vec::with_capacity(data + self.bytes.len());
        array.extend(varlena_header(data + self.bytes.len()));
        array.extend(i32::from(rows > 0).to_ne_bytes());
        array.extend((if nulls { data as i32 } else { 0 }).to_ne_bytes());
        array.extend(u32::from(element.value()).to_ne_bytes());
        array.extend(head);
        array.resize(data, 0);
        array.extend_from_slice(&self.bytes);
        array
    }

    fn array(self, element: PgBuiltInOids, oid: PgBuiltInOids) -> DatumWithOid<'static> {
        let array = self.layout(element);
        // SAFETY: palloc gives as many bytes as are written, or raises an error, and what is
        // written is an array of the type that `oid` names.
        unsafe {
            let copy = pg_sys::palloc(array.len()).cast::<u8>();
            ptr::copy_nonoverlapping(array.as_ptr(), copy, array.len());
            DatumWithOid::new(pg_sys::Datum::from(copy), oid.value())
        }
    }
}

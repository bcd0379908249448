//! Odoo's values to PostgreSQL's, column by column.

use std::ffi::CString;

use pgrx::{IntoDatum, PgSqlErrorCode, pg_sys};

use crate::failure::Failure;
use crate::odoo::Cells;
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

    /// The value of a row, in the current memory context; `None` for NULL.
    pub fn datum(&mut self, cells: &Cells, row: usize) -> Option<pg_sys::Datum> {
        match (cells, self.oid) {
            (Cells::Booleans(cells), pg_sys::BOOLOID) => cells[row]?.into_datum(),
            (Cells::Integers(cells), pg_sys::INT8OID) => cells[row]?.into_datum(),
            (Cells::Lists(lists), pg_sys::INT8ARRAYOID) => lists.get(row).to_vec().into_datum(),
            (Cells::Texts(texts), pg_sys::TEXTOID) => texts.get(row)?.into_datum(),
            (Cells::Texts(texts), pg_sys::BYTEAOID) => {
                let text = texts.get(row)?;
                decode(text).unwrap_or_else(|| self.not_base64(text).raise()).into_datum()
            }
            (Cells::Booleans(cells), _) => self.read(if cells[row]? { "true" } else { "false" }),
            (Cells::Integers(cells), _) => self.read(&cells[row]?.to_string()),
            (Cells::Texts(texts), _) => self.read(texts.get(row)?),
            (Cells::Lists(lists), _) => {
                let ids: Vec<_> = lists.get(row).iter().map(i64::to_string).collect();
                self.read(&format!("{{{}}}", ids.join(",")))
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

/// The bytes that a text in base64 stands for, in lines or in one; `None` if it is none.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    let (mut length, mut padding) = (0, 0);
    for c in text.bytes().filter(|c| !c.is_ascii_whitespace()) {
        length += 1;
        if c == b'=' {
            padding += 1;
            continue;
        }
        if padding > 0 {
            return None;
        }
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    (length % 4 == 0 && padding <= 2).then_some(bytes)
}

/// Bytes in base64.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        text.extend((0..4).map(|place| match place <= group.len() {
            true => char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]),
            false => '=',
        }));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn base64() {
        assert_eq!(decode("T2Rvbw==").unwrap(), b"Odoo");
        assert_eq!(decode("T2Rv\nb28=").unwrap(), b"Odooo");
        assert_eq!(decode("").unwrap(), b"");
        for wrong in ["12.3 Kb", "T2Rvb", "T2Rvbw=", "T2Rv=bw=", "T2R=====", "====", "T2R\u{e9}"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
        assert_eq!(encode(b""), "");
        assert_eq!(encode(b"Odoo"), "T2Rvbw==");
        assert_eq!(encode(b"\xff\xef\xbe\0\0"), "/+++AAA=");
    }
}

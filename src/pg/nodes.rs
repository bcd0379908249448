//! C's strings and PostgreSQL's lists.

use std::ffi::{CStr, c_char};

use pgrx::pg_sys;

/// # Safety
/// The pointer is to a C string.
pub(super) unsafe fn text(pointer: *const c_char) -> String {
    // SAFETY: as above.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// # Safety
/// The list is one of DefElem nodes.
pub(super) unsafe fn options(list: *mut pg_sys::List) -> Vec<(String, String)> {
    // SAFETY: as above; defGetString gives a C string or raises an error.
    unsafe {
        nodes::<pg_sys::DefElem>(list)
            .map(|element| (text((*element).defname), text(pg_sys::defGetString(element))))
            .collect()
    }
}

/// # Safety
/// The list is one of pointers to `T`, and lives as long as the iterator is used.
pub(super) unsafe fn nodes<T>(list: *mut pg_sys::List) -> impl Iterator<Item = *mut T> {
    // SAFETY: as above; a null pointer is PostgreSQL's empty list.
    let length = if list.is_null() { 0 } else { unsafe { (*list).length } };
    // SAFETY: as above; the index is below the list's length.
    (0..length).map(move |index| unsafe { pg_sys::list_nth(list, index) }.cast())
}

/// Whether a set of attribute numbers, as the planner has them, has a column.
///
/// # Safety
/// The set is one of attribute numbers, or null.
pub(super) unsafe fn is_member(set: *const pg_sys::Bitmapset, attribute: i16) -> bool {
    let offset = pg_sys::FirstLowInvalidHeapAttributeNumber;
    // SAFETY: as above.
    unsafe { pg_sys::bms_is_member(i32::from(attribute) - offset, set) }
}

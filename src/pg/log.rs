//! Lines of the server's log.

use std::ffi::{CString, c_char, c_int};
use std::ptr;

use pgrx::pg_sys;

use super::threads::uninterrupted;

// SAFETY: as PostgreSQL's utils/elog.h declares them.
unsafe extern "C-unwind" {
    fn errstart(level: c_int, domain: *const c_char) -> bool;
    fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
}

/// Writes a line to the server's log, without the statement that it comes from.
pub fn log_line(text: &str) {
    let text = CString::new(text.replace('\0', "")).unwrap_or_default();
    // SAFETY: errstart to errfinish as utils/elog.h asks for. The format has one %s.
    uninterrupted(|| unsafe {
        if errstart(pg_sys::LOG as c_int, ptr::null()) {
            pg_sys::errmsg_internal(c"%s".as_ptr(), text.as_ptr());
            pg_sys::errhidestmt(true);
            pg_sys::errhidecontext(true);
            errfinish(c"journal".as_ptr(), 0, c"log_line".as_ptr());
        }
    });
}

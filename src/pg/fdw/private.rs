//! What plans and paths keep: plain data as text, in a list that PostgreSQL copies.

use std::ffi::CString;
use std::ptr;

use pgrx::{PgSqlErrorCode, pg_sys};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::asked::Action;
use crate::failure::Failure;
use crate::pg::nodes::text;

/// The plan of a scan: what its callbacks need, and the wrapper's own.
#[derive(Serialize, Deserialize)]
pub struct ScanPlan<P> {
    /// The columns of its slot that the scan fills.
    pub attributes: Vec<i16>,
    /// Expressions whose dates and times become times with a zone first.
    pub times: Vec<usize>,
    /// The scan brings groups of rows in their place.
    pub is_grouped: bool,
    pub plan: P,
}

/// The plan of a statement that changes rows.
#[derive(Serialize, Deserialize)]
pub struct ModifyPlan<P> {
    pub action: Action,
    /// The column that tells a row from all others.
    pub id: Option<i16>,
    /// The columns that get values.
    pub written: Vec<i16>,
    /// The columns that RETURNING needs besides the id.
    pub returned: Vec<i16>,
    pub plan: P,
}

/// The text as a list of one node.
pub fn to_list<T: Serialize>(kept: &T) -> *mut pg_sys::List {
    // JSON has no NUL.
    let text = CString::new(serde_json::to_string(kept).unwrap_or_default()).unwrap_or_default();
    // SAFETY: the text is copied into the current context.
    unsafe {
        let node = pg_sys::makeString(pg_sys::pstrdup(text.as_ptr()));
        pg_sys::lappend(ptr::null_mut(), node.cast())
    }
}

/// What [`to_list`] made a list of.
///
/// # Safety
/// The list is one that it made, or a copy.
pub unsafe fn from_list<T: DeserializeOwned>(list: *mut pg_sys::List) -> Result<T, Failure> {
    // SAFETY: as above.
    let text = unsafe {
        let node: *mut pg_sys::String = pg_sys::list_nth(list, 0).cast();
        text((*node).sval)
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(
            PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
            format!("a plan of odoo_fdw cannot be read: {error}"),
        )
    })
}

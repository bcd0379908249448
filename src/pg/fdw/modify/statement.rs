//! A statement that changes a foreign table, between its begin and its end.

use pgrx::pg_sys;

use crate::pg::fdw::contract::Modification;
use crate::pg::fdw::slot::Maker;
use crate::pg::fdw::table::qualified_name;

/// What the query's memory keeps, and drops.
pub struct Work<M> {
    pub modification: M,
    /// The columns that get values, and those that RETURNING needs besides the id.
    pub written: Vec<i16>,
    pub returned: Vec<i16>,
    /// The junk column with the record's id, and its type.
    pub row_id: (pg_sys::AttrNumber, pg_sys::Oid),
    /// Rows in one request; one each if the statement wants each row's own answer.
    pub batch: i32,
    /// The column that shows the id.
    pub id: Option<(i16, Maker)>,
    /// One for each returned column.
    pub makers: Vec<Maker>,
    /// What one row needs; the query's memory frees it.
    pub row_memory: pg_sys::MemoryContext,
}

impl<M> Work<M> {
    /// Whether each row has a request of its own.
    pub fn is_single(&self) -> bool {
        self.batch == 1
    }
}

/// The statement at work, until it ends. A caller lets go of it before the next one asks.
///
/// # Safety
/// The table is one of a wrapper whose modifications are `M`.
pub unsafe fn statement<'a, M: Modification>(
    result: *mut pg_sys::ResultRelInfo,
) -> Option<&'a mut Option<Work<M>>> {
    // SAFETY: only BeginForeignModify sets the pointer; what it points to lives as long as the
    // query.
    unsafe { (*result).ri_FdwState.cast::<Option<Work<M>>>().as_mut() }
}

/// # Safety
/// As for [`statement`].
pub unsafe fn at_work<'a, M: Modification>(result: *mut pg_sys::ResultRelInfo) -> &'a mut Work<M> {
    // SAFETY: as above.
    match unsafe { statement(result) }.and_then(Option::as_mut) {
        Some(work) => work,
        None => pgrx::error!("a foreign table was not prepared before it was changed"),
    }
}

/// The name of a table that is changed.
///
/// # Safety
/// The executor's struct is whole.
pub unsafe fn name_of(result: *mut pg_sys::ResultRelInfo) -> String {
    // SAFETY: the executor holds the relation open.
    unsafe { qualified_name((*(*result).ri_RelationDesc).rd_id) }
}

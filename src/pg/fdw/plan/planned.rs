//! What the planner keeps of a foreign table from one callback to the next.

use pgrx::{PgMemoryContexts, pg_sys};

use crate::pg::fdw::contract::Table;

/// What the planner keeps for a relation, until its own memory is freed.
pub enum Kept<T> {
    Table(Box<Planned<T>>),
    /// The rows of a foreign table, sorted.
    Ordered(*mut pg_sys::RelOptInfo),
    /// Groups of them: what the scan returns of each, in its order.
    Grouped(*mut pg_sys::RelOptInfo, *mut pg_sys::List),
}

pub struct Planned<T> {
    pub table: T,
    /// Its columns that were not dropped.
    pub attributes: Vec<i16>,
    /// Those that a predicate may be about.
    pub compared: Vec<i16>,
    /// A scan brings exactly the rows that meet the query's conditions.
    pub is_exact: bool,
}

/// # Safety
/// The relation is one of a planner that is at work.
pub unsafe fn keep<T: Table>(relation: *mut pg_sys::RelOptInfo, kept: Kept<T>) {
    // SAFETY: as above; the current context is the planner's.
    unsafe {
        let kept = PgMemoryContexts::CurrentMemoryContext.leak_and_drop_on_delete(kept);
        (*relation).fdw_private = kept.cast();
    }
}

/// # Safety
/// The relation is one of a planner that is at work, and its wrapper's tables are `T`.
pub unsafe fn kept<'a, T: Table>(relation: *mut pg_sys::RelOptInfo) -> Option<&'a Kept<T>> {
    // SAFETY: only `keep` sets the pointer; what it points to lives as long as the planner.
    unsafe { (*relation).fdw_private.cast::<Kept<T>>().as_ref() }
}

/// The table of a relation that is one.
///
/// # Safety
/// As for [`kept`].
pub unsafe fn planned<'a, T: Table>(relation: *mut pg_sys::RelOptInfo) -> Option<&'a Planned<T>> {
    // SAFETY: as above.
    match unsafe { kept(relation) } {
        Some(Kept::Table(planned)) => Some(planned),
        _ => None,
    }
}

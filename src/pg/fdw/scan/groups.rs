//! Groups of rows in the place of rows: the wrapper's, or else PostgreSQL's own.

use pgrx::{PgMemoryContexts, PgSqlErrorCode, pg_sys};

use super::execution::{Execution, Groups, values};
use crate::failure::{Failure, OrRaise};
use crate::pg::fdw::contract::{Scan, Summary};
use crate::pg::fdw::slot::fill;

/// Puts the next group into the slot, which is empty at the end.
///
/// # Safety
/// The executor's node is whole, the execution and the empty slot are its own.
pub unsafe fn next_group<S: Scan>(
    node: *mut pg_sys::ForeignScanState,
    execution: &mut Execution<S>,
    slot: *mut pg_sys::TupleTableSlot,
) {
    // SAFETY: as above.
    unsafe {
        if execution.groups.is_none() {
            let values = values(node, execution, None);
            execution.groups = Some(execution.groups(&values).or_raise());
        }
        let Execution { plan, makers, groups, .. } = execution;
        match groups {
            Some(Groups::Told(summary, next)) if *next < summary.rows() => {
                fill(slot, &plan.attributes, makers, summary.cells(), *next);
                *next += 1;
            }
            Some(Groups::Local) => {
                // What the plan below keeps outlives the row, in whose memory this one is called.
                let memory = (*(*node).ss.ps.state).es_query_cxt;
                PgMemoryContexts::For(memory)
                    .switch_to(|_| copy_next((*node).ss.ps.lefttree, slot));
            }
            _ => {}
        }
    }
}

/// The next row of the plan below, whose columns are the slot's.
unsafe fn copy_next(below: *mut pg_sys::PlanState, slot: *mut pg_sys::TupleTableSlot) {
    // SAFETY: as for `next_group`; the row lives until the next one is asked for.
    unsafe {
        if below.is_null() {
            no_fall_back().raise();
        }
        let row = pg_sys::ExecProcNode(below);
        if row.is_null() || (*row).tts_flags & pg_sys::TTS_FLAG_EMPTY as u16 != 0 {
            return;
        }
        pg_sys::slot_getallattrs(row);
        let width = (*(*slot).tts_tupleDescriptor).natts as usize;
        (*slot).tts_values.copy_from_nonoverlapping((*row).tts_values, width);
        (*slot).tts_isnull.copy_from_nonoverlapping((*row).tts_isnull, width);
        pg_sys::ExecStoreVirtualTuple(slot);
    }
}

fn no_fall_back() -> Failure {
    Failure::new(
        PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
        "the groups of a foreign table are not known, and its plan has no other way to them",
    )
}

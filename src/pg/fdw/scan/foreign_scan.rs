//! BeginForeignScan to EndForeignScan.

use pgrx::{PgMemoryContexts, pg_sys};

use super::execution::{Execution, execution, values};
use super::groups::next_group;
use crate::failure::OrRaise;
use crate::pg::compat;
use crate::pg::fdw::contract::{Effort, Scan};
use crate::pg::fdw::private::{ScanPlan, from_list};
use crate::pg::fdw::slot::{Maker, fill};

/// BeginForeignScan.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn begin<S: Scan>(node: *mut pg_sys::ForeignScanState, _flags: i32) {
    // SAFETY: the executor's structs are whole when it calls.
    unsafe {
        let scan = (*node).ss.ps.plan.cast::<pg_sys::ForeignScan>();
        let plan: ScanPlan<S::Plan> = from_list((*scan).fdw_private).or_raise();
        let descriptor = (*(*node).ss.ss_ScanTupleSlot).tts_tupleDescriptor;
        let execution = Execution::<S> {
            server: (*scan).fs_server,
            user: compat::scanned_as(node),
            makers: Maker::all(descriptor, &plan.attributes),
            plan,
            expressions: pg_sys::ExecInitExprList((*scan).fdw_exprs, &mut (*node).ss.ps),
            scan: None,
            groups: None,
            effort: Effort::default(),
        };
        let memory = (*(*node).ss.ps.state).es_query_cxt;
        let kept = PgMemoryContexts::For(memory).leak_and_drop_on_delete(execution);
        (*node).fdw_state = kept.cast();
    }
}

/// IterateForeignScan.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn iterate<S: Scan>(
    node: *mut pg_sys::ForeignScanState,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the executor's structs are whole when it calls, in the memory of one row; the slot
    // has room for all columns of its descriptor.
    unsafe {
        let slot = (*node).ss.ss_ScanTupleSlot;
        pg_sys::ExecClearTuple(slot);
        let Some(execution) = execution::<S>(node) else {
            return slot;
        };
        if execution.plan.is_grouped {
            next_group(node, execution, slot);
            return slot;
        }
        if execution.scan.is_none() {
            let values = values(node, execution, None);
            execution.scan = Some(execution.begin_scan(&values).or_raise());
        }
        let Some(scan) = &mut execution.scan else {
            return slot;
        };
        if let Some(row) = scan.next().or_raise() {
            fill(slot, &execution.plan.attributes, &mut execution.makers, scan.cells(), row);
        }
        slot
    }
}

/// ReScanForeignScan: the next scan may have other values.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn rescan<S: Scan>(node: *mut pg_sys::ForeignScanState) {
    // SAFETY: as for `iterate`.
    if let Some(execution) = unsafe { execution::<S>(node) } {
        execution.end_scan();
        execution.groups = None;
    }
}

/// EndForeignScan.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn end<S: Scan>(node: *mut pg_sys::ForeignScanState) {
    // SAFETY: as for `iterate`.
    if let Some(execution) = unsafe { execution::<S>(node) } {
        execution.end_scan();
    }
}

//! BeginForeignScan to EndForeignScan.

use std::ptr;

use pgrx::{PgMemoryContexts, pg_sys};

use super::execution::{Execution, execution, values};
use crate::failure::OrRaise;
use crate::pg::compat;
use crate::pg::fdw::contract::{Cells, Effort, Scan};
use crate::pg::fdw::private::{ScanPlan, from_list};
use crate::pg::fdw::slot::Maker;

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
            is_counted: false,
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
        let width = (*(*slot).tts_tupleDescriptor).natts as usize;
        if execution.plan.is_count {
            if !execution.is_counted {
                let values = values(node, execution, None);
                let count = execution.count(&values).or_raise();
                for column in 0..width {
                    *(*slot).tts_values.add(column) = pg_sys::Datum::from(count);
                    *(*slot).tts_isnull.add(column) = false;
                }
                pg_sys::ExecStoreVirtualTuple(slot);
            }
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
            ptr::write_bytes((*slot).tts_isnull, 1, width);
            let columns = execution.plan.attributes.iter().zip(&mut execution.makers);
            for ((attribute, maker), cells) in columns.zip(scan.cells()) {
                if let Some(datum) = maker.datum(cells.value(row)) {
                    let index = *attribute as usize - 1;
                    *(*slot).tts_values.add(index) = datum;
                    *(*slot).tts_isnull.add(index) = false;
                }
            }
            pg_sys::ExecStoreVirtualTuple(slot);
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
        execution.is_counted = false;
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

//! The execution of a scan, and what EXPLAIN tells of it.

use std::ffi::CString;
use std::ptr;

use pgrx::{PgMemoryContexts, pg_sys};

use super::expression::depends_on_execution;
use super::planner::private_text;
use super::slot::Maker;
use super::user_of;
use super::value::{as_time, constant_of};
use crate::failure::OrRaise;
use crate::fdw::query::predicate::Constant;
use crate::fdw::{Plan, Scan};
use crate::odoo::Traffic;
use crate::pg::nodes::{nodes, text};

/// A scan between its begin and its end. It lives in the query's memory, whose end, which an
/// error brings too, drops it.
struct Execution {
    plan: Plan,
    server: pg_sys::Oid,
    user: pg_sys::Oid,
    /// One for each fetched column.
    makers: Vec<Maker>,
    expressions: *mut pg_sys::List,
    scan: Option<Scan>,
    /// The number of records was given.
    is_counted: bool,
    /// Of scans that have ended.
    traffic: Traffic,
    read: u64,
}

impl Execution {
    fn end_scan(&mut self) {
        if let Some(scan) = self.scan.take() {
            let (traffic, read) = scan.traffic();
            self.traffic += traffic;
            self.read += read;
            scan.end();
        }
    }
}

/// # Safety
/// [`begin`] was called for the node.
unsafe fn execution<'a>(node: *mut pg_sys::ForeignScanState) -> Option<&'a mut Execution> {
    // SAFETY: only `begin` sets the pointer; what it points to lives as long as the query.
    unsafe { (*node).fdw_state.cast::<Execution>().as_mut() }
}

/// BeginForeignScan.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn begin(node: *mut pg_sys::ForeignScanState, _flags: i32) {
    // SAFETY: the executor's structs are whole when it calls.
    unsafe {
        let scan = (*node).ss.ps.plan.cast::<pg_sys::ForeignScan>();
        let state = (*node).ss.ps.state;
        let entry = match (*scan).scan.scanrelid {
            0 => pg_sys::bms_next_member((*scan).fs_relids, -1) as u32,
            number => number,
        };
        let user = user_of(pg_sys::exec_rt_fetch(entry, state));
        let plan = Plan::from_text(&private_text((*scan).fdw_private)).or_raise();
        let makers = match plan.path.is_count {
            true => Vec::new(),
            false => {
                let descriptor = (*(*node).ss.ss_ScanTupleSlot).tts_tupleDescriptor;
                let columns = (*descriptor).attrs.as_slice((*descriptor).natts as usize);
                let maker = |attribute: i16| {
                    let column = &columns[attribute as usize - 1];
                    Maker::new(column)
                };
                plan.fetched.iter().map(|column| maker(column.attribute)).collect()
            }
        };
        let execution = Execution {
            plan,
            server: (*scan).fs_server,
            user,
            makers,
            expressions: pg_sys::ExecInitExprList((*scan).fdw_exprs, &mut (*node).ss.ps),
            scan: None,
            is_counted: false,
            traffic: Traffic::default(),
            read: 0,
        };
        let kept = PgMemoryContexts::For((*state).es_query_cxt).leak_and_drop_on_delete(execution);
        (*node).fdw_state = kept.cast();
    }
}

/// The values of the plan's expressions. EXPLAIN asks before there are values of other scans;
/// such expressions are shown as they are written.
unsafe fn values(
    node: *mut pg_sys::ForeignScanState,
    execution: &Execution,
    explained: Option<*mut pg_sys::List>,
) -> Vec<Constant> {
    let mut values = Vec::new();
    // SAFETY: the states were made of the plan's expressions, in their order; the values are
    // copied out of the row's memory.
    unsafe {
        let scan = (*node).ss.ps.plan.cast::<pg_sys::ForeignScan>();
        let context = (*node).ss.ps.ps_ExprContext;
        let expressions = nodes::<pg_sys::Node>((*scan).fdw_exprs);
        let states = nodes::<pg_sys::ExprState>(execution.expressions);
        for (index, (expression, state)) in expressions.zip(states).enumerate() {
            if let Some(names) = explained
                && depends_on_execution(expression)
            {
                let written = pg_sys::deparse_expression(expression, names, false, false);
                values.push(Constant::Unknown(text(written)));
                continue;
            }
            let mut is_null = false;
            let datum = pg_sys::ExecEvalExprSwitchContext(state, context, &mut is_null);
            let oid = pg_sys::exprType(expression);
            let (datum, oid) = match execution.plan.times.contains(&index) && !is_null {
                true => as_time(datum, oid),
                false => (datum, oid),
            };
            // The planner took only types that have a plain value.
            values.push(constant_of(datum, is_null, oid).unwrap_or(Constant::Null));
        }
    }
    values
}

/// IterateForeignScan.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn iterate(
    node: *mut pg_sys::ForeignScanState,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the executor's structs are whole when it calls, in the memory of one row; the slot
    // has room for all columns of its descriptor.
    unsafe {
        let slot = (*node).ss.ss_ScanTupleSlot;
        pg_sys::ExecClearTuple(slot);
        let Some(execution) = execution(node) else {
            return slot;
        };
        let width = (*(*slot).tts_tupleDescriptor).natts as usize;
        if execution.plan.path.is_count {
            if !execution.is_counted {
                let values = values(node, execution, None);
                let (server, user) = (execution.server, execution.user);
                let (count, traffic) =
                    Scan::count(&execution.plan, server, user, &values).or_raise();
                execution.traffic += traffic;
                execution.is_counted = true;
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
            let (server, user) = (execution.server, execution.user);
            execution.scan = Some(Scan::begin(&execution.plan, server, user, &values).or_raise());
        }
        let Some(scan) = &mut execution.scan else {
            return slot;
        };
        if let Some(row) = scan.next().or_raise() {
            ptr::write_bytes((*slot).tts_isnull, 1, width);
            let columns = execution.plan.fetched.iter().zip(&mut execution.makers);
            for ((column, maker), cells) in columns.zip(scan.cells()) {
                if let Some(datum) = maker.datum(cells, row) {
                    let index = column.attribute as usize - 1;
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
pub unsafe extern "C-unwind" fn rescan(node: *mut pg_sys::ForeignScanState) {
    // SAFETY: as for `iterate`.
    if let Some(execution) = unsafe { execution(node) } {
        execution.end_scan();
        execution.is_counted = false;
    }
}

/// EndForeignScan.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn end(node: *mut pg_sys::ForeignScanState) {
    // SAFETY: as for `iterate`.
    if let Some(execution) = unsafe { execution(node) } {
        execution.end_scan();
    }
}

/// ExplainForeignScan.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn explain(
    node: *mut pg_sys::ForeignScanState,
    es: *mut pg_sys::ExplainState,
) {
    // SAFETY: as for `iterate`; the labels and texts are C strings.
    unsafe {
        let Some(execution) = execution(node) else {
            return;
        };
        let plan = (*node).ss.ps.plan;
        let names = pg_sys::set_deparse_context_plan((*es).deparse_cxt, plan, ptr::null_mut());
        let values = values(node, execution, Some(names));
        for (label, value) in execution.plan.explain(&values) {
            let label = CString::new(format!("Odoo {label}")).unwrap_or_default();
            let value = CString::new(value).unwrap_or_default();
            pg_sys::ExplainPropertyText(label.as_ptr(), value.as_ptr(), es);
        }
        if (*es).analyze {
            let (mut traffic, mut read) = (execution.traffic, execution.read);
            if let Some(scan) = &execution.scan {
                let (more, rows) = scan.traffic();
                traffic += more;
                read += rows;
            }
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let lines = [
                (c"Odoo Requests", number(traffic.requests)),
                (c"Odoo Bytes", number(traffic.bytes)),
                (c"Odoo Rows", number(read)),
            ];
            for (label, number) in lines {
                pg_sys::ExplainPropertyInteger(label.as_ptr(), ptr::null(), number, es);
            }
        }
    }
}

/// A row of a foreign table as a tuple, for a sample.
///
/// # Safety
/// The descriptor is the table's; `row` is one of the cells'.
pub unsafe fn tuple(
    descriptor: pg_sys::TupleDesc,
    plan: &Plan,
    makers: &mut [Maker],
    cells: &[crate::odoo::Cells],
    row: usize,
) -> pg_sys::HeapTuple {
    // SAFETY: as above; both arrays are as wide as the descriptor.
    unsafe {
        let width = (*descriptor).natts as usize;
        let mut values = vec![pg_sys::Datum::null(); width];
        let mut is_null = vec![true; width];
        for ((column, maker), cells) in plan.fetched.iter().zip(makers).zip(cells) {
            if let Some(datum) = maker.datum(cells, row) {
                let index = column.attribute as usize - 1;
                (values[index], is_null[index]) = (datum, false);
            }
        }
        pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), is_null.as_mut_ptr())
    }
}

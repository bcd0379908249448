//! EXPLAIN.

use std::ffi::CString;
use std::ptr;

use pgrx::pg_sys;

use super::execution::{execution, values};
use crate::pg::fdw::contract::{Effort, Scan};

/// ExplainForeignScan.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn explain<S: Scan>(
    node: *mut pg_sys::ForeignScanState,
    es: *mut pg_sys::ExplainState,
) {
    // SAFETY: as for `iterate`; the labels and texts are C strings.
    unsafe {
        let Some(execution) = execution::<S>(node) else {
            return;
        };
        let plan = (*node).ss.ps.plan;
        let names = pg_sys::set_deparse_context_plan((*es).deparse_cxt, plan, ptr::null_mut());
        let values = values(node, execution, Some(names));
        for (label, value) in S::explain(&execution.plan.plan, &values) {
            let label = CString::new(format!("Odoo {label}")).unwrap_or_default();
            let value = CString::new(value).unwrap_or_default();
            pg_sys::ExplainPropertyText(label.as_ptr(), value.as_ptr(), es);
        }
        if (*es).analyze {
            let Effort { requests, bytes, rows } = execution.effort();
            let lines =
                [(c"Odoo Requests", requests), (c"Odoo Bytes", bytes), (c"Odoo Rows", rows)];
            for (label, number) in lines {
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                pg_sys::ExplainPropertyInteger(label.as_ptr(), ptr::null(), number, es);
            }
        }
    }
}

//! A scan between its begin and its end, and the values that it begins with.

use pgrx::pg_sys;

use crate::failure::Failure;
use crate::pg::fdw::contract::{Effort, Scan};
use crate::pg::fdw::plan::depends_on_execution;
use crate::pg::fdw::predicate::Constant;
use crate::pg::fdw::private::ScanPlan;
use crate::pg::fdw::slot::Maker;
use crate::pg::fdw::value::{as_time, constant_of};
use crate::pg::nodes::{nodes, text};

/// A scan at work. It lives in the query's memory, whose end, which an error brings too, drops it.
pub struct Execution<S: Scan> {
    pub plan: ScanPlan<S::Plan>,
    pub server: pg_sys::Oid,
    pub user: pg_sys::Oid,
    /// One for each column that it brings.
    pub makers: Vec<Maker>,
    pub expressions: *mut pg_sys::List,
    pub scan: Option<S>,
    /// In the place of a scan, where groups are wanted.
    pub groups: Option<Groups<S::Summary>>,
    /// Of scans that have ended.
    pub effort: Effort,
}

/// Where the groups come from.
pub enum Groups<S> {
    /// The wrapper, and the next of them.
    Told(S, usize),
    /// The plan below.
    Local,
}

impl<S: Scan> Execution<S> {
    pub fn begin_scan(&self, values: &[Constant]) -> Result<S, Failure> {
        S::begin(&self.plan.plan, self.server, self.user, values)
    }

    pub fn groups(&mut self, values: &[Constant]) -> Result<Groups<S::Summary>, Failure> {
        let (summary, effort) = S::summarise(&self.plan.plan, self.server, self.user, values)?;
        self.effort += effort;
        Ok(summary.map_or(Groups::Local, |summary| Groups::Told(summary, 0)))
    }

    pub fn end_scan(&mut self) {
        if let Some(scan) = self.scan.take() {
            self.effort += scan.effort();
        }
    }

    /// Of all scans so far.
    pub fn effort(&self) -> Effort {
        let mut effort = self.effort;
        self.scan.iter().for_each(|scan| effort += scan.effort());
        effort
    }
}

/// The execution of a node's scan; `None` if it has not begun.
///
/// # Safety
/// The node is one of a wrapper whose scans are `S`.
pub unsafe fn execution<'a, S: Scan>(
    node: *mut pg_sys::ForeignScanState,
) -> Option<&'a mut Execution<S>> {
    // SAFETY: only BeginForeignScan sets the pointer; what it points to lives as long as the query.
    unsafe { (*node).fdw_state.cast::<Execution<S>>().as_mut() }
}

/// The values of the plan's expressions. EXPLAIN asks before there are values of other scans;
/// such expressions are shown as they are written.
///
/// # Safety
/// The executor's node is whole, and the execution is its own.
pub unsafe fn values<S: Scan>(
    node: *mut pg_sys::ForeignScanState,
    execution: &Execution<S>,
    explained: Option<*mut pg_sys::List>,
) -> Vec<Constant> {
    let mut values = Vec::new();
    // SAFETY: the states were made of the plan's expressions, in their order; the values are
    // copied out of the row's memory.
    unsafe {
        let scan = (*node).ss.ps.plan.cast::<pg_sys::ForeignScan>();
        let context = (*node).ss.ps.ps_ExprContext;
        let parameters = (*(*node).ss.ps.state).es_param_list_info;
        let expressions = nodes::<pg_sys::Node>((*scan).fdw_exprs);
        let states = nodes::<pg_sys::ExprState>(execution.expressions);
        for (index, (expression, state)) in expressions.zip(states).enumerate() {
            if let Some(names) = explained
                && depends_on_execution(expression, parameters)
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

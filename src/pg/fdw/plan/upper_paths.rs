//! GetForeignUpperPaths: rows limited, and in groups.

use std::ffi::c_void;
use std::ptr;

use pgrx::nodes::is_a;
use pgrx::pg_sys::{self, NodeTag, UpperRelationKind};

use super::group_paths::group_path;
use super::paths::{estimate, order};
use super::planned::{Kept, keep, kept, planned};
use crate::pg::compat;
use crate::pg::fdw::asked::{Limit, PathPlan};
use crate::pg::fdw::contract::Table;
use crate::pg::fdw::private::to_list;

/// GetForeignUpperPaths.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn upper_paths<T: Table>(
    root: *mut pg_sys::PlannerInfo,
    stage: UpperRelationKind::Type,
    input: *mut pg_sys::RelOptInfo,
    output: *mut pg_sys::RelOptInfo,
    extra: *mut c_void,
) {
    // SAFETY: the planner's structs are whole when it calls; `extra` is what the stage has.
    unsafe {
        if !(*output).fdw_private.is_null() {
            return;
        }
        match stage {
            UpperRelationKind::UPPERREL_GROUP_AGG => group_path::<T>(root, input, output),
            // The table itself has the sorted path; a limit above it wants to know the table.
            UpperRelationKind::UPPERREL_ORDERED if planned::<T>(input).is_some() => {
                keep::<T>(output, Kept::Ordered(input));
            }
            UpperRelationKind::UPPERREL_FINAL => limit_path::<T>(root, input, output, extra.cast()),
            _ => {}
        }
    }
}

/// LIMIT and OFFSET with constants, over rows that Odoo picks exactly, in its order if there is
/// one to keep.
unsafe fn limit_path<T: Table>(
    root: *mut pg_sys::PlannerInfo,
    input: *mut pg_sys::RelOptInfo,
    output: *mut pg_sys::RelOptInfo,
    extra: *mut pg_sys::FinalPathExtraData,
) {
    // SAFETY: as for `upper_paths`.
    unsafe {
        let query = (*root).parse;
        let is_plain = (*extra).limit_needed
            && (*query).commandType == pg_sys::CmdType::CMD_SELECT
            && (*query).limitOption == pg_sys::LimitOption::LIMIT_OPTION_COUNT
            && (*query).rowMarks.is_null()
            && !(*query).hasTargetSRFs;
        let (base, pathkeys) = match kept::<T>(input) {
            Some(Kept::Table(_)) => (input, ptr::null_mut()),
            Some(Kept::Ordered(base)) => (*base, (*root).sort_pathkeys),
            _ => return,
        };
        let Some(planned) = planned::<T>(base).filter(|planned| planned.is_exact && is_plain)
        else {
            return;
        };
        let order = match pathkeys.is_null() {
            true => None,
            false => match order(base, planned, pathkeys) {
                Some(order) => Some(order),
                None => return,
            },
        };
        let (Some(count), Some(offset)) =
            (constant((*query).limitCount), constant((*query).limitOffset))
        else {
            return;
        };
        let limit = Some(Limit { offset: offset.unwrap_or(0), count });
        let left = ((*base).rows - offset.unwrap_or(0) as f64).max(1.0);
        let rows = count.map_or(left, |count| left.min(count as f64)).max(1.0);
        let target = (*root).upper_targets[UpperRelationKind::UPPERREL_FINAL as usize];
        let private = to_list(&PathPlan { order, limit, grouping: None });
        let estimate = estimate(rows);
        let fallback = ptr::null_mut();
        let path =
            compat::foreign_upper_path(root, base, target, &estimate, pathkeys, fallback, private);
        pg_sys::add_path(output, path.cast());
    }
}

/// A bound of LIMIT: `Some(None)` if there is none, `None` if it is left to PostgreSQL.
unsafe fn constant(node: *mut pg_sys::Node) -> Option<Option<i64>> {
    if node.is_null() {
        return Some(None);
    }
    // SAFETY: the bounds of LIMIT are bigint expressions.
    unsafe {
        if !is_a(node, NodeTag::T_Const) {
            return None;
        }
        let constant = node.cast::<pg_sys::Const>();
        match (*constant).constisnull {
            true => Some(None),
            false => {
                let value = (*constant).constvalue.value() as i64;
                (value >= 0).then_some(Some(value))
            }
        }
    }
}

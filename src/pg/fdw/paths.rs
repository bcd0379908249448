//! The ways to get rows out of Odoo: as they come, sorted, for each row of a join's other side,
//! limited, and counted.

use std::ffi::c_void;
use std::ptr;

use pgrx::nodes::is_a;
use pgrx::pg_sys::{self, NodeTag, UpperRelationKind};

use super::expression::{Reader, column_of};
use super::planner::{Kept, Planned, keep, kept, planned, private_list};
use crate::fdw::{Limit, PathPlan, SortKey};
use crate::pg::nodes::nodes;

/// What a request costs beside a row that PostgreSQL reads itself, of 0.01: a search and the
/// first page are two of them.
const REQUESTS: f64 = 2.0 * 1_000.0;
const ROW: f64 = 0.5;

fn cost(rows: f64) -> (f64, f64) {
    (REQUESTS, REQUESTS + rows * ROW)
}

/// GetForeignPaths.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn paths(
    root: *mut pg_sys::PlannerInfo,
    base: *mut pg_sys::RelOptInfo,
    _relid: pg_sys::Oid,
) {
    // SAFETY: the planner's structs are whole when it calls.
    unsafe {
        let Some(planned) = planned(base) else {
            return;
        };
        let lateral = (*base).lateral_relids;
        add(root, base, (*base).rows, ptr::null_mut(), lateral, PathPlan::default());
        let order = order(base, planned, (*root).query_pathkeys);
        if order.is_some() {
            let path = PathPlan { order, ..PathPlan::default() };
            add(root, base, (*base).rows, (*root).query_pathkeys, lateral, path);
        }
        for parameters in parameterisations(root, base, planned) {
            let (rows, outer) = ((*parameters).ppi_rows, (*parameters).ppi_req_outer);
            add(root, base, rows, ptr::null_mut(), outer, PathPlan::default());
        }
    }
}

unsafe fn add(
    root: *mut pg_sys::PlannerInfo,
    base: *mut pg_sys::RelOptInfo,
    rows: f64,
    pathkeys: *mut pg_sys::List,
    outer: pg_sys::Relids,
    path: PathPlan,
) {
    let (startup, total) = cost(rows);
    // Sorted by Odoo, all ids come before the first record.
    let total = if path.order.is_some() { total * 1.001 } else { total };
    // SAFETY: all pointers are the planner's own.
    unsafe {
        let path = pg_sys::create_foreignscan_path(
            root,
            base,
            ptr::null_mut(),
            rows,
            startup,
            total,
            pathkeys,
            outer,
            ptr::null_mut(),
            private_list(&path.to_text()),
        );
        pg_sys::add_path(base, path.cast());
    }
}

/// Odoo's order for what the query wants, if both sort alike.
unsafe fn order(
    base: *mut pg_sys::RelOptInfo,
    planned: &Planned,
    pathkeys: *mut pg_sys::List,
) -> Option<String> {
    let mut keys = Vec::new();
    // SAFETY: path keys and their members are the planner's nodes.
    unsafe {
        for key in nodes::<pg_sys::PathKey>(pathkeys) {
            let class = (*key).pk_eclass;
            if (*class).ec_has_volatile {
                return None;
            }
            let attribute = nodes::<pg_sys::EquivalenceMember>((*class).ec_members)
                .find_map(|member| column_of((*member).em_expr.cast(), (*base).relid))?;
            keys.push(SortKey {
                attribute,
                is_descending: (*key).pk_strategy == pg_sys::BTGreaterStrategyNumber as i32,
                nulls_first: (*key).pk_nulls_first,
            });
        }
    }
    planned.relation.order(&keys)
}

/// The other tables whose rows may give the values of a condition.
unsafe fn parameterisations(
    root: *mut pg_sys::PlannerInfo,
    base: *mut pg_sys::RelOptInfo,
    planned: &Planned,
) -> Vec<*mut pg_sys::ParamPathInfo> {
    let mut found = Vec::new();
    // SAFETY: join clauses are RestrictInfo nodes of the planner, and so are those that it makes
    // of equivalence classes.
    unsafe {
        let mut consider = |clause: *mut pg_sys::RestrictInfo| {
            if !pg_sys::join_clause_is_movable_to(clause, base) {
                return;
            }
            let one = pg_sys::lappend(ptr::null_mut(), clause.cast());
            let read = Reader::new(root, (*base).relid, &planned.relation).all(one);
            if !read.is_whole {
                return;
            }
            let outer = pg_sys::bms_union((*clause).clause_relids, (*base).lateral_relids);
            let outer = pg_sys::bms_del_member(outer, (*base).relid as i32);
            if !pg_sys::bms_is_empty(outer) {
                let parameters = pg_sys::get_baserel_parampathinfo(root, base, outer);
                if !found.contains(&parameters) {
                    found.push(parameters);
                }
            }
        };
        nodes((*base).joininfo).for_each(&mut consider);
        if (*base).has_eclass_joins {
            let mut wanted = Wanted { planned, current: ptr::null_mut(), done: Vec::new() };
            loop {
                wanted.current = ptr::null_mut();
                let argument: *mut c_void = ptr::from_mut(&mut wanted).cast();
                let clauses = pg_sys::generate_implied_equalities_for_column(
                    root,
                    base,
                    Some(is_wanted),
                    argument,
                    (*base).lateral_referencers,
                );
                if wanted.current.is_null() {
                    break;
                }
                nodes(clauses).for_each(&mut consider);
                wanted.done.push(wanted.current);
            }
        }
    }
    found
}

/// The column for which equalities are made, and those for which they were.
struct Wanted<'a> {
    planned: &'a Planned,
    current: *mut pg_sys::Expr,
    done: Vec<*mut pg_sys::Expr>,
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn is_wanted(
    _root: *mut pg_sys::PlannerInfo,
    base: *mut pg_sys::RelOptInfo,
    _class: *mut pg_sys::EquivalenceClass,
    member: *mut pg_sys::EquivalenceMember,
    argument: *mut c_void,
) -> bool {
    // SAFETY: the argument is the `Wanted` of the call above.
    unsafe {
        let wanted = &mut *argument.cast::<Wanted>();
        let expression = (*member).em_expr;
        if !wanted.current.is_null() {
            return pg_sys::equal(expression.cast(), wanted.current.cast());
        }
        let is_done = wanted.done.iter().any(|done| pg_sys::equal(expression.cast(), done.cast()));
        let is_asked = column_of(expression.cast(), (*base).relid)
            .is_some_and(|attribute| wanted.planned.relation.kind(attribute).is_some());
        if is_asked && !is_done {
            wanted.current = expression;
        }
        is_asked && !is_done
    }
}

/// GetForeignUpperPaths.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn upper_paths(
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
            UpperRelationKind::UPPERREL_GROUP_AGG => count_path(root, input, output),
            // The table itself has the sorted path; a limit above it wants to know the table.
            UpperRelationKind::UPPERREL_ORDERED if planned(input).is_some() => {
                keep(output, Kept::Ordered(input));
            }
            UpperRelationKind::UPPERREL_FINAL => limit_path(root, input, output, extra.cast()),
            _ => {}
        }
    }
}

/// Only `count(*)`, and of rows that Odoo picks exactly.
unsafe fn count_path(
    root: *mut pg_sys::PlannerInfo,
    input: *mut pg_sys::RelOptInfo,
    output: *mut pg_sys::RelOptInfo,
) {
    // SAFETY: as for `upper_paths`.
    unsafe {
        let query = (*root).parse;
        let is_whole = (*query).groupClause.is_null()
            && (*query).groupingSets.is_null()
            && (*query).havingQual.is_null()
            && (*input).reloptkind == pg_sys::RelOptKind::RELOPT_BASEREL;
        let is_exact = planned(input).is_some_and(|planned| planned.is_exact);
        if !is_whole || !is_exact {
            return;
        }
        let target = (*root).upper_targets[UpperRelationKind::UPPERREL_GROUP_AGG as usize];
        let flags = (pg_sys::PVC_INCLUDE_AGGREGATES | pg_sys::PVC_INCLUDE_PLACEHOLDERS) as i32;
        let is_count = |node: *mut pg_sys::Node| {
            is_a(node, NodeTag::T_Aggref) && {
                let aggregate = node.cast::<pg_sys::Aggref>();
                (*aggregate).aggstar
                    && (*aggregate).aggfnoid == pg_sys::Oid::from(pg_sys::F_COUNT_)
                    && (*aggregate).aggfilter.is_null()
                    && (*aggregate).agglevelsup == 0
            }
        };
        let parts: Vec<_> = nodes(pg_sys::pull_var_clause((*target).exprs.cast(), flags)).collect();
        if parts.is_empty() || !parts.into_iter().all(is_count) {
            return;
        }
        keep(output, Kept::Counted(input));
        let path = PathPlan { is_count: true, ..PathPlan::default() };
        let path = pg_sys::create_foreign_upper_path(
            root,
            output,
            target,
            1.0,
            REQUESTS / 2.0,
            REQUESTS / 2.0,
            ptr::null_mut(),
            ptr::null_mut(),
            private_list(&path.to_text()),
        );
        pg_sys::add_path(output, path.cast());
    }
}

/// LIMIT and OFFSET with constants, over rows that Odoo picks exactly, in its order if there is
/// one to keep.
unsafe fn limit_path(
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
        let (base, pathkeys) = match kept(input) {
            Some(Kept::Table(_)) => (input, ptr::null_mut()),
            Some(Kept::Ordered(base)) => (*base, (*root).sort_pathkeys),
            _ => return,
        };
        let Some(planned) = planned(base).filter(|planned| planned.is_exact && is_plain) else {
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
        let (startup, total) = cost(rows);
        let path = pg_sys::create_foreign_upper_path(
            root,
            base,
            (*root).upper_targets[UpperRelationKind::UPPERREL_FINAL as usize],
            rows,
            startup,
            total,
            pathkeys,
            ptr::null_mut(),
            private_list(&PathPlan { order, limit, is_count: false }.to_text()),
        );
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

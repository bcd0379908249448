//! GetForeignPaths: rows as they come, sorted, and for each row of a join's other side.

use std::ffi::c_void;
use std::ptr;

use pgrx::pg_sys;

use super::conditions::{Reader, column_of};
use super::planned::{Planned, planned};
use crate::pg::compat::{self, Estimate};
use crate::pg::fdw::asked::{PathPlan, SortKey};
use crate::pg::fdw::contract::Table;
use crate::pg::fdw::private::to_list;
use crate::pg::nodes::nodes;

/// What a request costs beside a row that PostgreSQL reads itself, of 0.01: a search and the
/// first page are two of them.
pub const REQUESTS: f64 = 2.0 * 1_000.0;
const ROW: f64 = 0.5;

pub fn estimate(rows: f64) -> Estimate {
    Estimate { rows, startup: REQUESTS, total: REQUESTS + rows * ROW }
}

/// GetForeignPaths.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn paths<T: Table>(
    root: *mut pg_sys::PlannerInfo,
    base: *mut pg_sys::RelOptInfo,
    _relid: pg_sys::Oid,
) {
    // SAFETY: the planner's structs are whole when it calls.
    unsafe {
        let Some(planned) = planned::<T>(base) else {
            return;
        };
        let lateral = (*base).lateral_relids;
        add(root, base, (*base).rows, ptr::null_mut(), lateral, PathPlan::default());
        let order = order(base, planned, (*root).query_pathkeys);
        if order.is_some() {
            let path = PathPlan { order, ..PathPlan::default() };
            add(root, base, (*base).rows, (*root).query_pathkeys, lateral, path);
        }
        for parameters in parameterisations(root, base, &planned.compared) {
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
    let mut estimate = estimate(rows);
    if path.order.is_some() {
        // Sorted by Odoo, all ids come before the first record.
        estimate.total *= 1.001;
    }
    // SAFETY: all pointers are the planner's own.
    unsafe {
        let private = to_list(&path);
        let path = compat::foreignscan_path(root, base, &estimate, pathkeys, outer, private);
        pg_sys::add_path(base, path.cast());
    }
}

/// The wrapper's order for what the query wants, if both sort alike.
///
/// # Safety
/// The relation and the keys are the planner's.
pub unsafe fn order<T: Table>(
    base: *mut pg_sys::RelOptInfo,
    planned: &Planned<T>,
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
                is_descending: compat::is_descending(key),
                nulls_first: (*key).pk_nulls_first,
            });
        }
    }
    planned.table.order(&keys)
}

/// The other tables whose rows may give the values of a condition.
unsafe fn parameterisations(
    root: *mut pg_sys::PlannerInfo,
    base: *mut pg_sys::RelOptInfo,
    compared: &[i16],
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
            let read = Reader::new(root, (*base).relid, compared).all(one);
            if !read.is_whole {
                return;
            }
            let outer = pg_sys::bms_union((*clause).clause_relids, (*base).lateral_relids);
            let outer = pg_sys::bms_del_member(outer, (*base).relid as i32);
            if !compat::is_empty(outer) {
                let parameters = pg_sys::get_baserel_parampathinfo(root, base, outer);
                if !found.contains(&parameters) {
                    found.push(parameters);
                }
            }
        };
        nodes((*base).joininfo).for_each(&mut consider);
        if (*base).has_eclass_joins {
            let mut wanted = Wanted { compared, current: ptr::null_mut(), done: Vec::new() };
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
    compared: &'a [i16],
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
            .is_some_and(|attribute| wanted.compared.contains(&attribute));
        if is_asked && !is_done {
            wanted.current = expression;
        }
        is_asked && !is_done
    }
}

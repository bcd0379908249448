//! GetForeignPlan: the plan of the chosen path.

use std::ptr;

use pgrx::pg_sys;

use super::conditions::Reader;
use super::planned::{Kept, kept, planned};
use crate::failure::OrRaise;
use crate::pg::fdw::asked::{Asked, PathPlan};
use crate::pg::fdw::contract::Table;
use crate::pg::fdw::private::{ScanPlan, from_list, to_list};
use crate::pg::nodes::{is_member, nodes};

/// GetForeignPlan.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn foreign_plan<T: Table>(
    root: *mut pg_sys::PlannerInfo,
    target: *mut pg_sys::RelOptInfo,
    _relid: pg_sys::Oid,
    best: *mut pg_sys::ForeignPath,
    tlist: *mut pg_sys::List,
    scan_clauses: *mut pg_sys::List,
    outer: *mut pg_sys::Plan,
) -> *mut pg_sys::ForeignScan {
    // SAFETY: the planner's structs are whole when it calls; the path is one of this wrapper's.
    unsafe {
        let path: PathPlan = from_list((*best).fdw_private).or_raise();
        let (base, groups) = match kept::<T>(target) {
            Some(Kept::Ordered(base)) => (*base, None),
            Some(Kept::Grouped(base, shown)) => (*base, Some(*shown)),
            _ => (target, None),
        };
        let Some(planned) = planned::<T>(base) else {
            pgrx::error!("a foreign table was not sized before it was planned");
        };
        let clauses = if groups.is_some() { (*base).baserestrictinfo } else { scan_clauses };
        let mut reader = Reader::new(root, (*base).relid, &planned.compared);
        let predicate = reader.all(clauses).predicate;
        let fetched = match groups {
            Some(_) => Vec::new(),
            None => attributes(base, clauses, &planned.attributes),
        };
        let asked = Asked {
            predicate,
            attributes: fetched.clone(),
            path,
            rows: (*best).path.rows,
            is_eager: (*root).tuple_fraction == 0.0,
        };
        let plan = planned.table.plan(asked).or_raise();
        let (scanned, quals, scan_tlist, attributes) = match groups {
            Some(shown) => {
                let having = (*(*root).parse).havingQual.cast();
                (
                    0,
                    having,
                    entries(shown),
                    (1..).take(nodes::<pg_sys::Expr>(shown).count()).collect(),
                )
            }
            None => {
                let quals = pg_sys::extract_actual_clauses(scan_clauses, false);
                ((*base).relid, quals, ptr::null_mut(), fetched)
            }
        };
        let is_grouped = groups.is_some();
        let private = to_list(&ScanPlan { attributes, times: reader.times, is_grouped, plan });
        let expressions = reader
            .expressions
            .iter()
            .fold(ptr::null_mut(), |list, node| pg_sys::lappend(list, node.cast()));
        pg_sys::make_foreignscan(
            tlist,
            quals,
            scanned,
            expressions,
            private,
            scan_tlist,
            ptr::null_mut(),
            outer,
        )
    }
}

/// Those of a table's columns that the query needs.
unsafe fn attributes(
    base: *mut pg_sys::RelOptInfo,
    clauses: *mut pg_sys::List,
    all: &[i16],
) -> Vec<i16> {
    let mut set = ptr::null_mut();
    // SAFETY: the relation's target and the clauses are lists of nodes.
    unsafe {
        let relid = (*base).relid;
        pg_sys::pull_varattnos((*(*base).reltarget).exprs.cast(), relid, &mut set);
        for clause in nodes::<pg_sys::RestrictInfo>(clauses) {
            pg_sys::pull_varattnos((*clause).clause.cast(), relid, &mut set);
        }
        let is_whole_row = is_member(set, 0);
        let needed = all.iter().filter(|attribute| is_whole_row || is_member(set, **attribute));
        needed.copied().collect()
    }
}

/// Expressions as what a scan returns.
unsafe fn entries(shown: *mut pg_sys::List) -> *mut pg_sys::List {
    let mut list = ptr::null_mut();
    // SAFETY: the list is one of expressions.
    unsafe {
        for (number, expression) in (1..).zip(nodes::<pg_sys::Expr>(shown)) {
            let entry = pg_sys::makeTargetEntry(expression, number, ptr::null_mut(), false);
            list = pg_sys::lappend(list, entry.cast());
        }
    }
    list
}

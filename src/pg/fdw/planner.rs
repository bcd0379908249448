//! What the planner asks: sizes, and the plan of the chosen path.

use std::ffi::CString;
use std::ptr;

use pgrx::{PgMemoryContexts, pg_sys};

use super::expression::Reader;
use super::{foreign_table, user_of};
use crate::failure::OrRaise;
use crate::fdw::query::predicate::Predicate;
use crate::fdw::{PathPlan, Plan, Relation};
use crate::pg::nodes::{nodes, text};

/// What the planner keeps for a relation, until its own memory is freed.
pub enum Kept {
    Table(Box<Planned>),
    /// The rows of a foreign table, sorted.
    Ordered(*mut pg_sys::RelOptInfo),
    /// Their number.
    Counted(*mut pg_sys::RelOptInfo),
}

pub struct Planned {
    pub relation: Relation,
    /// Odoo lets through exactly the rows that meet the query's conditions.
    pub is_exact: bool,
}

/// # Safety
/// The relation is one of a planner that is at work.
pub unsafe fn keep(relation: *mut pg_sys::RelOptInfo, kept: Kept) {
    // SAFETY: as above; the current context is the planner's.
    unsafe {
        let kept = PgMemoryContexts::CurrentMemoryContext.leak_and_drop_on_delete(kept);
        (*relation).fdw_private = kept.cast();
    }
}

/// # Safety
/// The relation is one of a planner that is at work, and its wrapper is odoo_fdw.
pub unsafe fn kept<'a>(relation: *mut pg_sys::RelOptInfo) -> Option<&'a Kept> {
    // SAFETY: only `keep` sets the pointer; what it points to lives as long as the planner.
    unsafe { (*relation).fdw_private.cast::<Kept>().as_ref() }
}

/// The table of a relation that is one.
///
/// # Safety
/// As for [`kept`].
pub unsafe fn planned<'a>(relation: *mut pg_sys::RelOptInfo) -> Option<&'a Planned> {
    // SAFETY: as above.
    match unsafe { kept(relation) } {
        Some(Kept::Table(planned)) => Some(planned),
        _ => None,
    }
}

/// Of a table that was never analysed and is not joined.
const UNKNOWN_ROWS: f64 = 1_000.0;

/// GetForeignRelSize.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn size(
    root: *mut pg_sys::PlannerInfo,
    base: *mut pg_sys::RelOptInfo,
    relid: pg_sys::Oid,
) {
    // SAFETY: the planner's structs are whole when it calls.
    unsafe {
        let entry = *(*root).simple_rte_array.add((*base).relid as usize);
        require_select(entry);
        let relation = Relation::open(foreign_table(relid), user_of(entry)).or_raise();
        let clauses = (*base).baserestrictinfo;
        let mut reader = Reader::new(root, (*base).relid, &relation);
        let read = reader.all(clauses);
        let is_exact =
            read.is_whole && relation.table.pushdown && relation.push(&read.predicate).exact;
        let is_joined =
            pg_sys::bms_membership((*root).all_baserels) == pg_sys::BMS_Membership::BMS_MULTIPLE;
        let counts = if is_joined { counted(&relation, &read.predicate) } else { None };
        let (total, rows) = match counts {
            Some((total, found)) => {
                (total, found * selectivity(root, unpushed(root, base, &relation)))
            }
            None => {
                let known = (*base).tuples;
                let total = if known > 0.0 { known } else { UNKNOWN_ROWS };
                (total, total * selectivity(root, clauses))
            }
        };
        (*base).tuples = total;
        (*base).rows = pg_sys::clamp_row_est(rows);
        keep(base, Kept::Table(Box::new(Planned { relation, is_exact })));
    }
}

/// How many rows a table has, and how many of them are found; `None` if Odoo does not tell.
fn counted(relation: &Relation, predicate: &Predicate) -> Option<(f64, f64)> {
    Some((relation.count(&Predicate::All(Vec::new()))?, relation.count(predicate)?))
}

/// PostgreSQL checks rights when a query begins to run; Odoo is asked before.
///
/// # Safety
/// The entry is one of the query's range table, and a table.
unsafe fn require_select(entry: *const pg_sys::RangeTblEntry) {
    const SELECT: pg_sys::AclMode = pg_sys::ACL_SELECT as pg_sys::AclMode;
    const MAY: pg_sys::AclResult::Type = pg_sys::AclResult::ACLCHECK_OK;
    // SAFETY: as above; the name is a palloc'ed C string, or null if the table is gone.
    unsafe {
        let (table, user) = ((*entry).relid, user_of(entry));
        let is_read = (*entry).requiredPerms & SELECT != 0;
        if is_read
            && pg_sys::pg_class_aclcheck(table, user, SELECT) != MAY
            && pg_sys::pg_attribute_aclcheck_all(
                table,
                user,
                SELECT,
                pg_sys::AclMaskHow::ACLMASK_ANY,
            ) != MAY
        {
            pg_sys::aclcheck_error(
                pg_sys::AclResult::ACLCHECK_NO_PRIV,
                pg_sys::ObjectType::OBJECT_FOREIGN_TABLE,
                pg_sys::get_rel_name(table),
            );
        }
    }
}

/// The conditions of which Odoo is asked nothing.
unsafe fn unpushed(
    root: *mut pg_sys::PlannerInfo,
    base: *mut pg_sys::RelOptInfo,
    relation: &Relation,
) -> *mut pg_sys::List {
    let mut rest = ptr::null_mut();
    // SAFETY: the conditions are RestrictInfo nodes; the new list holds the same.
    unsafe {
        for clause in nodes::<pg_sys::RestrictInfo>((*base).baserestrictinfo) {
            let one = pg_sys::lappend(ptr::null_mut(), clause.cast());
            let predicate = Reader::new(root, (*base).relid, relation).all(one).predicate;
            if relation.push(&predicate.known()).condition == crate::odoo::Condition::ALWAYS {
                rest = pg_sys::lappend(rest, clause.cast());
            }
        }
    }
    rest
}

unsafe fn selectivity(root: *mut pg_sys::PlannerInfo, clauses: *mut pg_sys::List) -> f64 {
    // SAFETY: the clauses are RestrictInfo nodes of this planner.
    unsafe {
        pg_sys::clauselist_selectivity(
            root,
            clauses,
            0,
            pg_sys::JoinType::JOIN_INNER,
            ptr::null_mut(),
        )
    }
}

/// A text as a list of one node, which plans and paths keep.
pub fn private_list(text: &str) -> *mut pg_sys::List {
    // JSON has no NUL.
    let text = CString::new(text).unwrap_or_default();
    // SAFETY: the text is copied into the current context.
    unsafe {
        let node = pg_sys::makeString(pg_sys::pstrdup(text.as_ptr()));
        pg_sys::lappend(ptr::null_mut(), node.cast())
    }
}

/// # Safety
/// The list is one that [`private_list`] made, or a copy.
pub unsafe fn private_text(list: *mut pg_sys::List) -> String {
    // SAFETY: as above.
    unsafe {
        let node: *mut pg_sys::String = pg_sys::list_nth(list, 0).cast();
        text((*node).sval)
    }
}

/// GetForeignPlan.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn plan(
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
        let path = PathPlan::from_text(&private_text((*best).fdw_private)).or_raise();
        let base = match kept(target) {
            Some(Kept::Ordered(base) | Kept::Counted(base)) => *base,
            _ => target,
        };
        let Some(planned) = planned(base) else {
            pgrx::error!("a foreign table was not sized before it was planned");
        };
        let clauses = if path.is_count { (*base).baserestrictinfo } else { scan_clauses };
        let mut reader = Reader::new(root, (*base).relid, &planned.relation);
        let predicate = reader.all(clauses).predicate;
        let attributes = if path.is_count { Vec::new() } else { attributes(base, clauses) };
        let is_eager = (*root).tuple_fraction == 0.0;
        let is_count = path.is_count;
        let plan = planned.relation.plan(predicate, &attributes, path, is_eager).or_raise();
        let plan = Plan { times: reader.times, ..plan };
        let expressions = reader
            .expressions
            .iter()
            .fold(ptr::null_mut(), |list, node| pg_sys::lappend(list, node.cast()));
        let (scanned, quals, scan_tlist) = match is_count {
            true => (0, ptr::null_mut(), counts((*(*best).path.pathtarget).exprs)),
            false => {
                let quals = pg_sys::extract_actual_clauses(scan_clauses, false);
                ((*base).relid, quals, ptr::null_mut())
            }
        };
        pg_sys::make_foreignscan(
            tlist,
            quals,
            scanned,
            expressions,
            private_list(&plan.to_text()),
            scan_tlist,
            ptr::null_mut(),
            outer,
        )
    }
}

/// The columns that the query needs of a table.
unsafe fn attributes(base: *mut pg_sys::RelOptInfo, clauses: *mut pg_sys::List) -> Vec<i16> {
    let mut set = ptr::null_mut();
    // SAFETY: the relation's target and the clauses are lists of nodes.
    unsafe {
        let relid = (*base).relid;
        pg_sys::pull_varattnos((*(*base).reltarget).exprs.cast(), relid, &mut set);
        for clause in nodes::<pg_sys::RestrictInfo>(clauses) {
            pg_sys::pull_varattnos((*clause).clause.cast(), relid, &mut set);
        }
        let offset = pg_sys::FirstLowInvalidHeapAttributeNumber;
        let is_needed = |attribute: i32| pg_sys::bms_is_member(attribute - offset, set);
        let last = (*base).max_attr;
        (1..=last).filter(|attribute| is_needed(0) || is_needed((*attribute).into())).collect()
    }
}

/// The counts of a target, as what the scan returns.
unsafe fn counts(target: *mut pg_sys::List) -> *mut pg_sys::List {
    let mut list = ptr::null_mut();
    // SAFETY: the target is a list of expressions, in which paths.rs found only counts.
    unsafe {
        let flags = pg_sys::PVC_INCLUDE_AGGREGATES as i32;
        for (number, aggregate) in
            (1..).zip(nodes::<pg_sys::Expr>(pg_sys::pull_var_clause(target.cast(), flags)))
        {
            let entry = pg_sys::makeTargetEntry(aggregate, number, ptr::null_mut(), false);
            list = pg_sys::lappend(list, entry.cast());
        }
    }
    list
}

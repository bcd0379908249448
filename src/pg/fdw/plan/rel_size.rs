//! GetForeignRelSize: how many rows a query finds.

use std::ptr;

use pgrx::pg_sys;

use super::conditions::Reader;
use super::planned::{Kept, Planned, keep};
use crate::failure::OrRaise;
use crate::pg::compat;
use crate::pg::fdw::contract::Table;
use crate::pg::fdw::table::foreign_table;
use crate::pg::nodes::nodes;

/// Of a table that was never analysed and is not joined.
const UNKNOWN_ROWS: f64 = 1_000.0;

/// Less would make tables of conditions that hardly any row meets.
const LEAST_SELECTIVITY: f64 = 1e-6;

/// GetForeignRelSize.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn rel_size<T: Table>(
    root: *mut pg_sys::PlannerInfo,
    base: *mut pg_sys::RelOptInfo,
    relid: pg_sys::Oid,
) {
    // SAFETY: the planner's structs are whole when it calls.
    unsafe {
        let user = compat::planned_as(root, (*base).relid);
        require_select(relid, user, compat::required_privileges(root, (*base).relid));
        let table = foreign_table(relid);
        let attributes = table.attributes();
        let table = T::open(table, user).or_raise();
        let compared = table.compared();
        let clauses = (*base).baserestrictinfo;
        let read = Reader::new(root, (*base).relid, &compared).all(clauses);
        let is_exact = read.is_whole && table.is_exact(&read.predicate);
        let is_joined =
            pg_sys::bms_membership((*root).all_baserels) == pg_sys::BMS_Membership::BMS_MULTIPLE;
        let known = (*base).tuples;
        let found = if is_joined { table.count(&read.predicate) } else { None };
        let (total, rows) = match found {
            Some(found) => {
                let rows = found * selectivity(root, unasked(root, base, &table, &compared));
                (total(known, rows, selectivity(root, clauses)), rows)
            }
            None => {
                let total = if known > 0.0 { known } else { UNKNOWN_ROWS };
                (total, total * selectivity(root, clauses))
            }
        };
        (*base).tuples = total;
        (*base).rows = pg_sys::clamp_row_est(rows);
        keep(base, Kept::Table(Box::new(Planned { table, attributes, compared, is_exact })));
    }
}

/// How many rows a table has: as many as ANALYZE found, or else so many that its conditions, as far
/// as PostgreSQL can tell, leave those that there are. Odoo is not asked for it too.
fn total(known: f64, rows: f64, selectivity: f64) -> f64 {
    match known > 0.0 && selectivity < 1.0 {
        true => known.max(rows),
        false => rows / selectivity.max(LEAST_SELECTIVITY),
    }
}

/// PostgreSQL checks rights when a query begins to run; Odoo is asked before.
fn require_select(table: pg_sys::Oid, user: pg_sys::Oid, required: pg_sys::AclMode) {
    const SELECT: pg_sys::AclMode = pg_sys::ACL_SELECT as pg_sys::AclMode;
    const MAY: pg_sys::AclResult::Type = pg_sys::AclResult::ACLCHECK_OK;
    // SAFETY: questions to PostgreSQL's caches; the name is a palloc'ed C string, or null if the
    // table is gone.
    unsafe {
        if required & SELECT != 0
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

/// The conditions that a scan leaves to PostgreSQL.
unsafe fn unasked(
    root: *mut pg_sys::PlannerInfo,
    base: *mut pg_sys::RelOptInfo,
    table: &impl Table,
    compared: &[i16],
) -> *mut pg_sys::List {
    let mut rest = ptr::null_mut();
    // SAFETY: the conditions are RestrictInfo nodes; the new list holds the same.
    unsafe {
        for clause in nodes::<pg_sys::RestrictInfo>((*base).baserestrictinfo) {
            let one = pg_sys::lappend(ptr::null_mut(), clause.cast());
            let predicate = Reader::new(root, (*base).relid, compared).all(one).predicate;
            if !table.is_narrowed(&predicate) {
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

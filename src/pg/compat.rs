//! What differs between PostgreSQL's releases, and nothing else: a further release is other bodies here.

use pgrx::pg_sys;

/// The columns of a descriptor, dropped ones too.
///
/// # Safety
/// The descriptor is whole, and outlives what is returned.
pub unsafe fn columns<'a>(descriptor: pg_sys::TupleDesc) -> &'a [pg_sys::FormData_pg_attribute] {
    // SAFETY: as above; so many columns lie at its end.
    unsafe { (*descriptor).attrs.as_slice((*descriptor).natts as usize) }
}

/// The role as which the planner's table is used: a view's owner, or the current user.
///
/// # Safety
/// The planner is at work, and the index is one of its query's range table.
pub unsafe fn planned_as(root: *mut pg_sys::PlannerInfo, index: pg_sys::Index) -> pg_sys::Oid {
    // SAFETY: as above.
    unsafe { user_of(entry(root, index)) }
}

/// The role as which a scan reads.
///
/// # Safety
/// The executor's node is whole.
pub unsafe fn scanned_as(node: *mut pg_sys::ForeignScanState) -> pg_sys::Oid {
    // SAFETY: as above; the scan of an upper relation has no entry of its own, but those that it
    // is made of.
    unsafe {
        let scan = (*node).ss.ps.plan.cast::<pg_sys::ForeignScan>();
        let index = match (*scan).scan.scanrelid {
            0 => pg_sys::bms_next_member((*scan).fs_relids, -1) as u32,
            number => number,
        };
        user_of(pg_sys::exec_rt_fetch(index, (*node).ss.ps.state))
    }
}

/// The role as which a statement changes a table.
///
/// # Safety
/// The executor's structs are whole.
pub unsafe fn modified_as(
    executor: *mut pg_sys::EState,
    result: *mut pg_sys::ResultRelInfo,
) -> pg_sys::Oid {
    // SAFETY: as above.
    unsafe { user_of(pg_sys::exec_rt_fetch((*result).ri_RangeTableIndex, executor)) }
}

/// The privileges that a query needs on a table that it names.
///
/// # Safety
/// As for [`planned_as`].
pub unsafe fn required_privileges(
    root: *mut pg_sys::PlannerInfo,
    index: pg_sys::Index,
) -> pg_sys::AclMode {
    // SAFETY: as above.
    unsafe { (*entry(root, index)).requiredPerms }
}

/// The columns that an INSERT names, and those that an UPDATE does, as sets of the planner's.
///
/// # Safety
/// As for [`planned_as`].
pub unsafe fn named_columns(
    root: *mut pg_sys::PlannerInfo,
    index: pg_sys::Index,
) -> (*mut pg_sys::Bitmapset, *mut pg_sys::Bitmapset) {
    // SAFETY: as above.
    unsafe { ((*entry(root, index)).insertedCols, (*entry(root, index)).updatedCols) }
}

/// # Safety
/// As for [`planned_as`].
unsafe fn entry(
    root: *mut pg_sys::PlannerInfo,
    index: pg_sys::Index,
) -> *mut pg_sys::RangeTblEntry {
    // SAFETY: as above.
    unsafe { *(*root).simple_rte_array.add(index as usize) }
}

/// # Safety
/// The entry is one of a query's range table.
unsafe fn user_of(entry: *const pg_sys::RangeTblEntry) -> pg_sys::Oid {
    // SAFETY: as above.
    unsafe {
        match (*entry).checkAsUser {
            pg_sys::InvalidOid => pg_sys::GetUserId(),
            user => user,
        }
    }
}

/// What a path is thought to bring, and to cost.
pub struct Estimate {
    pub rows: f64,
    pub startup: f64,
    pub total: f64,
}

/// A path that scans a foreign table.
///
/// # Safety
/// All pointers are the planner's own.
pub unsafe fn foreignscan_path(
    root: *mut pg_sys::PlannerInfo,
    relation: *mut pg_sys::RelOptInfo,
    estimate: &Estimate,
    pathkeys: *mut pg_sys::List,
    outer: pg_sys::Relids,
    private: *mut pg_sys::List,
) -> *mut pg_sys::ForeignPath {
    let (target, outer_path) = (std::ptr::null_mut(), std::ptr::null_mut());
    let Estimate { rows, startup, total } = *estimate;
    // SAFETY: as above.
    unsafe {
        pg_sys::create_foreignscan_path(
            root, relation, target, rows, startup, total, pathkeys, outer, outer_path, private,
        )
    }
}

/// A path that does the work of a step above the scan.
///
/// # Safety
/// All pointers are the planner's own.
pub unsafe fn foreign_upper_path(
    root: *mut pg_sys::PlannerInfo,
    relation: *mut pg_sys::RelOptInfo,
    target: *mut pg_sys::PathTarget,
    estimate: &Estimate,
    pathkeys: *mut pg_sys::List,
    private: *mut pg_sys::List,
) -> *mut pg_sys::ForeignPath {
    let outer_path = std::ptr::null_mut();
    let Estimate { rows, startup, total } = *estimate;
    // SAFETY: as above.
    unsafe {
        pg_sys::create_foreign_upper_path(
            root, relation, target, rows, startup, total, pathkeys, outer_path, private,
        )
    }
}

/// Whether a key sorts from the greatest value down.
///
/// # Safety
/// The key is one of the planner's.
pub unsafe fn is_descending(key: *const pg_sys::PathKey) -> bool {
    // SAFETY: as above.
    unsafe { (*key).pk_strategy == pg_sys::BTGreaterStrategyNumber as i32 }
}

/// Whether a set has no member.
///
/// # Safety
/// The set is whole, or null.
pub unsafe fn is_empty(set: *const pg_sys::Bitmapset) -> bool {
    // SAFETY: as above.
    unsafe { pg_sys::bms_is_empty(set) }
}

const USAGE: pg_sys::AclMode = pg_sys::ACL_USAGE as pg_sys::AclMode;
const MAY: pg_sys::AclResult::Type = pg_sys::AclResult::ACLCHECK_OK;

/// Whether a role has USAGE on a schema. An error if it is gone.
pub fn may_use_schema(schema: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a question to PostgreSQL's caches.
    unsafe { pg_sys::pg_namespace_aclcheck(schema, role, USAGE) == MAY }
}

/// Whether a role has USAGE on a foreign server. An error if it is gone.
pub fn may_use_server(server: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a question to PostgreSQL's caches.
    unsafe { pg_sys::pg_foreign_server_aclcheck(server, role, USAGE) == MAY }
}

/// Whether a role has the rights of a table's owner. An error if it is gone.
pub fn owns_table(table: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a question to PostgreSQL's caches.
    unsafe { pg_sys::pg_class_ownercheck(table, role) }
}

/// Whether a role may SET ROLE to another.
pub fn may_become(role: pg_sys::Oid, other: pg_sys::Oid) -> bool {
    // SAFETY: a question to PostgreSQL's caches of roles.
    unsafe { pg_sys::is_member_of_role(role, other) }
}

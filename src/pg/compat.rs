//! What differs between PostgreSQL's releases, and nothing else: a further release is other bodies here.

use pgrx::pg_sys;

/// The columns of a descriptor, dropped ones too.
///
/// # Safety
/// The descriptor is whole, and outlives what is returned.
pub unsafe fn columns<'a>(descriptor: pg_sys::TupleDesc) -> &'a [pg_sys::FormData_pg_attribute] {
    // SAFETY: as above; so many columns lie at its end, from 18 on behind the compact ones.
    unsafe {
        let count = (*descriptor).natts as usize;
        #[cfg(any(feature = "pg15", feature = "pg16", feature = "pg17"))]
        return (*descriptor).attrs.as_slice(count);
        #[cfg(feature = "pg18")]
        return match count {
            0 => &[],
            _ => std::slice::from_raw_parts(pg_sys::TupleDescAttr(descriptor, 0), count),
        };
    }
}

/// The role as which the planner's table is used: a view's owner, or the current user.
///
/// # Safety
/// The planner is at work, and the index is one of its query's range table.
pub unsafe fn planned_as(root: *mut pg_sys::PlannerInfo, index: pg_sys::Index) -> pg_sys::Oid {
    // SAFETY: as above; from 16 on a table that is read knows its user, and of one that rows go
    // into the query does.
    let user = unsafe {
        #[cfg(feature = "pg15")]
        let user = (*entry(root, index)).checkAsUser;
        #[cfg(not(feature = "pg15"))]
        let user = match (*(*root).simple_rel_array.add(index as usize)).as_ref() {
            Some(relation) => relation.userid,
            None => rights(root, index).map_or(pg_sys::InvalidOid, |rights| rights.checkAsUser),
        };
        user
    };
    or_current(user)
}

/// The role as which a scan reads.
///
/// # Safety
/// The executor's node is whole.
pub unsafe fn scanned_as(node: *mut pg_sys::ForeignScanState) -> pg_sys::Oid {
    // SAFETY: as above; up to 15 the scan of an upper relation has no entry of its own, but those
    // that it is made of.
    let user = unsafe {
        let scan = (*node).ss.ps.plan.cast::<pg_sys::ForeignScan>();
        #[cfg(feature = "pg15")]
        let user = {
            let index = match (*scan).scan.scanrelid {
                0 => pg_sys::bms_next_member((*scan).fs_relids, -1) as u32,
                number => number,
            };
            (*pg_sys::exec_rt_fetch(index, (*node).ss.ps.state)).checkAsUser
        };
        #[cfg(not(feature = "pg15"))]
        let user = (*scan).checkAsUser;
        user
    };
    or_current(user)
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
    let user = unsafe {
        #[cfg(feature = "pg15")]
        let user = (*pg_sys::exec_rt_fetch((*result).ri_RangeTableIndex, executor)).checkAsUser;
        #[cfg(not(feature = "pg15"))]
        let user = pg_sys::ExecGetResultRelCheckAsUser(result, executor);
        user
    };
    or_current(user)
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
    unsafe { rights(root, index).map_or(0, |rights| rights.requiredPerms) }
}

/// The columns that an INSERT names, as a set of the planner's.
///
/// # Safety
/// As for [`planned_as`].
pub unsafe fn inserted_columns(
    root: *mut pg_sys::PlannerInfo,
    index: pg_sys::Index,
) -> *mut pg_sys::Bitmapset {
    // SAFETY: as above.
    unsafe { rights(root, index).map_or(std::ptr::null_mut(), |rights| rights.insertedCols) }
}

/// The columns that an UPDATE names, as a set of the planner's; of a child those that its parent's
/// are there.
///
/// # Safety
/// As for [`planned_as`], and the query is an UPDATE.
pub unsafe fn updated_columns(
    root: *mut pg_sys::PlannerInfo,
    index: pg_sys::Index,
) -> *mut pg_sys::Bitmapset {
    // SAFETY: as above.
    unsafe {
        #[cfg(feature = "pg15")]
        return (*entry(root, index)).updatedCols;
        #[cfg(not(feature = "pg15"))]
        return pg_sys::ffi::pg_guard_ffi_boundary(|| {
            get_rel_all_updated_cols(root, *(*root).simple_rel_array.add(index as usize))
        });
    }
}

// optimizer/inherit.h, which pgrx does not bind.
#[cfg(not(feature = "pg15"))]
unsafe extern "C-unwind" {
    fn get_rel_all_updated_cols(
        root: *mut pg_sys::PlannerInfo,
        relation: *mut pg_sys::RelOptInfo,
    ) -> *mut pg_sys::Bitmapset;
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

/// What a query needs on a table; `None` for a child, whose parent's it is.
///
/// # Safety
/// As for [`planned_as`].
#[cfg(feature = "pg15")]
unsafe fn rights<'a>(
    root: *mut pg_sys::PlannerInfo,
    index: pg_sys::Index,
) -> Option<&'a pg_sys::RangeTblEntry> {
    // SAFETY: as above.
    unsafe { entry(root, index).as_ref() }
}

/// The same, from 16 on apart from the table's entry.
///
/// # Safety
/// As for [`planned_as`].
#[cfg(not(feature = "pg15"))]
unsafe fn rights<'a>(
    root: *mut pg_sys::PlannerInfo,
    index: pg_sys::Index,
) -> Option<&'a pg_sys::RTEPermissionInfo> {
    // SAFETY: as above; the entry tells whether it has one.
    unsafe {
        let entry = entry(root, index);
        match (*entry).perminfoindex {
            0 => None,
            _ => pg_sys::getRTEPermissionInfo((*(*root).parse).rteperminfos, entry).as_ref(),
        }
    }
}

/// The current user where no other is named.
fn or_current(user: pg_sys::Oid) -> pg_sys::Oid {
    match user {
        // SAFETY: it reads a variable.
        pg_sys::InvalidOid => unsafe { pg_sys::GetUserId() },
        user => user,
    }
}

/// No setting turns these paths off.
#[cfg(feature = "pg18")]
const DISABLED_NODES: i32 = 0;

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
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    let restrictions = std::ptr::null_mut();
    // SAFETY: as above.
    unsafe {
        pg_sys::create_foreignscan_path(
            root,
            relation,
            target,
            rows,
            #[cfg(feature = "pg18")]
            DISABLED_NODES,
            startup,
            total,
            pathkeys,
            outer,
            outer_path,
            #[cfg(any(feature = "pg17", feature = "pg18"))]
            restrictions,
            private,
        )
    }
}

/// A path that does the work of a step above the scan, perhaps with another one to fall back on.
///
/// # Safety
/// All pointers are the planner's own.
pub unsafe fn foreign_upper_path(
    root: *mut pg_sys::PlannerInfo,
    relation: *mut pg_sys::RelOptInfo,
    target: *mut pg_sys::PathTarget,
    estimate: &Estimate,
    pathkeys: *mut pg_sys::List,
    fallback: *mut pg_sys::Path,
    private: *mut pg_sys::List,
) -> *mut pg_sys::ForeignPath {
    let Estimate { rows, startup, total } = *estimate;
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    let restrictions = std::ptr::null_mut();
    // SAFETY: as above.
    unsafe {
        pg_sys::create_foreign_upper_path(
            root,
            relation,
            target,
            rows,
            #[cfg(feature = "pg18")]
            DISABLED_NODES,
            startup,
            total,
            pathkeys,
            fallback,
            #[cfg(any(feature = "pg17", feature = "pg18"))]
            restrictions,
            private,
        )
    }
}

/// What a query groups by, from 16 on without what all rows share.
///
/// # Safety
/// The planner is at work.
pub unsafe fn group_clauses(root: *mut pg_sys::PlannerInfo) -> *mut pg_sys::List {
    // SAFETY: as above.
    unsafe {
        #[cfg(feature = "pg15")]
        return (*(*root).parse).groupClause;
        #[cfg(not(feature = "pg15"))]
        return (*root).processed_groupClause;
    }
}

/// Whether a key sorts from the greatest value down.
///
/// # Safety
/// The key is one of the planner's.
pub unsafe fn is_descending(key: *const pg_sys::PathKey) -> bool {
    // SAFETY: as above.
    unsafe {
        #[cfg(any(feature = "pg15", feature = "pg16", feature = "pg17"))]
        return (*key).pk_strategy == pg_sys::BTGreaterStrategyNumber as i32;
        #[cfg(feature = "pg18")]
        return (*key).pk_cmptype == pg_sys::CompareType::COMPARE_GT;
    }
}

/// Whether a set has no member: from 16 on that is the null pointer.
///
/// # Safety
/// The set is whole, or null.
pub unsafe fn is_empty(set: *const pg_sys::Bitmapset) -> bool {
    #[cfg(feature = "pg15")]
    // SAFETY: as above.
    return unsafe { pg_sys::bms_is_empty(set) };
    #[cfg(not(feature = "pg15"))]
    return set.is_null();
}

/// The wait event that pg_stat_activity shows while Odoo is waited for: from 17 on with a name.
pub fn wait_event() -> u32 {
    #[cfg(any(feature = "pg15", feature = "pg16"))]
    return pg_sys::PG_WAIT_EXTENSION;
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    {
        static NAMED: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
        // SAFETY: the name is a C string; each process that asks by it gets the same number.
        *NAMED.get_or_init(|| unsafe { pg_sys::WaitEventExtensionNew(c"OdooRequest".as_ptr()) })
    }
}

const USAGE: pg_sys::AclMode = pg_sys::ACL_USAGE as pg_sys::AclMode;
const MAY: pg_sys::AclResult::Type = pg_sys::AclResult::ACLCHECK_OK;

/// Whether a role has USAGE on a schema. An error if it is gone.
pub fn may_use_schema(schema: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a question to PostgreSQL's caches.
    unsafe {
        #[cfg(feature = "pg15")]
        return pg_sys::pg_namespace_aclcheck(schema, role, USAGE) == MAY;
        #[cfg(not(feature = "pg15"))]
        return pg_sys::object_aclcheck(pg_sys::NamespaceRelationId, schema, role, USAGE) == MAY;
    }
}

/// Whether a role has USAGE on a foreign server. An error if it is gone.
pub fn may_use_server(server: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a question to PostgreSQL's caches.
    unsafe {
        #[cfg(feature = "pg15")]
        return pg_sys::pg_foreign_server_aclcheck(server, role, USAGE) == MAY;
        #[cfg(not(feature = "pg15"))]
        return pg_sys::object_aclcheck(pg_sys::ForeignServerRelationId, server, role, USAGE)
            == MAY;
    }
}

/// Whether a role has the rights of a table's owner. An error if it is gone.
pub fn owns_table(table: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a question to PostgreSQL's caches.
    unsafe {
        #[cfg(feature = "pg15")]
        return pg_sys::pg_class_ownercheck(table, role);
        #[cfg(not(feature = "pg15"))]
        return pg_sys::object_ownercheck(pg_sys::RelationRelationId, table, role);
    }
}

/// Whether a role may SET ROLE to another.
pub fn may_become(role: pg_sys::Oid, other: pg_sys::Oid) -> bool {
    // SAFETY: a question to PostgreSQL's caches of roles.
    unsafe {
        #[cfg(feature = "pg15")]
        return pg_sys::is_member_of_role(role, other);
        #[cfg(not(feature = "pg15"))]
        return pg_sys::member_can_set_role(role, other);
    }
}

//! Tables by their names, and who may do what with them.

use std::ffi::{CString, c_int};

use pgrx::pg_sys;

use super::catalog::current_user;
use super::compat;
use super::roles::restricts;

/// What a role may do with a table.
#[derive(Debug, Clone, Copy)]
pub enum Privilege {
    Select,
    Insert,
    Update,
    Delete,
}

impl Privilege {
    /// Its bit in PostgreSQL's AclMode.
    fn mode(self) -> pg_sys::AclMode {
        (match self {
            Privilege::Select => pg_sys::ACL_SELECT,
            Privilege::Insert => pg_sys::ACL_INSERT,
            Privilege::Update => pg_sys::ACL_UPDATE,
            Privilege::Delete => pg_sys::ACL_DELETE,
        }) as pg_sys::AclMode
    }
}

/// A table, as PostgreSQL's catalogue has it now.
#[derive(Debug, Clone, Copy)]
pub struct Relation {
    pub oid: pg_sys::Oid,
    namespace: pg_sys::Oid,
    pub owner: pg_sys::Oid,
}

impl Relation {
    pub fn find(schema: &str, table: &str) -> Option<Relation> {
        let (schema, table) = (CString::new(schema).ok()?, CString::new(table).ok()?);
        // SAFETY: the strings are C's; the tuple is released after its fields were copied.
        unsafe {
            let namespace = pg_sys::get_namespace_oid(schema.as_ptr(), true);
            let oid = pg_sys::get_relname_relid(table.as_ptr(), namespace);
            let tuple =
                pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::RELOID as c_int, oid.into());
            if tuple.is_null() {
                return None;
            }
            let class = pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_class>();
            let owner = (*class).relowner;
            pg_sys::ReleaseSysCache(tuple);
            Some(Relation { oid, namespace, owner })
        }
    }

    /// Whether the current user has all of some privileges on it.
    pub fn allows(&self, privileges: &[Privilege]) -> bool {
        self.allows_to(current_user(), privileges)
    }

    pub fn allows_to(&self, role: pg_sys::Oid, privileges: &[Privilege]) -> bool {
        let ok = pg_sys::AclResult::ACLCHECK_OK;
        // SAFETY: a question to PostgreSQL's caches.
        let allows = |privilege: &Privilege| unsafe {
            pg_sys::pg_class_aclcheck(self.oid, role, privilege.mode()) == ok
        };
        compat::may_use_schema(self.namespace, role) && privileges.iter().all(allows)
    }

    /// Whether the current user has its owner's rights.
    pub fn is_owned(&self) -> bool {
        compat::owns_table(self.oid, current_user())
    }

    /// Whether the current user's statements on it are security-restricted operations.
    pub fn is_restricted(&self) -> bool {
        restricts(self.owner)
    }
}

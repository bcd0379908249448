//! Servers, user mappings and what else PostgreSQL's caches know.

use std::ffi::c_int;

use pgrx::datum::DatumWithOid;
use pgrx::{AnyElement, pg_sys};

use super::compat;
use super::nodes::{options, text};

/// Whether the database's encoding is UTF8, and the encoding's name.
pub fn encoding() -> (bool, String) {
    // SAFETY: they read the backend's own state; the name is a C string.
    unsafe {
        let is_utf8 = pg_sys::GetDatabaseEncoding() == pg_sys::pg_enc::PG_UTF8 as i32;
        (is_utf8, text(pg_sys::GetDatabaseEncodingName()))
    }
}

/// A value of any type as an argument of a query.
pub fn argument(value: AnyElement) -> DatumWithOid<'static> {
    // SAFETY: the value is of the type that it says; it lives as long as the call that it came with.
    unsafe { DatumWithOid::new(value.datum(), value.oid()) }
}

/// The options of a user's mapping for a server, else of PUBLIC's. PostgreSQL's own error if there
/// is none.
pub fn user_mapping_options(server: pg_sys::Oid, user: pg_sys::Oid) -> Vec<(String, String)> {
    // SAFETY: GetUserMapping returns a palloc'ed mapping or raises an error.
    unsafe { options((*pg_sys::GetUserMapping(user, server)).options) }
}

/// The same, `None` if there is no mapping.
pub fn find_user_mapping(server: pg_sys::Oid, user: pg_sys::Oid) -> Option<Vec<(String, String)>> {
    let exists = |user: pg_sys::Oid| {
        let cache = pg_sys::SysCacheIdentifier::USERMAPPINGUSERSERVER as c_int;
        let none = pg_sys::Datum::null();
        // SAFETY: a question to a cache whose two keys are given.
        unsafe { pg_sys::SearchSysCacheExists(cache, user.into(), server.into(), none, none) }
    };
    (exists(user) || exists(pg_sys::InvalidOid)).then(|| user_mapping_options(server, user))
}

pub fn current_user() -> pg_sys::Oid {
    // SAFETY: it reads a variable of the backend's.
    unsafe { pg_sys::GetUserId() }
}

/// Whether a role has USAGE on a foreign server. `false` for one that is gone.
pub fn may_use_server(server: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a question to PostgreSQL's caches.
    unsafe {
        !pg_sys::GetForeignServerExtended(server, pg_sys::FSV_MISSING_OK as u16).is_null()
            && compat::may_use_server(server, role)
    }
}

/// The name and the options of a foreign server.
pub fn foreign_server(server: pg_sys::Oid) -> (String, Vec<(String, String)>) {
    // SAFETY: GetForeignServer returns a palloc'ed server or raises an error.
    unsafe {
        let server = pg_sys::GetForeignServer(server);
        (text((*server).servername), options((*server).options))
    }
}

/// PostgreSQL's release, such as `15`.
pub fn release() -> u32 {
    pg_sys::PG_VERSION_NUM / 10_000
}

//! Statements as another role, under settings of their own.

use std::ffi::{CStr, c_int};

use pgrx::pg_sys;

use super::catalog::current_user;
use super::compat;
use super::nodes::text;

/// The current user and its security context, which [`Identity::set`] brings back.
#[derive(Clone, Copy)]
struct Identity {
    user: pg_sys::Oid,
    context: c_int,
}

impl Identity {
    fn current() -> Identity {
        let (mut user, mut context) = (pg_sys::InvalidOid, 0);
        // SAFETY: both pointers are to live variables.
        unsafe { pg_sys::GetUserIdAndSecContext(&mut user, &mut context) };
        Identity { user, context }
    }

    /// Takes it for as long as the guard lives; the one from before is back on every path.
    fn assume(self) -> impl Drop {
        struct Restore(Identity);
        impl Drop for Restore {
            fn drop(&mut self) {
                self.0.set();
            }
        }
        let restore = Restore(Identity::current());
        self.set();
        restore
    }

    fn set(self) {
        // SAFETY: the values are those of an identity that was, with other flags at most.
        unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) }
    }
}

/// Runs `body` as another role: for statements on the extension's own tables, which its users
/// may not write by hand. The flag keeps `body` from changing roles, and the path from running
/// functions and operators of the caller's.
pub fn as_role<T>(role: pg_sys::Oid, body: impl FnOnce() -> T) -> T {
    let flags = Identity::current().context | pg_sys::SECURITY_LOCAL_USERID_CHANGE as c_int;
    let _settings = Settings::local(&[(c"search_path", c"pg_catalog, pg_temp")], true);
    let _as_role = Identity { user: role, context: flags }.assume();
    body()
}

/// Runs statements on a table as its owner, as SwitchToUntrustedUser in PostgreSQL's
/// usercontext.c has it: unless the owner could become the current user anyway, what they run
/// cannot change roles, nor leave anything behind that runs after them. Row security hides
/// nothing from them: where a policy would, they fail.
pub fn as_owner<T>(owner: pg_sys::Oid, body: impl FnOnce() -> T) -> T {
    let Identity { context, .. } = Identity::current();
    let is_restricted = restricts(owner);
    let context = match is_restricted {
        true => context | pg_sys::SECURITY_RESTRICTED_OPERATION as c_int,
        false => context,
    };
    let _as_owner = Identity { user: owner, context }.assume();
    let _settings = Settings::local(&[(c"row_security", c"off")], !is_restricted);
    body()
}

/// Whether the owner of a table is kept from the current user's rights.
pub(super) fn restricts(owner: pg_sys::Oid) -> bool {
    !compat::may_become(owner, current_user())
}

/// Settings that end with the guard. An error leaves them to the end of its transaction.
struct Settings {
    level: c_int,
    /// Whether others that were set meanwhile stay, as at a function's end.
    keeps_others: bool,
}

impl Settings {
    /// As a function's SET clause does (fmgr_security_definer in fmgr.c).
    fn local(values: &[(&CStr, &CStr)], keeps_others: bool) -> Settings {
        // SAFETY: it opens a level, which is left below, or by the transaction's end.
        let level = unsafe { pg_sys::NewGUCNestLevel() };
        for (name, value) in values {
            // SAFETY: the strings are C's; the settings are those that every user may change.
            unsafe {
                pg_sys::set_config_option(
                    name.as_ptr(),
                    value.as_ptr(),
                    pg_sys::GucContext::PGC_USERSET,
                    pg_sys::GucSource::PGC_S_SESSION,
                    pg_sys::GucAction::GUC_ACTION_SAVE,
                    true,
                    0,
                    false,
                );
            }
        }
        Settings { level, keeps_others }
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: the level was begun above, and those within it have ended.
            unsafe { pg_sys::AtEOXact_GUC(self.keeps_others, self.level) };
        }
    }
}

/// Settings under which a statement finds the rows of a page in indexes, and joins them in one go: what is
/// known of a table while it fills would have it read whole, or each row be compared with each
/// other. Joins of a page are written in the order in which they are best made.
const LOOKUPS: [(&CStr, &CStr); 6] = [
    (c"enable_seqscan", c"off"),
    (c"enable_indexscan", c"on"),
    (c"enable_material", c"off"),
    (c"enable_hashjoin", c"on"),
    (c"join_collapse_limit", c"1"),
    // Paths that are off cost so much that the statement would be compiled.
    (c"jit", c"off"),
];

/// Runs statements on pages under settings of their own; the session's are back on every path.
pub fn looking_up<T>(body: impl FnOnce() -> T) -> T {
    let _settings = Settings::local(&LOOKUPS, true);
    body()
}

/// Settings under which values are written in one way, and names are those of PostgreSQL itself.
const PLAIN: [(&CStr, &CStr); 6] = [
    (c"datestyle", c"ISO"),
    (c"intervalstyle", c"postgres"),
    (c"extra_float_digits", c"1"),
    (c"bytea_output", c"hex"),
    (c"quote_all_identifiers", c"off"),
    (c"search_path", c"pg_catalog, pg_temp"),
];

/// Runs `body` under settings of its own, whatever those of the session; these are back on every
/// path.
pub fn with_plain_settings<T>(body: impl FnOnce() -> T) -> T {
    let _settings = Settings::local(&PLAIN, true);
    body()
}

/// The name of a role; empty if there is none.
pub fn role_name(role: pg_sys::Oid) -> String {
    // SAFETY: GetUserNameFromId returns a palloc'ed string, or null.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, true);
        if name.is_null() { String::new() } else { text(name) }
    }
}

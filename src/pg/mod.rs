//! The only module with `unsafe` code: what PostgreSQL offers to C alone.
//!
//! Each function here is safe to call from the backend's own thread, which is where pgrx runs
//! every SQL function. Threads that this module spawns must not call PostgreSQL.
#![allow(unsafe_code)]

mod fdw;
pub mod writable;

pub use fdw::locked_foreign_table;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use std::{io, ptr};

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::{AnyElement, PgMemoryContexts, PgSqlErrorCode, PgTryBuilder, pg_sys};

/// How long a cancel may go unnoticed.
const POLL: Duration = Duration::from_millis(50);

// SAFETY: as POSIX and the C library's <signal.h> declare them.
unsafe extern "C" {
    fn sigfillset(set: *mut pg_sys::__sigset_t) -> c_int;
    fn pthread_sigmask(
        how: c_int,
        set: *const pg_sys::__sigset_t,
        before: *mut pg_sys::__sigset_t,
    ) -> c_int;
}

// SAFETY: as PostgreSQL's utils/elog.h declares them.
unsafe extern "C-unwind" {
    fn errstart(level: c_int, domain: *const c_char) -> bool;
    fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
}

/// Spawns a thread that PostgreSQL's signals never reach: their handlers belong to the
/// backend's own thread.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let mut all = MaybeUninit::uninit();
    let mut before = MaybeUninit::uninit();
    // SAFETY: both sets are initialised before they are read, by sigfillset and by
    // pthread_sigmask; a thread inherits the mask that its creator has.
    unsafe {
        sigfillset(all.as_mut_ptr());
        pthread_sigmask(pg_sys::SIG_SETMASK as c_int, all.as_ptr(), before.as_mut_ptr());
    }
    let spawned = Builder::new().name(name.to_owned()).spawn(body);
    // SAFETY: `before` was filled above.
    unsafe {
        pthread_sigmask(pg_sys::SIG_SETMASK as c_int, before.as_ptr(), ptr::null_mut());
    }
    spawned
}

/// Waits for a thread's message; a cancel, a time-out or a terminate ends the wait with
/// PostgreSQL's own error. `None` if the thread ended without a message.
pub fn receive<T>(receiver: &Receiver<T>) -> Option<T> {
    loop {
        match receiver.recv_timeout(POLL) {
            Ok(message) => return Some(message),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                pgrx::check_for_interrupts!();
            }
        }
    }
}

/// Writes a line to the server's log, without the statement that it comes from.
pub fn log_line(text: &str) {
    let text = CString::new(text.replace('\0', "")).unwrap_or_default();
    // SAFETY: errstart to errfinish as utils/elog.h asks for. The format has one %s.
    uninterrupted(|| unsafe {
        if errstart(pg_sys::LOG as c_int, ptr::null()) {
            pg_sys::errmsg_internal(c"%s".as_ptr(), text.as_ptr());
            pg_sys::errhidestmt(true);
            pg_sys::errhidecontext(true);
            errfinish(c"journal".as_ptr(), 0, c"log_line".as_ptr());
        }
    });
}

/// Runs `body`, which reports something below an error: PostgreSQL looks for a cancel at its end,
/// and would jump over frames of Rust's. The next wait sees it.
pub fn uninterrupted<T>(body: impl FnOnce() -> T) -> T {
    // SAFETY: the counter is the backend's; a report below an error returns, so it is counted
    // down again.
    unsafe { pg_sys::InterruptHoldoffCount += 1 };
    let done = body();
    // SAFETY: as above.
    unsafe { pg_sys::InterruptHoldoffCount -= 1 };
    done
}

/// Runs `body` with a memory context of its own, which is freed after it: what a set-returning
/// function allocates lives until its end otherwise. What `body` returns is Rust's own.
pub fn in_own_memory<T>(body: impl FnOnce() -> T) -> T {
    let mut context = PgMemoryContexts::new("odoo_etl page");
    // SAFETY: nothing that `body` returns points into the context: SPI's results are copied into
    // Rust's types, and no other pointer leaves this module. After an error the transaction's
    // end frees it.
    unsafe { context.switch_to(|_| body()) }
}

/// A number below `end`, by PostgreSQL's own generator.
pub fn random_below(end: usize) -> usize {
    let last = (end as u64).saturating_sub(1);
    // SAFETY: the generator's state is the backend's, and is seeded when it starts.
    let number =
        unsafe { pg_sys::pg_prng_uint64_range(&raw mut pg_sys::pg_global_prng_state, 0, last) };
    number as usize
}

/// Sleeps; a cancel, a time-out or a terminate ends it with PostgreSQL's own error.
pub fn sleep(time: Duration) {
    std::thread::sleep(time);
    pgrx::check_for_interrupts!();
}

/// Calls `ended` at the end of every transaction that is rolled back, also by the end of the
/// session. It may not use the database any more.
pub fn after_rollbacks(ended: fn()) {
    #[pgrx::pg_guard]
    unsafe extern "C-unwind" fn callback(event: pg_sys::XactEvent::Type, ended: *mut c_void) {
        if event == pg_sys::XactEvent::XACT_EVENT_ABORT {
            // SAFETY: the argument is the function that was registered with this callback.
            unsafe { std::mem::transmute::<*mut c_void, fn()>(ended)() }
        }
    }
    // SAFETY: the callback lives as long as the library, which is never unloaded.
    unsafe { pg_sys::RegisterXactCallback(Some(callback), ended as *mut c_void) }
}

/// An advisory lock that outlives transactions, and that pg_locks shows to everybody. It ends
/// when it is dropped, or with its session, be it by a crash.
pub struct SessionLock(pg_sys::LOCKTAG);

impl SessionLock {
    /// Takes the lock that pg_try_advisory_lock() has for the key; `None` if somebody has it.
    pub fn take(key: i64) -> Option<SessionLock> {
        // SAFETY: the tag is written as SET_LOCKTAG_ADVISORY does, in a database's session.
        unsafe {
            let tag = pg_sys::LOCKTAG {
                locktag_field1: pg_sys::MyDatabaseId.to_u32(),
                locktag_field2: (key >> 32) as u32,
                locktag_field3: key as u32,
                locktag_field4: 1,
                locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
                locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
            };
            let mode = pg_sys::ExclusiveLock as pg_sys::LOCKMODE;
            let taken = pg_sys::LockAcquire(&tag, mode, true, true);
            (taken != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL).then_some(SessionLock(tag))
        }
    }
}

impl Drop for SessionLock {
    fn drop(&mut self) {
        // SAFETY: the session took it. No more than the lock table is touched, which is allowed
        // while a transaction is rolled back.
        unsafe {
            pg_sys::LockRelease(&self.0, pg_sys::ExclusiveLock as pg_sys::LOCKMODE, true);
        }
    }
}

/// Whether a statement may write: not beside parallel workers. Whether its transaction may is
/// told by transaction_read_only.
pub fn is_in_parallel() -> bool {
    // SAFETY: it reads a counter of the backend.
    unsafe { pg_sys::IsInParallelMode() }
}

/// The parameters of a backend's progress, as commands/progress.h numbers those of COPY, and
/// behind them those of this extension. The view odoo_sync_progress counts them from 1.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub table: pg_sys::Oid,
    pub server: pg_sys::Oid,
    pub phase: i64,
    pub pages: i64,
    pub rows: i64,
    pub total: i64,
    /// Milliseconds since 1970.
    pub started: i64,
}

/// By which the view knows this extension's own progress among that of COPY.
const PROGRESS_SIGN: i64 = 7_366_746;

/// Shows to other sessions how far this one is, at once and without a transaction: as a COPY
/// from a callback, which is how PostgreSQL shows its own table synchronisation.
pub fn show_progress(progress: &Progress) {
    const COPY_FROM: i64 = 1;
    const FROM_CALLBACK: i64 = 4;
    let values = [
        (2, progress.rows),
        (4, COPY_FROM),
        (5, FROM_CALLBACK),
        (10, PROGRESS_SIGN),
        (11, i64::from(progress.server.to_u32())),
        (12, progress.phase),
        (13, progress.pages),
        (14, progress.total),
        (15, progress.started),
    ];
    // SAFETY: they write to the backend's own entry, at places below PGSTAT_NUM_PROGRESS_PARAM.
    unsafe {
        let command = pg_sys::ProgressCommandType::PROGRESS_COMMAND_COPY;
        pg_sys::pgstat_progress_start_command(command, progress.table);
        for (index, value) in values {
            pg_sys::pgstat_progress_update_param(index, value);
        }
    }
}

/// Ends what [`show_progress`] shows; an error does so too.
pub fn hide_progress() {
    // SAFETY: it clears the backend's own entry.
    unsafe { pg_sys::pgstat_progress_end_command() }
}

/// An error of PostgreSQL or of this extension that a subtransaction caught.
pub struct Caught {
    pub sqlstate: PgSqlErrorCode,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

/// Runs `body` in a subtransaction, which its error, returned or raised, rolls back. A cancel is
/// no error of `body` and goes on.
pub fn subtransaction<T, E: From<Caught>>(body: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    // SAFETY: an internal subtransaction begins and ends in this function on every path, and
    // the memory context and resource owner are those from before it, as xact.c asks for.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let owner = pg_sys::CurrentResourceOwner;
        let restore = move || {
            pg_sys::MemoryContextSwitchTo(context);
            pg_sys::CurrentResourceOwner = owner;
        };
        pg_sys::BeginInternalSubTransaction(ptr::null());
        // pgrx takes a transaction without an id for one that has written nothing, whose
        // questions need not see what the statement itself wrote before.
        pg_sys::GetCurrentTransactionId();
        pg_sys::MemoryContextSwitchTo(context);
        let body = AssertUnwindSafe(body);
        PgTryBuilder::new(move || {
            let done = { body }.0();
            match &done {
                Ok(_) => pg_sys::ReleaseCurrentSubTransaction(),
                Err(_) => pg_sys::RollbackAndReleaseCurrentSubTransaction(),
            }
            restore();
            done
        })
        .catch_others(move |caught| {
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
            restore();
            let (CaughtError::PostgresError(report)
            | CaughtError::ErrorReport(report)
            | CaughtError::RustPanic { ereport: report, .. }) = &caught;
            match report.sql_error_code() {
                PgSqlErrorCode::ERRCODE_QUERY_CANCELED
                | PgSqlErrorCode::ERRCODE_ADMIN_SHUTDOWN
                | PgSqlErrorCode::ERRCODE_CRASH_SHUTDOWN => caught.rethrow(),
                sqlstate => Err(Caught {
                    sqlstate,
                    message: report.message().to_owned(),
                    detail: report.detail().map(str::to_owned),
                    hint: report.hint().map(str::to_owned),
                }
                .into()),
            }
        })
        .execute()
    }
}

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
fn restricts(owner: pg_sys::Oid) -> bool {
    // SAFETY: a question to PostgreSQL's caches of roles.
    unsafe { !pg_sys::is_member_of_role(owner, current_user()) }
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

/// The name of a role; empty if there is none.
pub fn role_name(role: pg_sys::Oid) -> String {
    // SAFETY: GetUserNameFromId returns a palloc'ed string, or null.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, true);
        if name.is_null() { String::new() } else { text(name) }
    }
}

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
        // SAFETY: questions to PostgreSQL's caches.
        unsafe {
            let usage = pg_sys::ACL_USAGE as pg_sys::AclMode;
            pg_sys::pg_namespace_aclcheck(self.namespace, role, usage) == ok
                && privileges.iter().all(|privilege| {
                    pg_sys::pg_class_aclcheck(self.oid, role, privilege.mode()) == ok
                })
        }
    }

    /// Whether the current user has its owner's rights.
    pub fn is_owned(&self) -> bool {
        // SAFETY: a question to PostgreSQL's caches.
        unsafe { pg_sys::pg_class_ownercheck(self.oid, current_user()) }
    }

    /// Whether the current user's statements on it are security-restricted operations.
    pub fn is_restricted(&self) -> bool {
        restricts(self.owner)
    }
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

/// The options of a user's mapping for a server, else of PUBLIC's; without a user, of the current
/// one's. PostgreSQL's own error if there is none.
pub fn user_mapping_options(
    server: pg_sys::Oid,
    user: Option<pg_sys::Oid>,
) -> Vec<(String, String)> {
    // SAFETY: GetUserMapping returns a palloc'ed mapping or raises an error.
    unsafe {
        let user = user.unwrap_or_else(current_user);
        let mapping = pg_sys::GetUserMapping(user, server);
        options((*mapping).options)
    }
}

/// The same, `None` if there is no mapping.
pub fn find_user_mapping(server: pg_sys::Oid, user: pg_sys::Oid) -> Option<Vec<(String, String)>> {
    let exists = |user: pg_sys::Oid| {
        let cache = pg_sys::SysCacheIdentifier::USERMAPPINGUSERSERVER as c_int;
        let none = pg_sys::Datum::null();
        // SAFETY: a question to a cache whose two keys are given.
        unsafe { pg_sys::SearchSysCacheExists(cache, user.into(), server.into(), none, none) }
    };
    (exists(user) || exists(pg_sys::InvalidOid)).then(|| user_mapping_options(server, Some(user)))
}

pub fn current_user() -> pg_sys::Oid {
    // SAFETY: it reads a variable of the backend's.
    unsafe { pg_sys::GetUserId() }
}

/// Whether a role has USAGE on a foreign server. `false` for one that is gone.
pub fn may_use_server(server: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: questions to PostgreSQL's caches.
    unsafe {
        let usage = pg_sys::ACL_USAGE as pg_sys::AclMode;
        !pg_sys::GetForeignServerExtended(server, pg_sys::FSV_MISSING_OK as u16).is_null()
            && pg_sys::pg_foreign_server_aclcheck(server, role, usage)
                == pg_sys::AclResult::ACLCHECK_OK
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

/// # Safety
/// The pointer is to a C string.
unsafe fn text(pointer: *const c_char) -> String {
    // SAFETY: as above.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// # Safety
/// The list is one of DefElem nodes.
unsafe fn options(list: *mut pg_sys::List) -> Vec<(String, String)> {
    // SAFETY: as above; defGetString gives a C string or raises an error.
    unsafe {
        nodes::<pg_sys::DefElem>(list)
            .map(|element| (text((*element).defname), text(pg_sys::defGetString(element))))
            .collect()
    }
}

/// # Safety
/// The list is one of pointers to `T`, and lives as long as the iterator is used.
unsafe fn nodes<T>(list: *mut pg_sys::List) -> impl Iterator<Item = *mut T> {
    // SAFETY: as above; a null pointer is PostgreSQL's empty list.
    let length = if list.is_null() { 0 } else { unsafe { (*list).length } };
    (0..length).map(move |index| unsafe { pg_sys::list_nth(list, index) }.cast())
}

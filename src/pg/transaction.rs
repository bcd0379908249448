//! Parts of a transaction that are undone alone, and what lives as long as a session.

use std::ffi::c_void;
use std::panic::AssertUnwindSafe;
use std::ptr;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgSqlErrorCode, PgTryBuilder, pg_sys};

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

/// When the transaction began.
pub fn transaction_start() -> pg_sys::TimestampTz {
    // SAFETY: it reads a variable of the backend's.
    unsafe { pg_sys::GetCurrentTransactionStartTimestamp() }
}

pub fn now() -> pg_sys::TimestampTz {
    // SAFETY: it asks the clock.
    unsafe { pg_sys::GetCurrentTimestamp() }
}

/// Whether a statement may write: not beside parallel workers. Whether its transaction may is
/// told by [`is_read_only`].
pub fn is_in_parallel() -> bool {
    // SAFETY: it reads a counter of the backend.
    unsafe { pg_sys::IsInParallelMode() }
}

/// Whether transaction_read_only is on, as it is on a standby.
pub fn is_read_only() -> bool {
    // SAFETY: it reads a variable of the backend's.
    unsafe { pg_sys::XactReadOnly }
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
        // questions need not see what the statement itself wrote before. On a standby nobody writes.
        if !pg_sys::RecoveryInProgress() {
            pg_sys::GetCurrentTransactionId();
        }
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

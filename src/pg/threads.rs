//! Threads that PostgreSQL's signals never reach, and waiting for them so that a cancel is noticed.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use std::{io, ptr};

use pgrx::pg_sys;

use super::compat;

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
        let received = while_shown(|| receiver.recv_timeout(POLL));
        match received {
            Ok(message) => return Some(message),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                pgrx::check_for_interrupts!();
            }
        }
    }
}

/// Whether a cancel, a time-out or a terminate is due, for waits that raise no error.
pub fn is_interrupted() -> bool {
    // SAFETY: flags of the backend's own, which its signal handlers set.
    unsafe {
        ptr::read_volatile(&raw const pg_sys::QueryCancelPending) != 0
            || ptr::read_volatile(&raw const pg_sys::ProcDiePending) != 0
    }
}

/// Has pg_stat_activity show that the backend waits for Odoo.
fn while_shown<T>(wait: impl FnOnce() -> T) -> T {
    let event = compat::wait_event();
    // SAFETY: it is what pgstat_report_wait_start() and _end() do; the backend's own entry is there
    // as long as the backend, and `wait` does not leave by an error.
    unsafe { pg_sys::my_wait_event_info.write_volatile(event) };
    let done = wait();
    // SAFETY: as above.
    unsafe { pg_sys::my_wait_event_info.write_volatile(0) };
    done
}

/// Sleeps; a cancel, a time-out or a terminate ends it with PostgreSQL's own error.
pub fn sleep(time: Duration) {
    std::thread::sleep(time);
    pgrx::check_for_interrupts!();
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

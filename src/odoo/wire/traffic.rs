//! What a connection has done, for logs and progress.

use std::ops::{AddAssign, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counts what the threads of a connection do.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    retries: AtomicU64,
    bytes: AtomicU64,
    decoding: AtomicU64,
}

/// What was done between two readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    pub requests: u64,
    /// Of these, those that were made again.
    pub retries: u64,
    /// Of the answers, after decompression.
    pub bytes: u64,
    /// Turning bytes into columns, over all threads.
    pub decoding: Duration,
}

impl Meter {
    pub fn request(&self) {
        self.0.requests.fetch_add(1, Relaxed);
    }

    pub fn retry(&self) {
        self.0.retries.fetch_add(1, Relaxed);
    }

    pub fn answer(&self, bytes: u64, decoding: Duration) {
        self.0.bytes.fetch_add(bytes, Relaxed);
        self.0.decoding.fetch_add(decoding.as_nanos() as u64, Relaxed);
    }

    pub fn read(&self) -> Traffic {
        Traffic {
            requests: self.0.requests.load(Relaxed),
            retries: self.0.retries.load(Relaxed),
            bytes: self.0.bytes.load(Relaxed),
            decoding: Duration::from_nanos(self.0.decoding.load(Relaxed)),
        }
    }
}

impl Sub for Traffic {
    type Output = Traffic;

    fn sub(self, earlier: Traffic) -> Traffic {
        Traffic {
            requests: self.requests - earlier.requests,
            retries: self.retries - earlier.retries,
            bytes: self.bytes - earlier.bytes,
            decoding: self.decoding.saturating_sub(earlier.decoding),
        }
    }
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, more: Traffic) {
        self.requests += more.requests;
        self.retries += more.retries;
        self.bytes += more.bytes;
        self.decoding += more.decoding;
    }
}

//! The SQL surface, one file per group of functions.

mod check;
mod forget;
mod job;
mod read;
mod schedule;
mod sync;
mod version;
mod wrapper;

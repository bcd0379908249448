//! The SQL surface, one file per group of functions.

mod check;
mod job;
mod read;
mod sync;
mod wrapper;

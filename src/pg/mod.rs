//! PostgreSQL for the others: in, plain values; out, what PostgreSQL offers to C alone. May call no
//! other room. It is the only module with `unsafe` code.
//!
//! Each function here is safe to call from the backend's own thread, which is where pgrx runs
//! every SQL function. Threads that this module spawns must not call PostgreSQL.
#![allow(unsafe_code)]
#![warn(clippy::undocumented_unsafe_blocks)]

mod array;
mod catalog;
mod compat;
pub mod fdw;
mod log;
mod memory;
mod nodes;
mod progress;
mod relation;
mod roles;
mod threads;
mod transaction;

pub use array::{bigint_array, boolean_array, text_array};
pub use catalog::{
    argument, current_user, encoding, find_user_mapping, foreign_server, may_use_server, release,
    user_mapping_options,
};
pub use log::log_line;
pub use memory::{in_own_memory, random_below};
pub use progress::{Progress, hide_progress, show_progress};
pub use relation::{Privilege, Relation};
pub use roles::{as_owner, as_role, looking_up, role_name, with_plain_settings};
pub use threads::{is_interrupted, receive, sleep, spawn, uninterrupted};
pub use transaction::{
    Caught, SessionLock, after_rollbacks, is_in_parallel, is_read_only, now, subtransaction,
    transaction_start,
};

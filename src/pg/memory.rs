//! Memory that is given back at once, and chance.

use pgrx::{PgMemoryContexts, pg_sys};

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

//! Statements on the extension's own tables: in, what a run or a declaration has to remember; out, what was remembered. May call `pg` and `warehouse`, whose declarations it keeps.
//!
//! What is written is as durable as the transaction that writes it: a function's with its end, a
//! job's with each page. Watermarks, rows and what is kept back move in one transaction. The
//! [`cache`] alone may be lost at any time.

pub mod additions;
pub mod cache;
pub mod quarantine;
pub mod store;
pub mod turns;
pub mod unreadable;
pub mod unwatched;

//! One feed of a table: in, the parts of a run; out, rows written page by page, deletes, a watermark.
//! May call `work` and what that may.

pub mod compare;
pub mod gather;
pub mod quarantine;
pub mod reconcile;
pub mod silent;
pub mod table_load;
pub mod unchanged;
pub mod unreadable;
pub mod vanished;
pub mod window;

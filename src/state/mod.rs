//! The extension's own tables: in, what a run or a declaration has to remember, as plain values;
//! out, what was remembered. May call `pg` and `warehouse`, whose declarations it keeps.
//!
//! [`Store`] is the way in, and tells what is durable when. No other room has a statement on these
//! tables. Each file beside it is about a few of them:
//!
//! - `servers`: the Odoo database behind each schema (servers), and all that is forgotten with a
//!   server
//! - `progress`: how far each feed was read (watermarks), what is to be read again (unwatched), and
//!   which tables lack keys until they are loaded (first_loads)
//! - `lineage`: where each column comes from (columns)
//! - `quarantine`: values that Odoo could not give (quarantine)
//! - `unreadable`: what Odoo keeps from the user (denied)
//! - `relations`: where the tables are, and what they lack (relations)
//! - `runs`: the log, and how the last run of each table ended (run, runs, state)
//! - `schedules`: jobs of pg_cron, what holds them back, and signals for jobs that follow (schedules,
//!   stops, wakes)
//! - `additions`: what users declared (mirrors, added_columns, histories, enabled,
//!   partitions) and let go (detached)
//! - `cache`: what spares Odoo a question (cache)

mod additions;
mod advisory;
mod cache;
mod lineage;
mod progress;
mod quarantine;
mod relations;
mod runs;
mod schedules;
mod servers;
mod store;
mod unreadable;

pub use additions::{DetachedIds, warehouse_of};
pub use advisory::{is_first, try_lock};
pub use cache::Cache;
pub use lineage::Lineage;
pub use progress::{Mark, Reached, Resume};
pub use quarantine::Unread;
pub use relations::{Moved, Property};
pub use runs::{RunKey, TableRun};
pub use schedules::{JobKey, Stop};
pub use servers::{Known, Origin};
pub use store::{FeedKey, Store};
pub use unreadable::Kept;

//! How the warehouse is kept in step with Odoo.
//!
//! - In: the declarations of `warehouse`, a server, what a user asks for.
//! - Out: rows in the server's schema, reports, what `state` remembers.
//! - May call: `extract`, `state`, `server`, `warehouse`, `odoo` and `pg`. Inside, arrows point down this
//!   list: `run` → `feed` → `work` → {`mirror`, `tables`, `transform`, `load`} → `mapping`; `live` stands
//!   beside `feed`, `schedule` beside `work`.

pub mod feed;
pub mod live;
pub mod load;
pub mod mapping;
pub mod mirror;
pub mod run;
pub mod schedule;
pub mod tables;
pub mod transform;
pub mod work;

pub use crate::state::{JobKey, warehouse_of};
pub use live::{Live, Request as LiveRequest};
pub use mapping::catalogue::Catalogue;
pub use mapping::feed::Mapping;
pub use mapping::trial::{Lacks, Trials};
pub use mirror::declare::{MirrorColumn, MirrorOptions, add_column, mirror};
pub use mirror::history::{forget_history, keep_history};
pub use mirror::optional::{disable, enable};
pub use mirror::undo::{drop_column, drop_mirror};
pub use run::driver::{Order, Run, entities_named};
pub use run::follow::{Follow, FollowOptions, Step, wake};
pub use run::job::{Job, JobOptions};
pub use run::journal::Kind;
pub use run::reconcile::Verdict;
pub use schedule::schedules::{Schedule, login_succeeded, resume};
pub use tables::inspect::{Finding, Level, database, schema, tables as inspect_tables};
pub use tables::model::create_model;
pub use tables::origin::forget;
pub use tables::partition::order::Order as PartitionOrder;
pub use tables::partition::retain::{Detached, Retention};
pub use tables::partition::steps::step as partition_step;
pub use tables::reports::create_reports;
pub use tables::union::create_union;
pub use tables::views::drop_all as drop_reports;
pub use work::changes::poll_time;
pub use work::report::TableReport;

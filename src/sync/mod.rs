//! How the warehouse is loaded: extract, transform, load, table by table.

mod compare;
mod cron;
mod delete;
mod extract;
mod feed;
mod heal;
mod job;
mod journal;
mod load;
mod lock;
mod lookup;
mod origin;
mod plan;
mod poison;
mod progress;
mod quarantine;
mod reconcile;
mod reference;
mod report;
mod run;
mod schedule;
mod state;
mod tables;
mod transform;
mod writable;

pub use job::{Job, Wish};
pub use journal::Kind;
pub use origin::forget;
pub use plan::{Catalogue, Plan};
pub use reconcile::Verdict;
pub use report::TableReport;
pub use run::Run;
pub use schedule::{Schedule, resume};

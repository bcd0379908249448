//! How the warehouse is loaded: extract, transform, load, table by table.

mod compare;
mod delete;
mod extract;
mod load;
mod lookup;
mod plan;
mod poison;
mod progress;
mod run;
mod state;
mod tables;
mod transform;

pub use compare::Difference;
pub use plan::{Catalogue, Plan};
pub use run::{Run, Status, TableReport, Verdict};

//! How the warehouse is loaded: extract, transform, load, table by table.

mod extract;
mod load;
mod lookup;
mod plan;
mod progress;
mod run;
mod state;
mod tables;
mod transform;

pub use plan::{Catalogue, Plan};
pub use run::{Run, Status, TableReport};

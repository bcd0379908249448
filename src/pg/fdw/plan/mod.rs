//! Planning: conditions to predicates, the ways to get rows, and the plan of the one that is chosen.

mod conditions;
mod foreign_plan;
mod paths;
mod planned;
mod rel_size;
mod upper_paths;

pub use conditions::depends_on_execution;
pub use foreign_plan::foreign_plan;
pub use paths::paths;
pub use rel_size::rel_size;
pub use upper_paths::upper_paths;

//! Planning: in, conditions and what a query wants; out, predicates, the ways to get rows, and the plan
//! of the one that is chosen. May call the contract and `pg`.

mod conditions;
mod foreign_plan;
mod group_paths;
mod paths;
mod planned;
mod rel_size;
mod upper_paths;

pub use conditions::depends_on_execution;
pub use foreign_plan::foreign_plan;
pub use paths::paths;
pub use rel_size::rel_size;
pub use upper_paths::upper_paths;

//! The callbacks of a foreign-data wrapper: in, PostgreSQL's trees; out, plain data, and back. May call
//! `pg` alone: what is decided is decided by the wrapper, which answers as `contract.rs` says.

mod analyze;
mod asked;
mod contract;
mod import;
mod modify;
mod plan;
mod predicate;
mod private;
mod scan;
mod slot;
mod table;
mod value;

use pgrx::pg_sys;

pub use asked::{
    Action, Aggregate, Asked, Function, Grouping, Groups, Import, ImportList, Limit, PathPlan,
    SortKey,
};
pub use contract::{Cells, Effort, Modification, Scan, Summary, Table, Value};
pub use predicate::{Comparison, Constant, Operand, Predicate, Scalar};
pub use table::{Class, RawColumn, RawTable, locked_foreign_table};

/// The callbacks of a wrapper, as its handler returns them.
pub fn routine<T: Table>() -> pgrx::Internal {
    let routine = pg_sys::FdwRoutine {
        type_: pg_sys::NodeTag::T_FdwRoutine,
        GetForeignRelSize: Some(plan::rel_size::<T>),
        GetForeignPaths: Some(plan::paths::<T>),
        GetForeignPlan: Some(plan::foreign_plan::<T>),
        GetForeignUpperPaths: Some(plan::upper_paths::<T>),
        BeginForeignScan: Some(scan::begin::<T::Scan>),
        IterateForeignScan: Some(scan::iterate::<T::Scan>),
        ReScanForeignScan: Some(scan::rescan::<T::Scan>),
        EndForeignScan: Some(scan::end::<T::Scan>),
        ExplainForeignScan: Some(scan::explain::<T::Scan>),
        IsForeignRelUpdatable: Some(modify::is_updatable),
        AddForeignUpdateTargets: Some(modify::add_targets::<T>),
        PlanForeignModify: Some(modify::plan::<T>),
        BeginForeignModify: Some(modify::begin::<T::Modification>),
        BeginForeignInsert: Some(modify::begin_insert),
        GetForeignModifyBatchSize: Some(modify::batch_size::<T::Modification>),
        ExecForeignInsert: Some(modify::insert::<T::Modification>),
        ExecForeignBatchInsert: Some(modify::insert_batch::<T::Modification>),
        ExecForeignUpdate: Some(modify::update::<T::Modification>),
        ExecForeignDelete: Some(modify::delete::<T::Modification>),
        EndForeignModify: Some(modify::end::<T::Modification>),
        AnalyzeForeignTable: Some(analyze::analyze::<T>),
        ImportForeignSchema: Some(import::import::<T>),
        ..Default::default()
    };
    // SAFETY: PostgreSQL's own node allocator; the routine lives in the caller's context.
    let node = unsafe {
        let node = pg_sys::palloc0(size_of::<pg_sys::FdwRoutine>()).cast::<pg_sys::FdwRoutine>();
        node.write(routine);
        node
    };
    Some(pg_sys::Datum::from(node)).into()
}

//! ANALYZE: a sample of the records.

use pgrx::{PgMemoryContexts, pg_sys};

use super::execute::tuple;
use super::foreign_table;
use super::slot::Maker;
use crate::failure::OrRaise;
use crate::fdw::Relation;

/// AnalyzeForeignTable.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn analyze(
    _relation: pg_sys::Relation,
    function: *mut pg_sys::AcquireSampleRowsFunc,
    pages: *mut pg_sys::BlockNumber,
) -> bool {
    // SAFETY: both pointers are to live variables. What a table fills in Odoo's database is not
    // known; it must not be nothing.
    unsafe {
        *function = Some(sample);
        *pages = 1;
    }
    true
}

/// Fills the sample with records picked at random.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn sample(
    relation: pg_sys::Relation,
    _level: i32,
    rows: *mut pg_sys::HeapTuple,
    wanted: i32,
    total: *mut f64,
    dead: *mut f64,
) -> i32 {
    // SAFETY: the relation is open and locked; `rows` has room for `wanted` tuples, which live
    // in the current context.
    unsafe {
        // ANALYZE of a parent is run as the parent's owner.
        let user = (*(*relation).rd_rel).relowner;
        let table = Relation::open(foreign_table((*relation).rd_id), user).or_raise();
        let (plan, mut scan, found) = table.sample(wanted.unsigned_abs() as usize).or_raise();
        let descriptor = (*relation).rd_att;
        let columns = (*descriptor).attrs.as_slice((*descriptor).natts as usize);
        let mut makers: Vec<Maker> = plan
            .fetched
            .iter()
            .map(|fetched| {
                let column = &columns[fetched.attribute as usize - 1];
                Maker::new(column)
            })
            .collect();
        let mut row_memory = PgMemoryContexts::new("odoo_fdw sample");
        let mut count = 0;
        while count < wanted
            && let Some(row) = scan.next().or_raise()
        {
            let outer = pg_sys::CurrentMemoryContext;
            pg_sys::MemoryContextSwitchTo(row_memory.value());
            let made = tuple(descriptor, &plan, &mut makers, scan.cells(), row);
            pg_sys::MemoryContextSwitchTo(outer);
            *rows.add(count as usize) = pg_sys::heap_copytuple(made);
            row_memory.reset();
            count += 1;
        }
        scan.end();
        *total = found as f64;
        *dead = 0.0;
        count
    }
}

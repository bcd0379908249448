//! ANALYZE: a sample of the records.

use pgrx::{PgMemoryContexts, pg_sys};

use super::asked::{Asked, PathPlan};
use super::contract::{Cells, Scan, Table};
use super::predicate::Predicate;
use super::slot::Maker;
use super::table::foreign_table;
use crate::failure::OrRaise;

/// AnalyzeForeignTable.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn analyze<T: Table>(
    _relation: pg_sys::Relation,
    function: *mut pg_sys::AcquireSampleRowsFunc,
    pages: *mut pg_sys::BlockNumber,
) -> bool {
    // SAFETY: both pointers are to live variables. What a table fills in the other database is not
    // known; it must not be nothing.
    unsafe {
        *function = Some(sample::<T>);
        *pages = 1;
    }
    true
}

/// Fills the sample with records picked at random.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn sample<T: Table>(
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
        let table = foreign_table((*relation).rd_id);
        let (server, attributes) = (table.server, table.attributes());
        let asked = Asked {
            predicate: Predicate::All(Vec::new()),
            attributes: attributes.clone(),
            path: PathPlan::default(),
            rows: f64::INFINITY,
            is_eager: true,
        };
        let plan = T::open(table, user).and_then(|table| table.plan(asked)).or_raise();
        let wanted_rows = wanted.unsigned_abs() as usize;
        let (mut scan, found) = T::Scan::sample(&plan, server, user, wanted_rows).or_raise();
        let descriptor = (*relation).rd_att;
        let mut makers = Maker::all(descriptor, &attributes);
        let mut row_memory = PgMemoryContexts::new("odoo_fdw sample");
        let mut count = 0;
        while count < wanted
            && let Some(row) = scan.next().or_raise()
        {
            let outer = pg_sys::CurrentMemoryContext;
            pg_sys::MemoryContextSwitchTo(row_memory.value());
            let made = tuple(descriptor, &attributes, &mut makers, scan.cells(), row);
            pg_sys::MemoryContextSwitchTo(outer);
            *rows.add(count as usize) = pg_sys::heap_copytuple(made);
            row_memory.reset();
            count += 1;
        }
        *total = found as f64;
        *dead = 0.0;
        count
    }
}

/// A row of a foreign table as a tuple.
///
/// # Safety
/// The descriptor is the table's; `row` is one of the cells'.
unsafe fn tuple(
    descriptor: pg_sys::TupleDesc,
    attributes: &[i16],
    makers: &mut [Maker],
    cells: &[impl Cells],
    row: usize,
) -> pg_sys::HeapTuple {
    // SAFETY: as above; both arrays are as wide as the descriptor.
    unsafe {
        let width = (*descriptor).natts as usize;
        let mut values = vec![pg_sys::Datum::null(); width];
        let mut is_null = vec![true; width];
        for ((attribute, maker), cells) in attributes.iter().zip(makers).zip(cells) {
            if let Some(datum) = maker.datum(cells.value(row)) {
                let index = *attribute as usize - 1;
                (values[index], is_null[index]) = (datum, false);
            }
        }
        pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), is_null.as_mut_ptr())
    }
}

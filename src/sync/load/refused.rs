//! What the engine of a table may have not: foreign keys and triggers, without which a sync does.

use crate::failure::Failure;
use crate::pg;
use crate::warehouse::Dataset;
use crate::warehouse::ddl::qualified;

/// Gives a table what is called so, unless its engine refuses: that is told, with what to do about it,
/// and undone; then it returns `false`.
pub fn unless(
    schema: &str,
    dataset: &Dataset,
    name: &str,
    hint: &str,
    make: impl FnOnce() -> Result<(), Failure>,
) -> Result<bool, Failure> {
    match pg::subtransaction(make) {
        Err(failure) if failure.is_unsupported() => {
            told(schema, dataset, name, hint, failure).warn();
            Ok(false)
        }
        done => done.map(|()| true),
    }
}

/// That a table is left without.
pub fn told(schema: &str, dataset: &Dataset, name: &str, hint: &str, failure: Failure) -> Failure {
    let table = qualified(schema, dataset.table);
    let told = Failure::new(failure.sqlstate, format!("table {table} does without {name}"))
        .detail(format!("Its engine refused it: {}.", failure.message));
    match hint.is_empty() {
        true => told,
        false => told.hint(hint),
    }
}

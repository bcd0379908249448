//! What waits for those who use a table, but not for long.

use pgrx::prelude::*;

use crate::failure::Failure;
use crate::pg;
use crate::query;

/// How long.
const PATIENCE: &str = "5s";

/// Does something that takes locks which others may hold; an error undoes it.
pub fn patiently<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let before = query::ask::<String>("SELECT current_setting('lock_timeout')", &[])?;
    let wait = |time: &str| {
        let sql = "SELECT set_config('lock_timeout', $1, true)";
        Spi::get_one_with_args::<String>(sql, &[time.into()]).map(drop)
    };
    let done = pg::subtransaction(|| {
        wait(PATIENCE)?;
        body()
    })?;
    wait(&before.unwrap_or_default())?;
    Ok(done)
}

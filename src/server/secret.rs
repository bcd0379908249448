//! The secret of a user mapping, which may lie in a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;
use crate::query;

/// Whether the current user may have files of the database's machine read, as a server-side
/// COPY would.
pub fn may_read_files() -> Result<bool, Failure> {
    let sql = "SELECT pg_catalog.pg_has_role('pg_read_server_files', 'MEMBER')";
    query::is_true(sql, &[])
}

/// The API key in a file.
///
/// # Errors
/// If it cannot be read, is empty, or if others than its owner may read it.
pub fn read_key(path: &str) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            State::ERRCODE_UNDEFINED_FILE,
            format!("could not read api_key_file \"{path}\": {error}"),
        )
        .hint("The file is read by the database's operating system user.")
    };
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Failure::new(
            State::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("api_key_file \"{path}\" may be read or written by others"),
        )
        .detail(format!("Its mode is {:04o}.", mode & 0o7777))
        .hint("chmod 0600, and the database's operating system user as its owner."));
    }
    let key = fs::read_to_string(path).map_err(unreadable)?.trim().to_owned();
    match key.is_empty() {
        false => Ok(key),
        true => Err(Failure::new(
            State::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("api_key_file \"{path}\" is empty"),
        )),
    }
}

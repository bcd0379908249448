//! Files of the database's machine that options name: an API key, certificates of authorities.
//!
//! As file_fdw has it, the right to name one is checked when options are set, whoever sets them;
//! what was named then serves all who use the object. Of what is wrong with a file only those are
//! told who may read it anyway.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;
use crate::odoo::check_authorities;
use crate::query;

/// An option whose value is a file's path.
pub struct FileOption {
    pub name: &'static str,
    /// Bytes.
    limit: u64,
    /// Nobody but its owner may read it.
    is_secret: bool,
    /// Whether the text is of use.
    check: fn(&str) -> Result<(), String>,
}

pub const CA_FILE: FileOption =
    FileOption { name: "ca_file", limit: 1 << 20, is_secret: false, check: check_authorities };
pub const API_KEY_FILE: FileOption =
    FileOption { name: "api_key_file", limit: 4 << 10, is_secret: true, check: |_| Ok(()) };

/// Every option of the kind.
pub const FILE_OPTIONS: [FileOption; 2] = [CA_FILE, API_KEY_FILE];

/// Whether the current user may have files of the database's machine read, as a server-side
/// COPY would.
fn may_read_files() -> Result<bool, Failure> {
    let sql = "SELECT pg_catalog.pg_has_role('pg_read_server_files', 'USAGE')";
    query::is_true(sql, &[])
}

impl FileOption {
    /// Lets only those set the option who could read the file with COPY too.
    pub fn require_right(&self) -> Result<(), Failure> {
        match may_read_files()? {
            true => Ok(()),
            false => Err(Failure::new(
                State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                format!("permission denied to set the option \"{}\"", self.name),
            )
            .detail("Only roles with the privileges of \"pg_read_server_files\" may, or change other options beside it.")
            .hint(match self.is_secret {
                true => "Use api_key, or ask an administrator to make the user mapping for you.",
                false => "Ask an administrator to set it for you.",
            })),
        }
    }

    /// What the file holds, without white space around it.
    ///
    /// # Errors
    /// If it cannot be read, is too large, of no use or no file, or if it is a secret that others
    /// than its owner may read.
    pub fn read(&self, path: &str) -> Result<String, Failure> {
        match self.try_read(path) {
            Err(_) if !may_read_files()? => Err(self.unreadable()),
            other => other,
        }
    }

    fn try_read(&self, path: &str) -> Result<String, Failure> {
        let file = self.open(path)?;
        let mut bytes = Vec::new();
        let read = file.take(self.limit + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.failed(path, &error))?;
        if bytes.len() as u64 > self.limit {
            let wrong = format!("is larger than {} kB", self.limit >> 10);
            return Err(self.wrong(State::ERRCODE_PROGRAM_LIMIT_EXCEEDED, path, &wrong));
        }
        let invalid = State::ERRCODE_INVALID_PARAMETER_VALUE;
        let text = String::from_utf8(bytes).map_err(|_| self.wrong(invalid, path, "is no text"))?;
        let text = text.trim();
        match (self.check)(text) {
            _ if text.is_empty() => Err(self.wrong(invalid, path, "is empty")),
            Ok(()) => Ok(text.to_owned()),
            Err(reason) => Err(self.wrong(invalid, path, &format!("is of no use: {reason}"))),
        }
    }

    /// Opens a regular file. What is none is not opened, as that alone may block or do something;
    /// if it takes the file's place meanwhile, it does not block.
    fn open(&self, path: &str) -> Result<File, Failure> {
        let failed = |error| self.failed(path, &error);
        self.examine(path, &fs::metadata(path).map_err(failed)?)?;
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
        self.examine(path, &file.metadata().map_err(failed)?)?;
        Ok(file)
    }

    fn examine(&self, path: &str, found: &Metadata) -> Result<(), Failure> {
        if !found.is_file() {
            return Err(self.wrong(State::ERRCODE_WRONG_OBJECT_TYPE, path, "is no regular file"));
        }
        let mode = found.permissions().mode();
        if self.is_secret && mode & 0o077 != 0 {
            let wrong = "may be read or written by others";
            return Err(self
                .wrong(State::ERRCODE_INVALID_PARAMETER_VALUE, path, wrong)
                .detail(format!("Its mode is {:04o}.", mode & 0o7777))
                .hint("chmod 0600, and the database's operating system user as its owner."));
        }
        Ok(())
    }

    fn wrong(&self, sqlstate: State, path: &str, wrong: &str) -> Failure {
        Failure::new(sqlstate, format!("{} \"{path}\" {wrong}", self.name))
    }

    fn failed(&self, path: &str, error: &io::Error) -> Failure {
        Failure::new(
            State::ERRCODE_UNDEFINED_FILE,
            format!("could not read {} \"{path}\": {error}", self.name),
        )
        .hint("The file is read by the database's operating system user.")
    }

    /// The same, whatever is wrong.
    fn unreadable(&self) -> Failure {
        Failure::new(
            State::ERRCODE_IO_ERROR,
            format!("could not read the file of the option \"{}\"", self.name),
        )
        .detail("Roles with the privileges of \"pg_read_server_files\" are told why.")
        .hint("Ask an administrator to look at it: SELECT * FROM odoo_check();")
    }
}

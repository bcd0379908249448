//! The foreign-data wrapper odoo_fdw: its handler, and which options its objects accept.

use pgrx::{Internal, pg_sys, prelude::*};

use crate::failure::{Failure, OrRaise};
use crate::fdw;
use crate::pg;
use crate::server::{API_KEY_FILE, FILE_OPTIONS, FileOption, Place, check, find, require_utf8};

/// The handler of odoo_fdw: its callbacks, which [`fdw::Relation`] and what it leads to answer.
#[pg_extern(sql = false)]
fn odoo_fdw_handler() -> Internal {
    pg::fdw::routine::<fdw::Relation>()
}

/// The validator of odoo_fdw.
#[pg_extern(sql = false)]
fn odoo_fdw_validator(options: Vec<Option<String>>, catalog: pg_sys::Oid) {
    let place = match catalog {
        pg_sys::ForeignServerRelationId => Some(Place::Server),
        pg_sys::UserMappingRelationId => Some(Place::UserMapping),
        pg_sys::ForeignTableRelationId => Some(Place::ForeignTable),
        pg_sys::AttributeRelationId => Some(Place::Column),
        _ => None,
    };
    let pairs: Vec<(String, String)> = options
        .into_iter()
        .flatten()
        .map(|option| match option.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (option, String::new()),
        })
        .collect();
    if place == Some(Place::Server) {
        require_utf8().or_raise();
    }
    check(place, &pairs).map_err(Failure::from).or_raise();
    check_files(&pairs).or_raise();
}

/// Checks the files that options name. That of authorities may come later, as after a restore on
/// another machine.
fn check_files(pairs: &[(String, String)]) -> Result<(), Failure> {
    let named = |option: &&FileOption| find(pairs, option.name).is_some();
    FILE_OPTIONS.iter().filter(named).try_for_each(FileOption::require_right)?;
    match find(pairs, API_KEY_FILE.name) {
        Some(path) => API_KEY_FILE.read(path).map(drop),
        None => Ok(()),
    }
}

/// The comments on a table that IMPORT FOREIGN SCHEMA has just made, as statements.
#[pg_extern(sql = false)]
fn odoo_import_comments(schema_name: &str, table_name: &str) -> SetOfIterator<'static, String> {
    SetOfIterator::new(fdw::take_comments(&format!("{schema_name}.{table_name}")))
}

extension_sql_file!("../../sql/foreign.sql", name = "foreign", requires = ["home"]);
extension_sql_file!("../../sql/wrapper.sql", name = "wrapper", requires = ["foreign"]);

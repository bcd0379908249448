//! IMPORT FOREIGN SCHEMA.

use std::ffi::CString;
use std::ptr;

use pgrx::pg_sys::{self, ImportForeignSchemaType};

use super::asked::{Import, ImportList};
use super::contract::Table;
use crate::failure::OrRaise;
use crate::pg::nodes::{nodes, options, text};
use crate::pg::with_plain_settings;

/// ImportForeignSchema.
///
/// # Safety
/// PostgreSQL calls it.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn import<T: Table>(
    statement: *mut pg_sys::ImportForeignSchemaStmt,
    server: pg_sys::Oid,
) -> *mut pg_sys::List {
    // SAFETY: the statement is a whole node; its names are C strings, its lists of RangeVar and
    // DefElem nodes.
    unsafe {
        let tables = || {
            nodes::<pg_sys::RangeVar>((*statement).table_list)
                .map(|table| text((*table).relname))
                .collect()
        };
        let list = match (*statement).list_type {
            ImportForeignSchemaType::FDW_IMPORT_SCHEMA_LIMIT_TO => ImportList::LimitTo(tables()),
            ImportForeignSchemaType::FDW_IMPORT_SCHEMA_EXCEPT => ImportList::Except(tables()),
            _ => ImportList::All,
        };
        let wanted = Import {
            server,
            remote_schema: text((*statement).remote_schema),
            local_schema: text((*statement).local_schema),
            list,
            options: options((*statement).options),
        };
        let made = with_plain_settings(|| T::import(&wanted)).or_raise();
        made.into_iter().fold(ptr::null_mut(), |list, statement| {
            let statement = CString::new(statement).unwrap_or_default();
            pg_sys::lappend(list, pg_sys::pstrdup(statement.as_ptr()).cast())
        })
    }
}

//! The settings (GUCs) of the extension, under `odoo_etl.`.

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};

static MAX_RESPONSE_SIZE: GucSetting<i32> = GucSetting::<i32>::new(256);
static DEBUG_WITHOUT: GucSetting<Without> = GucSetting::<Without>::new(Without::None);

/// A safeguard that the tests switch off, to see what it guards against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum Without {
    #[name = c"none"]
    None,
    #[name = c"line_comparison"]
    LineComparison,
    #[name = c"bisect"]
    Bisect,
    #[name = c"row_locks"]
    RowLocks,
}

pub fn register() {
    GucRegistry::define_int_guc(
        c"odoo_etl.max_response_size",
        c"Size that one answer of Odoo may have, after decompression.",
        c"A larger answer is refused, so that the backend's memory stays bounded.",
        &MAX_RESPONSE_SIZE,
        1,
        16 * 1024,
        GucContext::Userset,
        GucFlags::UNIT_MB,
    );
    GucRegistry::define_enum_guc(
        c"odoo_etl.debug_without",
        c"Safeguard to do without. For the tests of the extension only.",
        c"",
        &DEBUG_WITHOUT,
        GucContext::Suset,
        GucFlags::NO_SHOW_ALL,
    );
}

/// In bytes.
pub fn max_response_size() -> u64 {
    MAX_RESPONSE_SIZE.get().unsigned_abs() as u64 * 1024 * 1024
}

/// Whether a safeguard is switched off.
pub fn is_without(safeguard: Without) -> bool {
    DEBUG_WITHOUT.get() == safeguard
}

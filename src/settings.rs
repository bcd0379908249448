//! The settings (GUCs) of the extension, under `odoo_etl.`.

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

static MAX_RESPONSE_SIZE: GucSetting<i32> = GucSetting::<i32>::new(256);

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
}

/// In bytes.
pub fn max_response_size() -> u64 {
    MAX_RESPONSE_SIZE.get().unsigned_abs() as u64 * 1024 * 1024
}

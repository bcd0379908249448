//! Safeguards that the tests switch off, to see what each guards against: by the setting
//! `odoo_etl.debug_without`, which only builds with the feature `failpoints` have.

/// A safeguard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "failpoints", derive(pgrx::PostgresGucEnum))]
pub enum Without {
    #[cfg(feature = "failpoints")]
    #[name = c"none"]
    None,
    #[cfg_attr(feature = "failpoints", name = c"line_comparison")]
    LineComparison,
    #[cfg_attr(feature = "failpoints", name = c"bisect")]
    Bisect,
    #[cfg_attr(feature = "failpoints", name = c"row_locks")]
    RowLocks,
}

#[cfg(feature = "failpoints")]
mod setting {
    use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

    use crate::settings::failpoints::Without;

    static DEBUG_WITHOUT: GucSetting<Without> = GucSetting::<Without>::new(Without::None);

    pub fn register() {
        GucRegistry::define_enum_guc(
            c"odoo_etl.debug_without",
            c"Safeguard to do without. For the tests of the extension only.",
            c"",
            &DEBUG_WITHOUT,
            GucContext::Suset,
            GucFlags::NO_SHOW_ALL,
        );
    }

    /// Whether a safeguard is switched off.
    pub fn is_without(safeguard: Without) -> bool {
        DEBUG_WITHOUT.get() == safeguard
    }
}

#[cfg(not(feature = "failpoints"))]
mod setting {
    use crate::settings::failpoints::Without;

    pub fn register() {}

    pub fn is_without(_: Without) -> bool {
        false
    }
}

pub use setting::{is_without, register};

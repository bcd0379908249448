//! The settings (GUCs) of the extension, under `odoo_etl.`.

mod failpoints;

use std::ffi::CString;

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};

pub use failpoints::{Without, is_without};

static MAX_RESPONSE_SIZE: GucSetting<i32> = GucSetting::<i32>::new(256);
static ALLOWED_HOSTS: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static LOG_RETENTION: GucSetting<i32> = GucSetting::<i32>::new(30 * 24 * 60);
static DELETED_RETENTION: GucSetting<i32> = GucSetting::<i32>::new(90 * 24 * 60);
static LOG_LEVEL: GucSetting<LogLevel> = GucSetting::<LogLevel>::new(LogLevel::Changes);

/// Which runs become a line in the server's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, PostgresGucEnum)]
pub enum LogLevel {
    #[name = c"off"]
    Off,
    #[name = c"problems"]
    Problems,
    #[name = c"changes"]
    Changes,
    #[name = c"all"]
    All,
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
    GucRegistry::define_string_guc(
        c"odoo_etl.allowed_hosts",
        c"Hosts that may be asked: names, *.domains, addresses and networks, divided by commas.",
        c"Empty: all but link-local addresses and those where clouds answer. These must be named to be allowed.",
        &ALLOWED_HOSTS,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"odoo_etl.log_retention",
        c"How long rows of odoo_sync_log are kept.",
        c"",
        &LOG_RETENTION,
        0,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_MIN,
    );
    GucRegistry::define_int_guc(
        c"odoo_etl.deleted_retention",
        c"How long rows of odoo_deleted are kept.",
        c"",
        &DELETED_RETENTION,
        0,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_MIN,
    );
    GucRegistry::define_enum_guc(
        c"odoo_etl.log_level",
        c"Which tables of a run become a line in the server's log.",
        c"off, problems, changes (problems, and tables where something was written), all",
        &LOG_LEVEL,
        GucContext::Suset,
        GucFlags::default(),
    );
    failpoints::register();
}

/// In bytes.
pub fn max_response_size() -> u64 {
    MAX_RESPONSE_SIZE.get().unsigned_abs() as u64 * 1024 * 1024
}

/// As it is written; [`crate::odoo::AllowedHosts`] reads it.
pub fn allowed_hosts() -> String {
    ALLOWED_HOSTS.get().map_or(String::new(), |text| text.to_string_lossy().into_owned())
}

/// In minutes.
pub fn log_retention() -> i32 {
    LOG_RETENTION.get()
}

/// In minutes.
pub fn deleted_retention() -> i32 {
    DELETED_RETENTION.get()
}

pub fn log_level() -> LogLevel {
    LOG_LEVEL.get()
}

//! TODO
pub mod cron;
pub mod schedules;

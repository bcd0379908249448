//! pg_cron: in, an entity and a time; out, jobs that it starts, and what keeps them back. May call
//! `state` and `pg`.

pub mod cron;
pub mod schedules;

//! A run and its tables: in, a server and the names of entities; out, reports, the journal, alerts.
//! May call `feed`, `work`, `schedule` and `state`.

pub mod driver;
pub mod first_loads;
pub mod follow;
pub mod job;
pub mod journal;
pub mod queue;
pub mod reconcile;
pub mod watch;

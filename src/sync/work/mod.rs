//! The parts of a run that loads tables: in, what it was given; out, how tables are read and written,
//! what is being fetched, the progress and the reports. May call `mirror`, `tables`, `load`, `transform` and `mapping`.

pub mod changes;
pub mod context;
pub mod day_names;
pub mod fetching;
pub mod parts;
pub mod progress;
pub mod report;
pub mod targets;

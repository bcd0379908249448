//! The page of charts: in, the views of a schema of reports, as the caller may read them; out, one HTML
//! text. May call `server`, `state` and `pg`.

mod page;
mod sections;

pub use page::page;

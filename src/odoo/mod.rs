//! A client of Odoo's external API, releases 14 to 20. It knows nothing of PostgreSQL.
//!
//! [`Connection`] logs in and calls; [`Model`] searches, reads, describes and writes one model;
//! [`Domain`] is a search condition; [`Page`] holds records as typed columns.

mod cells;
mod condition;
mod connection;
mod domain;
mod error;
mod fields;
mod form;
mod meter;
mod model;
mod page;
mod sink;
pub mod transport;
mod value;
mod version;
mod write;

pub use cells::{Cells, Lists, Texts};
pub use condition::Condition;
pub use connection::{Connection, Identity, Settings};
pub use domain::{Domain, DomainError};
pub use error::{Error, Fault, FaultKind, listed};
pub use fields::{Field, FieldType, Fields};
pub use meter::Traffic;
pub use model::{BEFORE_ALL, EXAMPLES, Model, ids};
pub use page::{Page, PageSink};
pub use transport::Protocol;
pub use transport::authorities::check_authorities;
pub use transport::hosts::AllowedHosts;
pub use transport::http::{Canceller, check_url, is_loopback};
pub use value::Value;
pub use version::Version;

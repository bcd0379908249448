//! A client of Odoo's external API, releases 14 to 20: in, an address, a login and questions; out,
//! typed columns, values and faults. May call no other room, and knows nothing of PostgreSQL.
//!
//! [`Connection`] logs in and calls; [`Model`] searches, reads, describes and writes one model;
//! [`Domain`] is a search condition; [`Page`] holds records as typed columns.

mod client;
mod domain;
mod error;
mod fault;
mod fields;
mod page;
mod sink;
mod value;
pub mod wire;

pub use client::connection::{Connection, Settings};
pub use client::groups::{Groups, Total};
pub use client::login::{Identity, Login};
pub use client::model::{BEFORE_ALL, EXAMPLES, Model, ids};
pub use client::version::Version;
pub use domain::condition::Condition;
pub use domain::parse::DomainError;
pub use domain::tree::Domain;
pub use error::{Error, Sessionless, listed};
pub use fault::{Fault, FaultKind};
pub use fields::{Field, FieldType, Fields};
pub use page::cells::{Cells, Lists, Texts};
pub use page::columns::Page;
pub use page::literals::{is_sure, without_noise};
pub use page::page_sink::PageSink;
pub use value::Value;
pub use wire::http::authorities::check_authorities;
pub use wire::http::exchange::{check_url, is_loopback};
pub use wire::http::hosts::AllowedHosts;
pub use wire::http::line::Line;
pub use wire::protocol::Protocol;
pub use wire::request::Credentials;
pub use wire::request::ForPages;
pub use wire::traffic::Traffic;
pub use wire::web::WebSession;

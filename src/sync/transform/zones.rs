//! Time zones by their names, of which a company in Odoo may have one that nobody knows.

use std::collections::BTreeSet;
use std::str::FromStr;

use chrono_tz::Tz;
use pgrx::PgSqlErrorCode as State;

use crate::failure::Failure;

pub struct Zones {
    /// The server option `timezone`.
    default: String,
    unknown: BTreeSet<String>,
    /// Those of them that nothing was said of yet.
    news: Vec<String>,
}

impl Zones {
    pub fn new(default: &str) -> Zones {
        Zones { default: default.to_owned(), unknown: BTreeSet::new(), news: Vec::new() }
    }

    /// The zone of that name, else that of the server, which stands for names that nobody knows.
    pub fn named(&mut self, name: Option<&str>) -> Tz {
        if let Some(name) = name {
            match Tz::from_str(name) {
                Ok(zone) => return zone,
                Err(_) if self.unknown.insert(name.to_owned()) => self.news.push(name.to_owned()),
                Err(_) => {}
            }
        }
        // It was checked when it was set.
        Tz::from_str(&self.default).unwrap_or_default()
    }

    /// Says of each name that nobody knows once what stands for it.
    pub fn warn(&mut self) {
        for name in self.news.drain(..) {
            let message =
                format!("unknown time zone \"{name}\", {} is taken in its place", self.default);
            Failure::new(State::ERRCODE_WARNING, message)
                .detail("A company in Odoo has it, by its working hours or its address.")
                .hint("Set a name of the IANA time zone database there, such as Europe/Paris, or the server option timezone.")
                .warn();
        }
    }
}

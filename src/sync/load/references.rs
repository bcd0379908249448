//! Columns that refer to rows of another table.

use crate::quote::ident;
use crate::sync::load::owner::Table;
use crate::warehouse::{self, Dataset, Feed, Key, Source, dataset};

/// A reference column.
pub struct Reference {
    pub column: &'static str,
    /// Its place among the loaded columns.
    pub index: usize,
    pub table: &'static str,
    /// The feed of that table which brings the record.
    pub feed: usize,
}

impl Reference {
    pub fn parent(&self) -> Option<&'static Dataset> {
        dataset(self.table)
    }

    pub fn feed(&self) -> Option<&'static Feed> {
        self.parent()?.feeds.get(self.feed)
    }

    /// The condition under which a row of the referenced table is one of that feed.
    pub fn of_feed(&self, alias: &str) -> String {
        self.feed().map_or_else(|| "true".into(), |feed| feed.condition(alias))
    }

    /// The model of the records that it points to.
    pub fn model(&self) -> &'static str {
        self.feed().map_or("", |feed| feed.models[0])
    }

    /// The id that a row was to have, be the record here or not, in statements that know it.
    pub fn wanted(&self) -> String {
        ident(&format!("wanted {}", self.column))
    }

    /// Whether it points to rows of a feed of a table.
    pub fn points_to(&self, dataset: &Dataset, feed: usize) -> bool {
        self.table == dataset.table && self.feed == feed
    }
}

/// The declared tables of a schema, which may refer to each other.
pub fn declared(schema: &str) -> impl Iterator<Item = &'static Dataset> {
    let is_there = |dataset: &&Dataset| {
        !warehouse::is_optional(dataset) || Table::new(schema, dataset.table).exists()
    };
    warehouse::datasets().filter(is_there)
}

/// The reference columns of a feed.
pub fn references(dataset: &'static Dataset, feed: usize) -> Vec<Reference> {
    let channel = dataset.feeds[feed].channel;
    let loaded = dataset.loaded_columns().enumerate();
    let reference = |(index, column): (usize, &'static warehouse::Column)| {
        let Source::Reference { table, key, .. } = column.source else {
            return None;
        };
        let wanted = match key {
            Key::Id => None,
            Key::OwnChannel => channel,
            Key::Channel { channel, .. } => Some(channel),
        };
        let feeds = warehouse::dataset(table)?.feeds;
        let feed = feeds.iter().position(|feed| feed.channel == wanted)?;
        Some(Reference { column: column.name, index, table, feed })
    };
    loaded.filter_map(reference).collect()
}

//! What is loaded, one file per entity, which only declares: in, nothing; out, declarations and their
//! DDL. May call no other room.

mod additions;
mod branches;
mod brands;
mod categories;
mod companies;
mod currencies;
mod customers;
pub mod dataset;
pub mod dates;
pub mod ddl;
pub mod deleted;
pub mod employees;
pub mod history;
mod invoices;
mod loyalty;
pub mod missing;
pub mod own;
pub mod path;
mod payment_methods;
mod payments;
mod pos_categories;
mod products;
mod promotions;
mod purchases;
pub mod reports;
mod sales;
mod sessions;
pub mod snapshot;
mod stock;
mod stock_moves;
mod taxes;
mod warehouses;

pub use additions::{AddedColumn, Additions, Mirror, Warehouse, is_reserved};
pub use dataset::{Column, Dataset, Extent, Feed, Key, Kind, Source, SqlType, TimePart};
pub use snapshot::Snapshot;

/// What a user names in `odoo_sync('…')`: one or more tables, parents first. A mirror is one of
/// its own, by its table's name.
pub struct Entity {
    pub name: &'static str,
    pub datasets: &'static [Dataset],
}

impl Entity {
    /// The feeds of its tables, in their order.
    pub fn feeds(&self) -> impl Iterator<Item = (&'static Dataset, usize)> + use<> {
        self.datasets
            .iter()
            .flat_map(|dataset| (0..dataset.feeds.len()).map(move |feed| (dataset, feed)))
    }
}

/// What stands for every entity, and so is no name of one.
pub const ALL: &str = "all";

/// Every declared entity, parents first: the order of `odoo_sync_all()`.
pub const ENTITIES: &[Entity] = &[
    companies::ENTITY,
    currencies::ENTITY,
    taxes::ENTITY,
    branches::ENTITY,
    categories::ENTITY,
    brands::ENTITY,
    pos_categories::ENTITY,
    products::ENTITY,
    warehouses::ENTITY,
    stock::ENTITY,
    employees::ENTITY,
    customers::ENTITY,
    promotions::ENTITY,
    payment_methods::ENTITY,
    sessions::ENTITY,
    sales::ENTITY,
    payments::ENTITY,
    loyalty::ENTITY,
    purchases::ENTITY,
    stock_moves::ENTITY,
];

/// Entities that a server fills once they are turned on, as not everybody is to see them.
pub const OPTIONAL: &[Entity] = &[invoices::ENTITY];

/// The table that keeps the days of another one.
pub fn snapshot_of(dataset: &Dataset) -> Option<&'static Snapshot> {
    [&stock::DAILY].into_iter().find(|snapshot| snapshot.of.table == dataset.table)
}

/// Every declared table, in the order of the entities.
pub fn datasets() -> impl Iterator<Item = &'static Dataset> {
    entities().flat_map(|entity| entity.datasets)
}

fn entities() -> impl Iterator<Item = &'static Entity> {
    ENTITIES.iter().chain(OPTIONAL)
}

/// Whether a table may be one that was never made.
pub fn is_optional(dataset: &Dataset) -> bool {
    OPTIONAL.iter().flat_map(|entity| entity.datasets).any(|own| own.table == dataset.table)
}

/// The declaration of a table.
pub fn dataset(table: &str) -> Option<&'static Dataset> {
    datasets().find(|dataset| dataset.table == table)
}

/// The place of a table among all; mirrors come last.
pub fn position(table: &str) -> usize {
    datasets().position(|dataset| dataset.table == table).unwrap_or(usize::MAX)
}

/// The entity that a table belongs to.
pub fn entity_of(dataset: &Dataset) -> &'static str {
    let owns = |entity: &&Entity| entity.datasets.iter().any(|own| own.table == dataset.table);
    entities().find(owns).map_or(dataset.table, |entity| entity.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odoo::Domain;

    #[test]
    fn every_path_domain_and_reference_is_valid() {
        for dataset in datasets() {
            let place = |column: &Column| format!("{}.{}", dataset.table, column.name);
            for (index, feed) in dataset.feeds.iter().enumerate() {
                let mut domains = feed.unsettled.iter().chain(feed.domains);
                assert!(domains.all(|text| Domain::parse(text).is_ok()), "{}", dataset.table);
                for column in dataset.value_columns() {
                    let texts = match column.source {
                        Source::Field(path)
                        | Source::Ingredient(path)
                        | Source::Zone(path)
                        | Source::Number(path)
                        | Source::Company(path) => vec![path],
                        Source::Reference { path, .. } | Source::Corrected { path, .. } => {
                            vec![path]
                        }
                        Source::Local { time, zone, .. } => vec![time, zone],
                        _ => vec![],
                    };
                    for text in texts {
                        assert!(path::parse(text, index).is_ok(), "{}", place(column));
                    }
                }
            }
            for column in dataset.columns {
                if let Some(table) = column.refers_to() {
                    assert!(super::dataset(table).is_some(), "{}", place(column));
                }
                if let Source::Inherited { reference, column: inherited, .. } = column.source {
                    let parent = dataset.column(reference).and_then(Column::refers_to);
                    let parent = parent.and_then(super::dataset).expect("a reference");
                    assert!(parent.column(inherited).is_some(), "{}", place(column));
                }
            }
        }
    }

    #[test]
    fn days_are_of_columns_and_of_places_with_a_time_zone() {
        for snapshot in datasets().filter_map(snapshot_of) {
            let names = snapshot.key.iter().copied().chain(snapshot.values());
            names.for_each(|name| assert!(snapshot.of.column(name).is_some(), "{name}"));
            let places = super::dataset(snapshot.places()).expect("a reference");
            assert!(places.column(snapshot::TIMEZONE).is_some());
            assert!(own::is_own(snapshot.table));
        }
        assert_eq!(datasets().filter_map(snapshot_of).count(), 1);
    }

    #[test]
    fn names_are_unique() {
        let unique = |mut names: Vec<&str>| {
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            names.len() == count
        };
        assert!(unique(datasets().map(|dataset| dataset.table).collect()));
        assert!(unique(entities().map(|entity| entity.name).collect()));
        for dataset in datasets() {
            assert!(unique(dataset.all_columns().into_iter().map(|(name, _)| name).collect()));
        }
    }
}

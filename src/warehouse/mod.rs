//! What is loaded: one file per entity, which only declares.

mod brands;
mod categories;
pub mod dataset;
pub mod ddl;
mod path;
mod products;

pub use dataset::{Column, Dataset, Kind, Source, SqlType};
pub use path::{Path, Step};

/// What a user names in `odoo_sync('…')`: one or more tables, parents first.
pub struct Entity {
    pub name: &'static str,
    pub datasets: &'static [Dataset],
}

/// Every entity, parents first: the order of `odoo_sync_all()`.
pub const ENTITIES: &[Entity] = &[categories::ENTITY, brands::ENTITY, products::ENTITY];

/// The entity of that name.
pub fn entity(name: &str) -> Option<&'static Entity> {
    ENTITIES.iter().find(|entity| entity.name == name)
}

/// Every table of the warehouse, parents first.
pub fn datasets() -> impl Iterator<Item = &'static Dataset> {
    ENTITIES.iter().flat_map(|entity| entity.datasets)
}

/// The declaration of a table.
pub fn dataset(table: &str) -> Option<&'static Dataset> {
    datasets().find(|dataset| dataset.table == table)
}

/// The place of a table among all, parents first.
pub fn position(table: &str) -> Option<usize> {
    datasets().position(|dataset| dataset.table == table)
}

/// The entity that a table belongs to.
pub fn entity_of(dataset: &Dataset) -> &'static str {
    let owner =
        ENTITIES.iter().find(|entity| entity.datasets.iter().any(|own| own.table == dataset.table));
    owner.map_or("", |entity| entity.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_table_and_every_path_is_valid() {
        for dataset in datasets() {
            for column in dataset.columns {
                if let Some(path) = column.path() {
                    assert!(Path::parse(path).is_ok(), "{}.{}", dataset.table, column.name);
                }
                if let Source::Reference { table, .. } = column.source {
                    assert!(super::dataset(table).is_some(), "{}.{}", dataset.table, column.name);
                }
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = datasets().map(|dataset| dataset.table).collect();
        names.extend(ENTITIES.iter().map(|entity| entity.name));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for dataset in datasets() {
            let mut columns: Vec<_> = dataset.all_columns().map(|(name, _)| name).collect();
            let count = columns.len();
            columns.sort_unstable();
            columns.dedup();
            assert_eq!(columns.len(), count, "{}", dataset.table);
        }
    }
}

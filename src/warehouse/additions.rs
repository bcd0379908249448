//! What users added to a server's tables, and all that the server fills with it.

use std::cell::RefCell;
use std::collections::HashMap;

use super::dataset::{self, Column, Dataset, Extent, Feed, Kind, Source, SqlType};
use super::{ENTITIES, Entity, OPTIONAL};

/// What users added, in the order in which they did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Additions {
    /// The names of entities that are on, of those that are off by default.
    pub enabled: Vec<String>,
    pub mirrors: Vec<Mirror>,
    pub columns: Vec<AddedColumn>,
}

/// A model of which the warehouse has a table of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mirror {
    /// The table, and the entity that it is alone in.
    pub target: String,
    pub model: String,
    /// In Odoo's notation.
    pub domain: String,
    /// Every field that comes later gets a column too.
    pub has_all_fields: bool,
    /// Records that are gone are marked, as in dimensions.
    pub keeps_deleted: bool,
    /// Records tell when they changed.
    pub is_dated: bool,
}

/// A column of a mirror, or one more of another table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AddedColumn {
    pub target: String,
    pub name: String,
    pub path: String,
    pub sql_type: SqlType,
    /// It is there because its mirror has all fields.
    pub is_automatic: bool,
    /// Odoo can tell which records changed beyond the relation that the path leads over.
    pub follows: bool,
    /// Odoo has the field no more.
    pub is_gone: bool,
}

/// The tables that a server fills.
#[derive(Clone)]
pub struct Warehouse {
    entities: Vec<&'static Entity>,
    /// How many of them are no mirrors.
    declared: usize,
}

/// What an entity is made of: its name, its mirror if it is one, and the columns added to it.
type Recipe = (&'static str, Option<Mirror>, Vec<AddedColumn>);

thread_local! {
    /// The engine's declarations live for ever. A session makes each that it meets once.
    static MADE: RefCell<HashMap<Recipe, &'static Entity>> = RefCell::default();
}

impl Warehouse {
    /// The declared tables with what users added.
    pub fn with(additions: &Additions) -> Warehouse {
        let is_on = |entity: &&Entity| additions.enabled.iter().any(|name| name == entity.name);
        let declared = ENTITIES.iter().chain(OPTIONAL.iter().filter(is_on));
        let mut entities: Vec<_> = declared.map(|entity| completed(entity, additions)).collect();
        let declared = entities.len();
        entities.extend(additions.mirrors.iter().map(|mirror| mirrored(mirror, additions)));
        Warehouse { entities, declared }
    }

    /// The tables that are no mirrors.
    pub fn declared(&self) -> impl Iterator<Item = &'static Dataset> {
        self.entities.iter().take(self.declared).flat_map(|entity| entity.datasets)
    }

    /// The tables of users' mirrors.
    pub fn mirrors(&self) -> impl Iterator<Item = &'static Dataset> {
        self.entities.iter().skip(self.declared).flat_map(|entity| entity.datasets)
    }

    /// Every entity, parents first.
    pub fn entities(&self) -> &[&'static Entity] {
        &self.entities
    }

    /// The entity of that name.
    pub fn entity(&self, name: &str) -> Option<&'static Entity> {
        self.entities.iter().find(|entity| entity.name == name).copied()
    }

    /// Every table, in the order of the entities.
    pub fn datasets(&self) -> impl Iterator<Item = &'static Dataset> {
        self.entities.iter().flat_map(|entity| entity.datasets)
    }

    /// The declaration of a table.
    pub fn dataset(&self, table: &str) -> Option<&'static Dataset> {
        self.datasets().find(|dataset| dataset.table == table)
    }
}

/// The entity of a recipe, made if it is not there yet.
fn made(recipe: Recipe, make: impl FnOnce() -> Entity) -> &'static Entity {
    MADE.with_borrow_mut(|known| {
        *known.entry(recipe).or_insert_with(|| Box::leak(Box::new(make())))
    })
}

/// A declared entity with the columns that were added to its tables.
fn completed(entity: &'static Entity, additions: &Additions) -> &'static Entity {
    let added: Vec<_> = entity
        .datasets
        .iter()
        .flat_map(|dataset| columns_of(dataset.table, additions))
        .cloned()
        .collect();
    if added.is_empty() {
        return entity;
    }
    let complete = |dataset: &'static Dataset| {
        let added: Vec<_> = columns_of(dataset.table, additions).collect();
        let feeds =
            dataset.feeds.iter().map(|feed| Feed { also: also(feed.also, &added), ..*feed });
        Dataset {
            feeds: kept(feeds),
            columns: kept(dataset.columns.iter().copied().chain(added.iter().map(column))),
            ..*dataset
        }
    };
    made((entity.name, None, added), || Entity {
        name: entity.name,
        datasets: kept(entity.datasets.iter().map(complete)),
    })
}

/// The entity of a mirror.
fn mirrored(mirror: &Mirror, additions: &Additions) -> &'static Entity {
    let added: Vec<_> = columns_of(&mirror.target, additions).collect();
    let recipe = ("", Some(mirror.clone()), added.iter().copied().cloned().collect());
    made(recipe, || mirror_of(mirror, &added))
}

fn mirror_of(mirror: &Mirror, added: &[&AddedColumn]) -> Entity {
    let feed = Feed {
        channel: None,
        models: kept([text(&mirror.model)]),
        domains: kept([text(&mirror.domain)]),
        also: also(&[], added),
        silent: &[],
        unsettled: None,
    };
    let dataset = Dataset {
        table: text(&mirror.target),
        about: "A mirror",
        feeds: kept([feed]),
        kind: if mirror.keeps_deleted { Kind::Dimension } else { Kind::Fact },
        extent: if mirror.is_dated { Extent::Changed } else { Extent::Whole },
        owner: None,
        columns: kept(added.iter().map(column)),
    };
    Entity { name: dataset.table, datasets: kept([dataset]) }
}

fn columns_of<'a>(
    table: &'a str,
    additions: &'a Additions,
) -> impl Iterator<Item = &'a AddedColumn> {
    additions.columns.iter().filter(move |column| column.target == table)
}

fn column(added: &&AddedColumn) -> Column {
    let path = text(&added.path);
    let source = if added.is_gone { Source::Kept(path) } else { Source::Added(path) };
    Column { name: text(&added.name), sql_type: added.sql_type, source }
}

/// A value beyond a relation changes with the record there.
fn also(declared: &'static [&'static str], added: &[&AddedColumn]) -> &'static [&'static str] {
    let mut all = declared.to_vec();
    for column in added.iter().filter(|column| column.follows && !column.is_gone) {
        if let Some((relation, _)) = column.path.rsplit_once('.')
            && !all.contains(&relation)
        {
            all.push(text(relation));
        }
    }
    kept(all)
}

fn text(text: &str) -> &'static str {
    Box::leak(text.into())
}

fn kept<T>(items: impl IntoIterator<Item = T>) -> &'static [T] {
    Vec::leak(items.into_iter().collect())
}

/// The names of columns that the engine fills in every table.
pub fn is_reserved(name: &str, keeps_deleted: bool) -> bool {
    matches!(name, "id" | "channel" | "odoo_write_date" | "deleted_at" | "synced_at")
        || keeps_deleted && name == dataset::ACTIVE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(target: &str, path: &str, is_gone: bool) -> AddedColumn {
        AddedColumn {
            target: target.into(),
            name: path.replace('.', "_"),
            path: path.into(),
            sql_type: SqlType::Text,
            is_automatic: false,
            follows: true,
            is_gone,
        }
    }

    #[test]
    fn additions_come_after_what_is_declared() {
        let mirror = Mirror {
            target: "leads".into(),
            model: "crm.lead".into(),
            domain: "[]".into(),
            has_all_fields: true,
            keeps_deleted: false,
            is_dated: true,
        };
        let additions = Additions {
            enabled: Vec::new(),
            mirrors: vec![mirror],
            columns: vec![
                column("dim_products", "x_brand_id.name", false),
                column("leads", "name", false),
                column("leads", "x_old", true),
            ],
        };
        let warehouse = Warehouse::with(&additions);
        let again = Warehouse::with(&additions.clone());
        assert!(
            warehouse.entities().iter().zip(again.entities()).all(|(a, b)| std::ptr::eq(*a, *b))
        );
        assert_eq!(warehouse.mirrors().count(), 1);
        assert_eq!(warehouse.entities().last().map(|entity| entity.name), Some("leads"));
        let products = warehouse.dataset("dim_products").unwrap();
        assert!(products.column("x_brand_id_name").is_some_and(Column::is_loaded));
        assert!(products.feeds[0].also.contains(&"x_brand_id"));
        let leads = warehouse.dataset("leads").unwrap();
        let names: Vec<_> = leads.all_columns().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["id", "name", "x_old", "odoo_write_date", "synced_at"]);
        assert!(!leads.column("x_old").is_some_and(Column::is_written));
        let declared = Warehouse::with(&Additions::default());
        assert_eq!(declared.entities().len(), ENTITIES.len());
        assert!(declared.entity("invoices").is_none());
        let enabled = Additions { enabled: vec!["invoices".into()], ..additions };
        let names: Vec<_> =
            Warehouse::with(&enabled).entities().iter().map(|own| own.name).collect();
        assert_eq!(names[ENTITIES.len()..], ["invoices", "leads"]);
        assert!(declared.dataset("leads").is_none());
        assert!(declared.dataset("dim_products").unwrap().column("x_brand_id_name").is_none());
    }
}

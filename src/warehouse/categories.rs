use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "categories", datasets: &[CATEGORIES] };

const CATEGORIES: Dataset = Dataset {
    table: "dim_categories",
    about: "Product categories",
    feeds: &[all_of(&["product.category"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        text("complete_name", "complete_name"),
        reference("parent_id", "parent_id", "dim_categories"),
    ],
};

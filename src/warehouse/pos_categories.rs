use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "pos_categories", datasets: &[POS_CATEGORIES] };

const POS_CATEGORIES: Dataset = Dataset {
    table: "dim_pos_categories",
    about: "Product categories of the points of sale",
    feeds: &[all_of(&["pos.category"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        reference("parent_id", "parent_id", "dim_pos_categories"),
        text("complete_name", "display_name"),
    ],
};

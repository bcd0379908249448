use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "brands", datasets: &[BRANDS] };

/// Odoo itself has no brands; they come with the OCA module `product_brand`.
const BRANDS: Dataset = Dataset {
    table: "dim_brands",
    about: "Product brands (OCA module product_brand)",
    feeds: &[all_of(&["product.brand"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        text("description", "description"),
        reference("partner_id", "partner_id", "dim_customers"),
    ],
};

use super::Entity;
use super::branches::COMPANY_ZONE;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "warehouses", datasets: &[WAREHOUSES, LOCATIONS] };

const WAREHOUSES: Dataset = Dataset {
    table: "fact_warehouse",
    about: "Warehouses",
    feeds: &[all_of(&["stock.warehouse"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        text("code", "code"),
        bigint("company_id", "company_id"),
        reference("partner_id", "partner_id", "dim_customers"),
        reference("view_location_id", "view_location_id", "fact_stock_locations"),
        reference("stock_location_id", "lot_stock_id", "fact_stock_locations"),
    ],
};

const LOCATIONS: Dataset = Dataset {
    table: "fact_stock_locations",
    about: "Stock locations",
    feeds: &[all_of(&["stock.location"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        text("complete_name", "complete_name"),
        text("usage", "usage"),
        reference("parent_id", "location_id", "fact_stock_locations"),
        reference("warehouse_id", "warehouse_id", "fact_warehouse"),
        bigint("company_id", "company_id"),
        // Where its days begin and end.
        zone("timezone", COMPANY_ZONE),
    ],
};

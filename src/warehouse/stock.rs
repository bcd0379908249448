use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "stock", datasets: &[STOCK] };

const STOCK: Dataset = Dataset {
    table: "fact_stock",
    about: "Stock at hand, per product, location, lot and owner",
    feeds: &[all_of(&["stock.quant"])],
    kind: Kind::Fact,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        reference("product_id", "product_id", "dim_products"),
        reference("location_id", "location_id", "fact_stock_locations"),
        reference("warehouse_id", "warehouse_id|location_id.warehouse_id", "fact_warehouse"),
        text("lot", "lot_id.name"),
        reference("owner_id", "owner_id", "dim_customers"),
        numeric("quantity", "quantity"),
        numeric("reserved", "reserved_quantity"),
        generated("available", SqlType::Numeric, "quantity - reserved"),
        inherited("unit_cost", SqlType::Numeric, "product_id", "standard_price", None),
        // For stock managers only.
        numeric("value", "value"),
        timestamptz("in_date", "in_date"),
        text("currency", "company_id.currency_id.name"),
        bigint("company_id", "company_id"),
    ],
};

use super::Entity;
use super::dataset::*;
use super::snapshot::Snapshot;

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

/// The stock of each day, as far as it changed.
pub const DAILY: Snapshot = Snapshot {
    table: "fact_stock_daily",
    about: "Stock of each day, per product, location, lot and owner: a row for each day at whose end it was another than before, until the day of the next one",
    of: &STOCK,
    key: &["product_id", "location_id", "lot", "owner_id"],
    sums: &["quantity", "reserved", "value"],
    label: "currency",
    place: "location_id",
};

use super::Entity;
use super::branches::COMPANY_ZONE;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "stock_moves", datasets: &[PICKING_TYPES, MOVES] };

const PICKING_TYPES: Dataset = Dataset {
    table: "dim_picking_types",
    about: "Operation types: receipts, deliveries, internal transfers and others",
    feeds: &[all_of(&["stock.picking.type"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        text("code", "code"),
        reference("warehouse_id", "warehouse_id", "fact_warehouse"),
        bigint("company_id", "company_id"),
    ],
};

/// What was done, in the product's unit, rounded as Odoo rounds what it moves. Until 16 the demand
/// of a done move is what was done; from 17 on that is in the move's own unit.
const QUANTITY: &str = "CASE WHEN done IS NOT NULL THEN trim_scale(coalesce(\
    round(done * unit / nullif(own_unit, 0) / nullif(step, 0)) * step, done * unit / nullif(own_unit, 0))) \
    WHEN is_picked IS NULL THEN quantity END";

/// Layers of what leaves are negative; from 19 on no value is.
const VALUE: &str = "CASE WHEN layered < 0 THEN -value ELSE value END";

/// Goods in transit are on hand, as Odoo counts them.
const DIRECTION: &str = "CASE WHEN is_scrap THEN 'scrap' \
    WHEN location_usage IN ('internal', 'transit') AND location_dest_usage IN ('internal', 'transit') THEN 'internal' \
    WHEN 'inventory' IN (location_usage, location_dest_usage) THEN 'inventory' \
    WHEN location_dest_usage IN ('internal', 'transit') THEN 'in' \
    WHEN location_usage IN ('internal', 'transit') THEN 'out' END";

const MOVES: Dataset = Dataset {
    table: "fact_stock_moves",
    about: "Stock moves that are done, each from one location to another",
    feeds: &[Feed {
        domains: &["[('state', '=', 'done')]"],
        ..all_and(&["stock.move"], &["stock_valuation_layer_ids"])
    }],
    kind: Kind::Fact,
    extent: Extent::Changed,
    owner: None,
    columns: &[
        reference("product_id", "product_id", "dim_products"),
        corrected("quantity", SqlType::Numeric, "quantity|product_qty", QUANTITY),
        ingredient("done", SqlType::Numeric, "quantity"),
        ingredient("is_picked", SqlType::Boolean, "picked"),
        // How many of the reference unit are in one: 19 calls so what was the inverse.
        ingredient(
            "unit",
            SqlType::Numeric,
            "product_uom.factor_inv|uom_id.factor_inv|product_uom.factor|uom_id.factor",
        ),
        ingredient(
            "own_unit",
            SqlType::Numeric,
            "product_id.uom_id.factor_inv|product_id.uom_id.factor",
        ),
        ingredient("step", SqlType::Numeric, "product_id.uom_id.rounding"),
        text("uom", "product_id.uom_id.name"),
        generated("unit_cost", SqlType::Numeric, "value / nullif(quantity, 0)"),
        // For stock managers only until 18.
        corrected(
            "value",
            SqlType::Numeric,
            "value?is_valued|stock_valuation_layer_ids.value",
            VALUE,
        ),
        ingredient("layered", SqlType::Numeric, "stock_valuation_layer_ids.quantity"),
        text("currency", "company_id.currency_id.name"),
        reference("location_id", "location_id", "fact_stock_locations"),
        inherited("location_usage", SqlType::Text, "location_id", "usage", None),
        reference("location_dest_id", "location_dest_id", "fact_stock_locations"),
        inherited("location_dest_usage", SqlType::Text, "location_dest_id", "usage", None),
        boolean("is_scrap", "scrapped|scrap_id>0"),
        generated("direction", SqlType::Text, DIRECTION),
        reference("picking_type_id", "picking_type_id", "dim_picking_types"),
        reference("customer_id", "partner_id ?? picking_id.partner_id", "dim_customers"),
        text("origin", "origin"),
        // The ids of a row of fact_sales_lines, in the channel sale, and of one of fact_purchases:
        // as foreign keys they would keep lines from being deleted by hand.
        bigint("sale_line_id", "sale_line_id"),
        bigint("purchase_line_id", "purchase_line_id"),
        timestamptz("moved_at", "date"),
        business_date("business_date", "date", COMPANY_ZONE),
        bigint("company_id", "company_id"),
    ],
};

use super::Entity;
use super::currencies::company_amount;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "purchases", datasets: &[PURCHASES] };

const PURCHASES: Dataset = Dataset {
    table: "fact_purchases",
    about: "Lines of purchase orders, each with its order's facts",
    feeds: &[Feed {
        domains: &["[('display_type', '=', False)]"],
        ..all_and(&["purchase.order.line"], &["order_id"])
    }],
    kind: Kind::Fact,
    extent: Extent::Changed,
    owner: Some("order_id"),
    columns: &[
        bigint("order_id", "order_id"),
        text("order_reference", "order_id.name"),
        text("origin", "order_id.origin"),
        reference("vendor_id", "order_id.partner_id", "dim_customers"),
        reference("buyer_id", "order_id.user_id", "dim_users"),
        reference("product_id", "product_id", "dim_products"),
        reference("warehouse_id", "order_id.picking_type_id.warehouse_id", "fact_warehouse"),
        text("state", "order_id.state"),
        text("invoice_state", "order_id.invoice_status"),
        timestamptz("ordered_at", "order_id.date_order"),
        timestamptz("approved_at", "order_id.date_approve"),
        timestamptz("planned_at", "date_planned"),
        timestamptz("effective_date", "order_id.effective_date"),
        numeric("quantity_ordered", "product_qty"),
        numeric("quantity_received", "qty_received"),
        numeric("quantity_invoiced", "qty_invoiced"),
        text("uom", "uom_id.name|product_uom_id.name|product_uom.name"),
        numeric("price_unit", "price_unit"),
        numeric("discount_percent", "discount"),
        numeric("subtotal", "price_subtotal"),
        numeric("total", "price_total"),
        generated("tax_amount", SqlType::Numeric, "total - subtotal"),
        bigint_array("tax_ids", "tax_ids|taxes_id"),
        text("currency", "order_id.currency_id.name"),
        numeric("currency_rate", "order_id.currency_rate"),
        text("company_currency", "order_id.company_id.currency_id.name"),
        company_amount!("subtotal_company", "subtotal"),
        bigint("company_id", "order_id.company_id"),
    ],
};

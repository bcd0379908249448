use super::Entity;
use super::branches::COMPANY_ZONE;
use super::currencies::company_amount;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "sales", datasets: &[ORDERS, LINES] };

/// One column that tells an order, for tools whose keys have no two: sale orders are below zero.
macro_rules! order_key {
    ($id:literal) => {
        concat!("CASE channel WHEN 'sale' THEN -", $id, " ELSE ", $id, " END")
    };
}

const ORDERS: Dataset = Dataset {
    table: "all_sales",
    about: "Orders of the points of sale and of sales",
    feeds: &[
        // Drafts are rewritten and deleted while the customer waits.
        Feed {
            channel: Some("pos"),
            domains: &["[('state', 'in', ('paid', 'done', 'invoiced'))]"],
            ..all_and(&["pos.order"], &["lines"])
        },
        Feed { channel: Some("sale"), ..all_and(&["sale.order"], &["order_line"]) },
    ],
    kind: Kind::Fact,
    extent: Extent::Changed,
    owner: None,
    columns: &[
        text("reference", "pos_reference ?? name / name"),
        timestamptz("ordered_at", "date_order"),
        business_date("business_date", "date_order", COMPANY_ZONE),
        local_hour("hour", "date_order", COMPANY_ZONE),
        reference("branch_id", "config_id|session_id.config_id / -", "dim_branches"),
        bigint("session_id", "session_id / -"),
        reference("customer_id", "partner_id", "dim_customers"),
        reference("employee_id", "employee_id / -", "dim_employees"),
        reference("user_id", "user_id", "dim_users"),
        reference("team_id", "crm_team_id / team_id", "dim_teams"),
        bigint("website_id", "- / website_id"),
        generated("source", SqlType::Text, SOURCE),
        text("campaign", "- / campaign_id.title|campaign_id.name"),
        text("medium", "- / medium_id.name"),
        text("state", "state"),
        generated("is_refund", SqlType::Boolean, "amount_total < 0"),
        generated("order_key", SqlType::Bigint, order_key!("id")),
        numeric("amount_total", "amount_total"),
        numeric("amount_tax", "amount_tax"),
        generated("amount_untaxed", SqlType::Numeric, "amount_total - amount_tax"),
        numeric("amount_paid", "amount_paid / -"),
        numeric("amount_return", "amount_return / -"),
        text("currency", "currency_id.name"),
        numeric("currency_rate", "currency_rate"),
        text("company_currency", "company_id.currency_id.name"),
        company_amount!("amount_total_company", "amount_total"),
        company_amount!("amount_untaxed_company", "(amount_total - amount_tax)"),
        bigint("company_id", "company_id"),
    ],
};

const SOURCE: &str =
    "CASE WHEN channel = 'pos' THEN 'store' WHEN website_id IS NULL THEN 'sales' ELSE 'online' END";

const POS_SIGN_SUBTOTAL: &str = "CASE channel WHEN 'pos' THEN sign(quantity) * sign(price_unit) * abs(subtotal) ELSE subtotal END";
const POS_SIGN_TOTAL: &str =
    "CASE channel WHEN 'pos' THEN sign(quantity) * sign(price_unit) * abs(total) ELSE total END";

const LINES: Dataset = Dataset {
    table: "fact_sales_lines",
    about: "Lines of the orders in all_sales, without sections and notes",
    feeds: &[
        Feed {
            channel: Some("pos"),
            domains: &["[('order_id.state', 'in', ('paid', 'done', 'invoiced'))]"],
            ..all_and(&["pos.order.line"], &["order_id"])
        },
        Feed {
            channel: Some("sale"),
            domains: &["[('display_type', '=', False)]"],
            ..all_and(&["sale.order.line"], &["order_id"])
        },
    ],
    kind: Kind::Fact,
    extent: Extent::Changed,
    owner: Some("order_id"),
    columns: &[
        keyed_reference("order_id", "order_id", "all_sales", Key::OwnChannel),
        generated("order_key", SqlType::Bigint, order_key!("order_id")),
        inherited("business_date", SqlType::Date, "order_id", "business_date", None),
        inherited("hour", SqlType::Bigint, "order_id", "hour", None),
        inherited("branch_id", SqlType::Bigint, "order_id", "branch_id", Some("dim_branches")),
        reference("product_id", "product_id", "dim_products"),
        reference("promotion_id", "reward_id.program_id|program_id", "dim_promotions"),
        numeric("quantity", "qty / product_uom_qty"),
        text("uom", "uom_id.name|product_uom_id.name|product_uom.name"),
        numeric("price_unit", "price_unit"),
        numeric("discount_percent", "discount"),
        generated(
            "discount_amount",
            SqlType::Numeric,
            "quantity * price_unit * discount_percent / 100",
        ),
        // The till of Odoo 19 sends a refund's lines with a negative quantity but positive
        // amounts; Odoo's own sales report takes the sign so (pos_sale/report/sale_report.py).
        corrected("subtotal", SqlType::Numeric, "price_subtotal", POS_SIGN_SUBTOTAL),
        corrected("total", SqlType::Numeric, "price_subtotal_incl / price_total", POS_SIGN_TOTAL),
        generated("tax_amount", SqlType::Numeric, "total - subtotal"),
        // Zero until it is computed, which may be when the session closes.
        numeric("cost", "total_cost?is_total_cost_computed / -"),
        generated("margin", SqlType::Numeric, "subtotal - cost"),
        // A fiscal position may put others in their place at the till.
        bigint_array("tax_ids", "tax_ids|tax_ids_after_fiscal_position / tax_ids|tax_id"),
        inherited("currency", SqlType::Text, "order_id", "currency", None),
        inherited("currency_rate", SqlType::Numeric, "order_id", "currency_rate", None),
        inherited("company_currency", SqlType::Text, "order_id", "company_currency", None),
        company_amount!("subtotal_company", "subtotal"),
        company_amount!("total_company", "total"),
        company_amount!("cost_company", "cost"),
        company_amount!("margin_company", "(subtotal - cost)"),
        keyed_reference(
            "refunded_line_id",
            "refunded_orderline_id / -",
            "fact_sales_lines",
            Key::OwnChannel,
        ),
        boolean("is_reward", "is_reward_line|is_program_reward"),
        // A line of a point of sale that settles a sale order's line counts once in reports
        // over both channels.
        keyed_reference(
            "settles_line_id",
            "sale_order_line_id / -",
            "fact_sales_lines",
            Key::Channel { column: "settles_channel", channel: "sale" },
        ),
        generated(
            "settles_channel",
            SqlType::Text,
            "CASE WHEN settles_line_id IS NOT NULL THEN 'sale' END",
        ),
    ],
};

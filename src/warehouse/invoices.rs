use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "invoices", datasets: &[INVOICES] };

/// Those of goods, services and discounts; neither taxes, nor what is due, nor the cost of goods sold.
/// 16 tells the kind of a line, which before was either shown on the invoice or not.
const LINES: &[&str] = &[
    "[('move_id.move_type', 'in', ('out_invoice', 'out_refund', 'out_receipt', 'in_invoice', 'in_refund', 'in_receipt')), \
      ('exclude_from_invoice_tab', '=', False), ('display_type', '=', False)]",
    "[('move_id.move_type', 'in', ('out_invoice', 'out_refund', 'out_receipt', 'in_invoice', 'in_refund', 'in_receipt')), \
      ('display_type', '=', 'product')]",
];

/// What is sold is booked as a credit, what is bought as a debit; refunds are negative.
const BOOKED: &str = "CASE WHEN move_type IN ('out_invoice', 'out_refund', 'out_receipt') THEN -balance ELSE balance END";

const INVOICES: Dataset = Dataset {
    table: "fact_invoices",
    about: "Lines of customers' and vendors' invoices, each with its invoice's facts",
    feeds: &[Feed { domains: LINES, ..all_and(&["account.move.line"], &["move_id"]) }],
    kind: Kind::Fact,
    extent: Extent::Changed,
    owner: Some("move_id"),
    columns: &[
        bigint("move_id", "move_id"),
        text("number", "move_id.name"),
        text("move_type", "move_id.move_type"),
        text("state", "move_id.state"),
        text("payment_state", "move_id.payment_state"),
        date("invoice_date", "move_id.invoice_date"),
        date("due_date", "move_id.invoice_date_due"),
        date("accounting_date", "move_id.date"),
        text("reference", "move_id.ref"),
        text("origin", "move_id.invoice_origin"),
        reference("partner_id", "move_id.partner_id", "dim_customers"),
        reference("user_id", "move_id.invoice_user_id", "dim_users"),
        reference("team_id", "move_id.team_id", "dim_teams"),
        reference("product_id", "product_id", "dim_products"),
        text("description", "name"),
        bigint("account_id", "account_id"),
        text("account", "account_id.name"),
        numeric("quantity", "quantity"),
        text("uom", "product_uom_id.name"),
        numeric("price_unit", "price_unit"),
        numeric("discount_percent", "discount"),
        // Positive in refunds too, as on paper.
        numeric("subtotal", "price_subtotal"),
        numeric("total", "price_total"),
        generated("tax_amount", SqlType::Numeric, "total - subtotal"),
        bigint_array("tax_ids", "tax_ids"),
        text("currency", "currency_id.name"),
        text("company_currency", "company_currency_id.name"),
        // Debit less credit.
        numeric("balance", "balance"),
        generated("subtotal_company", SqlType::Numeric, BOOKED),
        bigint_array("sale_line_ids", "sale_line_ids"),
        bigint("purchase_line_id", "purchase_line_id"),
        bigint("company_id", "company_id"),
    ],
};

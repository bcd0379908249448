use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "payments", datasets: &[PAYMENTS] };

const PAYMENTS: Dataset = Dataset {
    table: "fact_payments",
    about: "Payments of the orders of the points of sale; change is a negative one",
    feeds: &[Feed {
        // Those of the orders in all_sales.
        domains: &["[('pos_order_id.state', 'in', ('paid', 'done', 'invoiced'))]"],
        ..all_and(&["pos.payment"], &["pos_order_id"])
    }],
    kind: Kind::Fact,
    extent: Extent::Changed,
    owner: Some("order_id"),
    columns: &[
        keyed_reference(
            "order_id",
            "pos_order_id",
            "all_sales",
            Key::Channel { column: "order_channel", channel: "pos" },
        ),
        generated("order_channel", SqlType::Text, "CASE WHEN order_id IS NOT NULL THEN 'pos' END"),
        inherited("business_date", SqlType::Date, "order_id", "business_date", None),
        inherited("branch_id", SqlType::Bigint, "order_id", "branch_id", Some("dim_branches")),
        reference("session_id", "session_id", "fact_sessions"),
        reference("payment_method_id", "payment_method_id", "dim_payment_methods"),
        numeric("amount", "amount"),
        text("currency", "currency_id.name"),
        boolean("is_change", "is_change"),
        text("card_type", "card_type"),
        text("card_brand", "card_brand"),
        timestamptz("payment_date", "payment_date"),
        bigint("company_id", "company_id"),
    ],
};

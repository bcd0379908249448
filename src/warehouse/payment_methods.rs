use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "payment_methods", datasets: &[PAYMENT_METHODS] };

/// 14 has no types, but knows what is cash.
const TYPE: &str = "coalesce(type, CASE WHEN is_cash_count THEN 'cash' END)";

const PAYMENT_METHODS: Dataset = Dataset {
    table: "dim_payment_methods",
    about: "Payment methods of the points of sale",
    feeds: &[all_of(&["pos.payment.method"])],
    kind: Kind::Dimension,
    // Odoo computes the type from the journal.
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        corrected("type", SqlType::Text, "type", TYPE),
        boolean("is_cash_count", "is_cash_count"),
        bigint("company_id", "company_id"),
    ],
};

use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "loyalty", datasets: &[CARDS, HISTORY] };

const CARDS: Dataset = Dataset {
    table: "dim_loyalty_cards",
    about: "Loyalty cards, gift cards, electronic wallets and coupons",
    // Gift cards were a model of their own in 15, and have a value as cards do.
    feeds: &[all_and(
        &["loyalty.card", "gift.card", "coupon.coupon"],
        // The company and a coupon's last day are those of the program; what is left on a gift
        // card of 15 is computed from what was paid with it.
        &[
            "program_id",
            "redeem_pos_order_line_ids",
            "redeem_pos_order_line_ids.order_id",
            "redeem_line_ids",
            "redeem_line_ids.order_id",
        ],
    )],
    kind: Kind::Dimension,
    extent: Extent::Changed,
    owner: None,
    columns: &[
        reference("program_id", "program_id", "dim_promotions"),
        reference("customer_id", "partner_id", "dim_customers"),
        text("code", "code"),
        // A coupon has none.
        numeric("points", "points|balance"),
        // A card has none.
        text("status", "state"),
        text("currency", "currency_id.name"),
        date("expiration_date", "expiration_date|expired_date"),
        bigint("company_id", "company_id|program_id.company_id"),
    ],
};

const HISTORY: Dataset = Dataset {
    table: "fact_loyalty",
    about: "Points that cards were given and that were used (Odoo 18 and later)",
    feeds: &[all_and(&["loyalty.history"], &["card_id"])],
    kind: Kind::Fact,
    extent: Extent::Changed,
    // An order that is cancelled takes its lines of a card away.
    owner: Some("card_id"),
    columns: &[
        reference("card_id", "card_id", "dim_loyalty_cards"),
        numeric("issued", "issued"),
        numeric("used", "used"),
        generated("points_left", SqlType::Numeric, "issued - used"),
        text("description", "description"),
        // The order's model and its id there, which is zero where there is none.
        text("order_model", "order_model"),
        corrected("order_id", SqlType::Bigint, "order_id", "nullif(order_id, 0)"),
        timestamptz("created_at", "create_date"),
    ],
};

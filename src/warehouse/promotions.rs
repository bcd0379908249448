use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "promotions", datasets: &[PROMOTIONS] };

const PROMOTIONS: Dataset = Dataset {
    table: "dim_promotions",
    about: "Promotion, loyalty and gift card programs",
    // Community had coupon programs before 16.
    feeds: &[all_of(&["loyalty.program", "coupon.program"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        text("program_type", "program_type"),
        text("trigger", "trigger|promo_code_usage"),
        text("applies_on", "applies_on|promo_applicability"),
        date("date_from", "date_from|rule_date_from"),
        date("date_to", "date_to|rule_date_to"),
        bigint("max_usage", "max_usage|maximum_use_number"),
        text("currency", "currency_id.name|company_id.currency_id.name"),
        bigint("company_id", "company_id"),
        text("rewards", "reward_ids.description|reward_type"),
    ],
};

use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "taxes", datasets: &[TAXES] };

const TAXES: Dataset = Dataset {
    table: "dim_taxes",
    about: "Taxes; lines of sales and purchases name theirs in tax_ids",
    feeds: &[all_of(&["account.tax"])],
    kind: Kind::Dimension,
    // Since 18 whether prices include a tax is the company's to say.
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        numeric("amount", "amount"),
        text("amount_type", "amount_type"),
        text("type_tax_use", "type_tax_use"),
        boolean("price_include", "price_include"),
        bigint("company_id", "company_id"),
    ],
};

use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "currencies", datasets: &[RATES] };

const RATES: Dataset = Dataset {
    table: "fact_currency_rates",
    about: "Rates of currencies, each from its day on; without a company they are everybody's",
    feeds: &[all_of(&["res.currency.rate"])],
    kind: Kind::Fact,
    extent: Extent::Changed,
    owner: None,
    columns: &[
        text("currency", "currency_id.name"),
        bigint("company_id", "company_id"),
        date("day", "name"),
        // How much of it one unit of the currency with the rate 1 is.
        numeric("rate", "rate"),
        generated("inverse", SqlType::Numeric, "1 / nullif(rate, 0)"),
    ],
};

/// An amount of an order in the currency of its company, by the rate that Odoo noted with the order,
/// as Odoo's own reports divide. Without any rate Odoo notes 1, and it does not note another one when
/// the company's currency changes: where the rate is 1 between two currencies, or another within
/// one, nobody knows the amount.
macro_rules! company_amount {
    ($name:literal, $amount:literal) => {
        generated(
            $name,
            SqlType::Numeric,
            concat!(
                "trim_scale(",
                $amount,
                " / CASE WHEN (currency = company_currency) = (currency_rate = 1) \
                 THEN nullif(currency_rate, 0) END)"
            ),
        )
    };
}
pub(super) use company_amount;

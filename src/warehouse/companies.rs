use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "companies", datasets: &[COMPANIES] };

const COMPANIES: Dataset = Dataset {
    table: "dim_companies",
    about: "Companies",
    feeds: &[all_of(&["res.company"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        text("currency", "currency_id.name"),
        // Odoo computes it from the address.
        text("country", "partner_id.country_id.code"),
        reference("parent_id", "parent_id", "dim_companies"),
        // Branches share the rates and the books of the company at the top, which 17 brought.
        bigint("root_id", "root_id"),
        bigint("fiscal_year_last_day", "fiscalyear_last_day"),
        number("fiscal_year_last_month", "fiscalyear_last_month"),
        zone("timezone", "resource_calendar_id.tz ?? partner_id.tz"),
    ],
};

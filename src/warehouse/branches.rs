use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "branches", datasets: &[BRANCHES] };

/// A company has no time zone of its own in any release: its working hours have one, else its
/// address may.
pub const COMPANY_ZONE: &str = "company_id.resource_calendar_id.tz ?? company_id.partner_id.tz";

const BRANCHES: Dataset = Dataset {
    table: "dim_branches",
    about: "Branches: the points of sale",
    feeds: &[all_of(&["pos.config"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        bigint("company_id", "company_id"),
        text("company_name", "company_id.name"),
        // The warehouse that sales are taken from; 14 knows it by the operation type alone.
        reference("warehouse_id", "picking_type_id.warehouse_id ?? warehouse_id", "fact_warehouse"),
        reference("team_id", "crm_team_id", "dim_teams"),
        text("currency", "currency_id.name"),
        zone("timezone", COMPANY_ZONE),
        text("pricelist", "pricelist_id.name"),
    ],
};

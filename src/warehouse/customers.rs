use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "customers", datasets: &[CUSTOMERS] };

const CUSTOMERS: Dataset = Dataset {
    table: "dim_customers",
    about: "Customers, vendors and their contacts",
    // A tag may be given by its own list of partners.
    feeds: &[Feed {
        silent: &["is_customer", "is_vendor"],
        ..all_and(&["res.partner"], &["category_id"])
    }],
    kind: Kind::Dimension,
    extent: Extent::Changed,
    owner: None,
    columns: &[
        text("name", "name"),
        boolean("is_company", "is_company"),
        reference("parent_id", "parent_id", "dim_customers"),
        boolean("is_customer", "customer_rank>0"),
        boolean("is_vendor", "supplier_rank>0"),
        text("email", "email"),
        text("phone", "phone"),
        text("mobile", "mobile"),
        text("street", "street"),
        text("street2", "street2"),
        text("city", "city"),
        text("zip", "zip"),
        text("state", "state_id.name"),
        text("country_code", "country_id.code"),
        text("vat", "vat"),
        text("ref", "ref"),
        text("lang", "lang"),
        text_array("tags", "category_id.name"),
        reference("salesperson_id", "user_id", "dim_users"),
        reference("team_id", "team_id", "dim_teams"),
        timestamptz("created_at", "create_date"),
    ],
};

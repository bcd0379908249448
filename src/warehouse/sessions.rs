use super::Entity;
use super::branches::COMPANY_ZONE;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "sessions", datasets: &[SESSIONS] };

/// Until it is counted Odoo has a zero there.
const COUNTED: &str = "CASE WHEN state = 'closed' THEN counted_closing_cash END";

const SESSIONS: Dataset = Dataset {
    table: "fact_sessions",
    about: "Sessions of the points of sale, with their cash",
    feeds: &[Feed {
        // What is expected in the drawer follows payments and cash moves, added or deleted.
        unsettled: Some("[('state', '!=', 'closed')]"),
        ..all_of(&["pos.session"])
    }],
    kind: Kind::Fact,
    extent: Extent::Changed,
    owner: None,
    columns: &[
        text("name", "name"),
        reference("branch_id", "config_id", "dim_branches"),
        reference("user_id", "user_id", "dim_users"),
        reference("employee_id", "employee_id", "dim_employees"),
        text("state", "state"),
        timestamptz("start_at", "start_at"),
        timestamptz("stop_at", "stop_at"),
        business_date("business_date", "start_at", COMPANY_ZONE),
        // Zeros where no cash is counted.
        numeric("opening_cash", "cash_register_balance_start?cash_control"),
        corrected(
            "counted_closing_cash",
            SqlType::Numeric,
            "cash_register_balance_end_real?cash_control",
            COUNTED,
        ),
        numeric("expected_closing_cash", "cash_register_balance_end?cash_control"),
        generated(
            "cash_difference",
            SqlType::Numeric,
            "counted_closing_cash - expected_closing_cash",
        ),
        text("opening_notes", "opening_notes"),
        text("closing_notes", "closing_notes"),
        text("currency", "currency_id.name"),
        bigint("company_id", "company_id"),
    ],
};

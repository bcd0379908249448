use super::Entity;
use super::branches::COMPANY_ZONE;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "sessions", datasets: &[SESSIONS] };

/// An amount of cash, where cash is counted at all. Until 15 it is at some points of sale alone.
macro_rules! cash {
    ($name:literal, $field:literal, $condition:literal) => {
        corrected(
            $name,
            SqlType::Numeric,
            concat!($field, "?cash_journal_id"),
            concat!("CASE WHEN is_counted IS NOT FALSE", $condition, " THEN ", $name, " END"),
        )
    };
}

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
        // Where no cash is counted Odoo has zeros, and in closing cash until it was. The session has
        // a field cash_control of its own: reading it has Odoo 14 write the session.
        ingredient("is_counted", SqlType::Boolean, "config_id.cash_control"),
        cash!("opening_cash", "cash_register_balance_start", ""),
        cash!("counted_closing_cash", "cash_register_balance_end_real", " AND state = 'closed'"),
        cash!("expected_closing_cash", "cash_register_balance_end", ""),
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

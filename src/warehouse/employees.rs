use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity {
    name: "employees",
    datasets: &[DEPARTMENTS, JOBS, WORK_LOCATIONS, TEAMS, USERS, EMPLOYEES],
};

const DEPARTMENTS: Dataset = Dataset {
    table: "dim_departments",
    about: "Departments",
    feeds: &[all_of(&["hr.department"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        text("complete_name", "complete_name"),
        reference("parent_id", "parent_id", "dim_departments"),
        reference("manager_id", "manager_id", "dim_employees"),
        bigint("company_id", "company_id"),
    ],
};

const JOBS: Dataset = Dataset {
    table: "dim_jobs",
    about: "Job positions",
    feeds: &[all_of(&["hr.job"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        reference("department_id", "department_id", "dim_departments"),
        bigint("company_id", "company_id"),
    ],
};

const WORK_LOCATIONS: Dataset = Dataset {
    table: "dim_work_locations",
    about: "Work locations (Odoo 15 and later)",
    feeds: &[all_of(&["hr.work.location"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        text("location_type", "location_type"),
        reference("address_id", "address_id", "dim_customers"),
        bigint("company_id", "company_id"),
    ],
};

const TEAMS: Dataset = Dataset {
    table: "dim_teams",
    about: "Sales teams",
    feeds: &[all_of(&["crm.team"])],
    kind: Kind::Dimension,
    extent: Extent::Whole,
    owner: None,
    columns: &[
        text("name", "name"),
        reference("leader_id", "user_id", "dim_users"),
        bigint("company_id", "company_id"),
    ],
};

const USERS: Dataset = Dataset {
    table: "dim_users",
    about: "Users, internal and portal ones",
    // Name and address are those of the partner; who is whose employee is the employee's to say.
    feeds: &[all_and(&["res.users"], &["partner_id", "employee_ids"])],
    kind: Kind::Dimension,
    extent: Extent::Changed,
    owner: None,
    columns: &[
        text("name", "name"),
        text("login", "login"),
        text("email", "email"),
        reference("partner_id", "partner_id", "dim_customers"),
        reference("team_id", "sale_team_id", "dim_teams"),
        reference("employee_id", "employee_id", "dim_employees"),
        boolean("is_external", "share"),
        bigint("company_id", "company_id"),
    ],
};

/// Today is that of UTC: sessions in different time zones would change the rows in turns.
const AGE: &str = "extract(year FROM age(date_trunc('day', now() AT TIME ZONE 'UTC'), birthday::timestamp))::bigint";
const TENURE: &str =
    "round((least(departure_date, (now() AT TIME ZONE 'UTC')::date) - hire_date) / 365.25, 2)";

const EMPLOYEES: Dataset = Dataset {
    table: "dim_employees",
    about: "Employees; what Odoo keeps private is NULL unless the Odoo user may read it",
    // 19 keeps department, job and contract in hr.version.
    feeds: &[all_and(&["hr.employee"], &["version_ids", "current_version_id", "contract_ids"])],
    kind: Kind::Dimension,
    extent: Extent::Changed,
    owner: None,
    columns: &[
        text("name", "name"),
        reference("department_id", "department_id", "dim_departments"),
        reference("job_id", "job_id", "dim_jobs"),
        reference("work_location_id", "work_location_id", "dim_work_locations"),
        reference("manager_id", "parent_id", "dim_employees"),
        reference("coach_id", "coach_id", "dim_employees"),
        reference("user_id", "user_id", "dim_users"),
        bigint("company_id", "company_id"),
        // The number of the payroll; without one, of the badge.
        text("code", "registration_number ?? barcode"),
        text("work_email", "work_email"),
        text("work_phone", "work_phone"),
        text("country", "country_id.code"),
        text("gender", "sex|gender"),
        date("birthday", "birthday"),
        refreshed("age", SqlType::Bigint, AGE),
        // The first contract's start; 19 merged contracts into hr.version.
        date("hire_date", "first_contract_date|version_ids.contract_date_start"),
        refreshed("tenure_years", SqlType::Numeric, TENURE),
        date("departure_date", "departure_date"),
    ],
};

/// Without HR rights Odoo shows the public profile in an employee's place. In 19 its write_date is
/// that of the version, which stays where it is when the employee changes.
pub fn tells_changes(model: &str, may_read: impl Fn(&str) -> bool) -> bool {
    !matches!(model, "hr.employee" | "hr.employee.public") || may_read("birthday")
}

/// What Odoo computes for the current company without saying so: a user may be an employee of several.
pub fn is_of_company(model: &str, field: &str) -> bool {
    (model, field) == ("res.users", "employee_id")
}

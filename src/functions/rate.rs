//! odoo_rate: the rate of a currency on a day, by the warehouse's own tables.

use pgrx::PgSqlErrorCode;
use pgrx::datum::{AnyNumeric, Date};
use pgrx::prelude::*;

use crate::failure::{Failure, OrRaise};
use crate::pg::Relation;
use crate::query;
use crate::server::Server;
use crate::warehouse::ddl::qualified;

extension_sql_file!("../../sql/rate.sql", name = "rate", requires = ["home"]);

/// How much of a currency one unit of a company's own is on a day, as Odoo notes it with orders; `None` where
/// nobody noted a rate. The caller needs SELECT on the tables.
#[pg_extern(sql = false)]
fn odoo_rate(
    currency: Option<&str>,
    company_id: Option<i64>,
    day: Option<Date>,
    server: Option<&str>,
) -> Option<AnyNumeric> {
    let (currency, company_id, day) = (currency?, company_id?, day?);
    let ask = || {
        let schema = Server::named_or_only(server)?.options.schema;
        for (table, entity) in
            [("dim_companies", "companies"), ("fact_currency_rates", "currencies")]
        {
            Relation::find(&schema, table).ok_or_else(|| not_loaded(&schema, table, entity))?;
        }
        query::ask(&statement(&schema), &[currency.into(), company_id.into(), day.into()])
    };
    ask().or_raise()
}

/// As res.currency has it: the latest rate until the day, one of the company's before one of everybody's; branches
/// have those of the company at the top. A currency without any rates is the one with the rate 1; that
/// is taken for the company's own alone.
fn statement(schema: &str) -> String {
    let rates = qualified(schema, "fact_currency_rates");
    let of = |currency: &str| {
        format!(
            "FROM {rates} AS rates WHERE rates.currency = {currency} \
             AND (rates.company_id = company.id OR rates.company_id IS NULL)"
        )
    };
    let latest = |currency: &str| {
        let of = of(currency);
        format!(
            "(SELECT nullif(rates.rate, 0) {of} AND rates.day <= $3 ORDER BY rates.company_id, rates.day DESC LIMIT 1)"
        )
    };
    format!(
        "SELECT (SELECT CASE WHEN company.currency = $1 THEN 1 \
           WHEN NOT EXISTS (SELECT {own}) THEN {asked} \
           ELSE trim_scale({asked} / {base}) END \
         FROM (SELECT coalesce(root_id, id) AS id, currency FROM {companies} \
           WHERE id = $2 AND currency IS NOT NULL) AS company)",
        own = of("company.currency"),
        asked = latest("$1"),
        base = latest("company.currency"),
        companies = qualified(schema, "dim_companies"),
    )
}

fn not_loaded(schema: &str, table: &str, entity: &str) -> Failure {
    let message = format!("table {} does not exist", qualified(schema, table));
    Failure::new(PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE, message)
        .detail("Rates are read from the warehouse, not from Odoo.")
        .hint(format!("SELECT * FROM odoo_sync('{entity}');"))
}

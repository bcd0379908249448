//! Views over the warehouse, each a query in sql/reports. There `warehouse.` stands before the
//! warehouse's tables and `reports.` before other reports. The comments above a query are the view's,
//! and those that begin with a column's name and a colon the column's.

use std::collections::HashSet;

use crate::quote::ident;

pub struct Report {
    pub name: &'static str,
    text: &'static str,
}

macro_rules! reports {
    ($($name:literal $(in $folder:literal)?),* $(,)?) => {
        &[$(Report {
            name: $name,
            text: include_str!(concat!("../../sql/reports/", $($folder, "/",)? $name, ".sql")),
        }),*]
    };
}

/// Every report, after those that it builds on. Of several of one name the first one counts whose
/// tables are there.
pub const REPORTS: &[Report] = reports![
    "sales",
    "sales_lines",
    "buyers",
    "sales_by_day",
    "sales_by_hour",
    "sales_by_branch",
    "basket_size",
    "basket_pairs",
    "promotions_effect",
    "customers_rfm",
    "cohorts",
    "abc",
    "stock_turns",
    "days_of_cover",
    "sell_through",
    "stock_outs",
    "stock_ageing",
    "price_changes",
    "purchase_lead_time",
    "product_costs",
    "product_costs" in "without_history",
    "margin_by_category",
    "tender_mix",
    "cash_differences",
    "gift_card_liability",
    "list_price_changes",
    "fiscal_days",
];

/// What is said of columns that several reports have.
const COLUMNS: &str = include_str!("../../sql/reports/columns.txt");

/// What stands in a query for the schemas of the warehouse and of the reports.
const WAREHOUSE: &str = "warehouse.";
const OTHERS: &str = "reports.";

impl Report {
    /// The comment of the view.
    pub fn about(&self) -> String {
        let lines = self.comments().filter(|line| column_of(line).is_none());
        lines.collect::<Vec<_>>().join(" ")
    }

    /// The comment of one of its columns: its own, or what is said of all that are called so.
    pub fn column(&self, name: &str) -> Option<&'static str> {
        let known = self.comments().chain(COLUMNS.lines()).filter_map(column_of);
        known.into_iter().find(|(column, _)| *column == name).map(|(_, about)| about)
    }

    /// The tables of the warehouse that it reads.
    pub fn tables(&self) -> Vec<&'static str> {
        names_after(WAREHOUSE, self.query())
    }

    /// The reports that it reads.
    pub fn others(&self) -> Vec<&'static str> {
        names_after(OTHERS, self.query())
    }

    /// CREATE VIEW; who reads it needs the right to read the tables.
    pub fn create(&self, schema: &str, warehouse: &str) -> String {
        let (own, tables) = (format!("{}.", ident(schema)), format!("{}.", ident(warehouse)));
        let parts: Vec<_> =
            self.query().split(WAREHOUSE).map(|part| part.replace(OTHERS, &own)).collect();
        let query = parts.join(&tables);
        format!(
            "CREATE OR REPLACE VIEW {own}{} WITH (security_invoker) AS\n{query}",
            ident(self.name)
        )
    }

    fn comments(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.text.lines().map_while(|line| line.strip_prefix("-- "))
    }

    fn query(&self) -> &'static str {
        let length: usize = self.comments().map(|line| line.len() + "-- \n".len()).sum();
        self.text[length..].trim_end().trim_end_matches(';')
    }
}

/// `column: what it is`
fn column_of(line: &str) -> Option<(&str, &str)> {
    let (column, about) = line.split_once(": ")?;
    let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    column.chars().all(usual).then_some((column, about))
}

/// The names that stand behind a prefix, each once.
fn names_after(prefix: &str, text: &'static str) -> Vec<&'static str> {
    let mut seen = HashSet::new();
    let parts = text.split(prefix).skip(1);
    let names = parts.map(|part| {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &part[..end.unwrap_or(part.len())]
    });
    names.filter(|name| seen.insert(*name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_says_what_it_is_and_follows_what_it_reads() {
        let mut known: Vec<&Report> = Vec::new();
        for report in REPORTS {
            assert!(report.about().ends_with('.'), "{}", report.name);
            assert!(!report.tables().is_empty() || !report.others().is_empty(), "{}", report.name);
            assert!(report.query().starts_with("SELECT") || report.query().starts_with("WITH"));
            for other in report.others() {
                assert!(known.iter().any(|one| one.name == other), "{} reads {other}", report.name);
            }
            // Only one that is another way to the last one has its name.
            let others = known.len().saturating_sub(1);
            assert!(known[..others].iter().all(|one| one.name != report.name), "{}", report.name);
            known.push(report);
        }
    }

    #[test]
    fn schemas_are_put_into_a_query_once() {
        let report = Report {
            name: "x",
            text: "-- What\n-- it is.\n-- day: a day\nSELECT day FROM warehouse.a, reports.b\n",
        };
        assert_eq!(report.about(), "What it is.");
        assert_eq!(report.column("day"), Some("a day"));
        assert_eq!(report.column("uom"), Some("the unit of measure"));
        assert_eq!(report.column("x"), None);
        assert_eq!((report.tables(), report.others()), (vec!["a"], vec!["b"]));
        assert!(report.create("s", "reports.w").ends_with(
            "VIEW \"s\".\"x\" WITH (security_invoker) AS\nSELECT day FROM \"reports.w\".a, \"s\".b"
        ));
    }
}

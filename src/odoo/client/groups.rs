//! Records in groups, as Odoo sums them up: `read_group`, from 19 on `formatted_read_group`.

use crate::odoo::client::model::Model;
use crate::odoo::domain::tree::Domain;
use crate::odoo::error::Error;
use crate::odoo::fields::FieldType;
use crate::odoo::page::{cells::Cells, page_sink::PageSink};
use crate::odoo::sink::Refusal;
use crate::odoo::value::Value;

/// What Odoo makes of the values of a field; `function` is one of PostgreSQL's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    pub function: &'static str,
    pub field: String,
    /// How the outcome is read.
    pub field_type: FieldType,
}

/// Groups as columns.
pub struct Groups {
    pub rows: usize,
    /// The values of the fields that they were grouped by.
    pub by: Vec<Cells>,
    /// The number of records in each.
    pub counts: Vec<i64>,
    pub totals: Vec<Cells>,
}

const COUNT: &str = "__count";

impl Model<'_> {
    /// The records that meet the domain in groups, `limit` at most, archived ones included.
    /// Without fields to group by there is one group, of no records too.
    pub fn groups(
        &self,
        domain: Domain,
        by: &[(String, FieldType)],
        totals: &[Total],
        limit: usize,
    ) -> Result<Groups, Error> {
        let is_formatted = self.connection().major()? >= 19;
        let keys: Vec<String> = match is_formatted {
            true => {
                totals.iter().map(|total| format!("{}:{}", total.field, total.function)).collect()
            }
            false => (0..totals.len()).map(|number| format!("total_{number}")).collect(),
        };
        let specify = |(key, total): (&String, &Total)| match is_formatted {
            true => key.clone(),
            false => format!("{key}:{}({})", total.function, total.field),
        };
        let count = [COUNT.to_owned()];
        let wanted: Value = keys.iter().zip(totals).map(specify).chain(count).collect();
        let grouped: Value = by.iter().map(|(field, _)| field.as_str()).collect();
        let mut kwargs = vec![
            ("groupby", grouped),
            (if is_formatted { "aggregates" } else { "fields" }, wanted),
            ("limit", Value::Int(i64::try_from(limit).unwrap_or(i64::MAX))),
        ];
        if !is_formatted {
            kwargs.push(("lazy", Value::Bool(false)));
        }
        let method = if is_formatted { "formatted_read_group" } else { "read_group" };
        let types = totals.iter().map(|total| total.field_type);
        let columns: Vec<(&str, FieldType)> =
            (by.iter().map(|(field, kind)| (field.as_str(), *kind)))
                .chain([(COUNT, FieldType::Integer)])
                .chain(keys.iter().map(String::as_str).zip(types))
                .collect();
        let args = vec![("domain", domain.into_value())];
        let request = self.reading(method, None, args, kwargs)?;
        let page = self.look(&request, || PageSink::new(columns.iter().copied()))?.without_ids();
        let cells = |name: &str| {
            page.column(name).cloned().unwrap_or(Cells::empty(FieldType::Integer, page.rows()))
        };
        let counts = match cells(COUNT) {
            Cells::Integers(counts) => counts.into_iter().collect::<Option<Vec<i64>>>(),
            _ => None,
        };
        Ok(Groups {
            rows: page.rows(),
            by: by.iter().map(|(field, _)| cells(field)).collect(),
            counts: counts.ok_or_else(|| {
                self.unexpected(method, Refusal("a group without a count".into()))
            })?,
            totals: keys.iter().map(|key| cells(key)).collect(),
        })
    }
}

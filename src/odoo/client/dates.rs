//! When records were written, for whoever looks again and again what has changed.

use crate::odoo::client::model::Model;
use crate::odoo::domain::tree::Domain;
use crate::odoo::error::Error;
use crate::odoo::sink::Refusal;
use crate::odoo::value::Value;

impl Model<'_> {
    /// The records that meet the domain, archived ones included, with their write_date:
    /// `limit` at most, those of the lowest ids.
    pub fn dated(&self, domain: Domain, limit: usize) -> Result<Vec<(i64, String)>, Error> {
        let fields = ["write_date"].into_iter().collect();
        let limit = Value::Int(i64::try_from(limit).unwrap_or(i64::MAX));
        let args = vec![("domain", domain.into_value())];
        let kwargs = vec![("fields", fields), ("order", "id".into()), ("limit", limit)];
        let found = self.ask("search_read", args, kwargs)?;
        let dated = |record: &Value| {
            let date = record.get("write_date").and_then(Value::as_str);
            // A record that was never written has `false` there.
            Some((record.get("id")?.as_int()?, date.unwrap_or_default().to_owned()))
        };
        let dated = found.as_array().and_then(|records| records.iter().map(dated).collect());
        let refusal = || Refusal("no list of records with ids".into());
        dated.ok_or_else(|| self.unexpected("search_read", refusal()))
    }
}

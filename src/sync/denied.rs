//! Models that the user may not read and whose values a table's columns show: these stay NULL, and
//! the table is read again when the user may.

use super::plan::Plan;
use super::run::Run;
use super::state::Extension;
use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Connection, Domain, Error, FieldType};

const TABLE: &str = "denied";

impl Extension {
    /// Remembers which models kept their values from a feed's rows.
    fn note_denied(&self, server: &str, plan: &Plan, models: Vec<String>) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {} (server, target, channel, model) \
             SELECT $1, $2, $3, unnest($4::text[]) ON CONFLICT DO NOTHING",
            self.table(TABLE)
        );
        self.write(
            &sql,
            &[server.into(), plan.table().into(), plan.channel().into(), models.into()],
        )
    }

    fn denied(&self, server: &str, plan: &Plan) -> Result<Vec<String>, Failure> {
        let sql = format!(
            "SELECT model FROM {} WHERE server = $1 AND target = $2 AND channel = $3",
            self.table(TABLE)
        );
        let args = [server.into(), plan.table().into(), plan.channel().into()];
        let models = self.read(&sql, &args, |row| row.get::<String>(1))?;
        Ok(models.into_iter().flatten().collect())
    }

    fn forget_denied(&self, server: &str, plan: &Plan) -> Result<(), Failure> {
        let sql = format!(
            "DELETE FROM {} WHERE server = $1 AND target = $2 AND channel = $3",
            self.table(TABLE)
        );
        self.write(&sql, &[server.into(), plan.table().into(), plan.channel().into()])
    }
}

impl Run {
    /// After rows were loaded: remembers what was kept from them.
    pub(super) fn note_denied(&self, plan: &Plan) -> Result<(), Failure> {
        let denied = self.lookups.denied(plan);
        if denied.is_empty() || !self.extension.has(TABLE)? {
            return Ok(());
        }
        self.extension.note_denied(&self.server.name, plan, denied.into_iter().collect())
    }

    /// After all rows were loaded anew: forgets what was kept from those before.
    pub(super) fn forget_denied(&self, plan: &Plan) -> Result<(), Failure> {
        if plan.hops().next().is_none() || !self.extension.has(TABLE)? {
            return Ok(());
        }
        self.extension.forget_denied(&self.server.name, plan)?;
        self.note_denied(plan)
    }

    /// Whether something was kept from a feed's rows.
    pub(super) fn was_denied(&self, plan: &Plan) -> Result<bool, Failure> {
        Ok(plan.hops().next().is_some()
            && self.extension.has(TABLE)?
            && !self.extension.denied(&self.server.name, plan)?.is_empty())
    }

    /// Whether Odoo gives by now what it kept from a feed's rows.
    pub(super) fn is_allowed_again(&self, plan: &Plan) -> Result<bool, Failure> {
        if !self.was_denied(plan)? {
            return Ok(false);
        }
        for model in self.extension.denied(&self.server.name, plan)? {
            let fields = plan.hops().filter(|hop| hop.model == model);
            let fields: Vec<_> =
                fields.map(|hop| (hop.field.name.clone(), hop.field.field_type)).collect();
            match self.session.call(move |odoo| can_read(odoo, &model, &fields)) {
                Ok(false) => {}
                Err(failure) if failure.is_denied() => {}
                is_allowed => return is_allowed,
            }
        }
        Ok(false)
    }
}

fn can_read(odoo: &Connection, model: &str, fields: &[(String, FieldType)]) -> Result<bool, Error> {
    let model = odoo.model(model);
    let ids = model.search_after(Domain::all(), BEFORE_ALL, 1)?;
    let fields: Vec<_> = fields.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    Ok(!ids.is_empty() && !fields.is_empty() && model.read(ids, &fields)?.rows() > 0)
}

//! Values that Odoo could not give: remembered, and asked for again by every run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::time::SystemTime;

use crate::extract;
use crate::extract::{Poison, bisect};
use crate::failure::Failure;
use crate::odoo::FieldType;
use crate::state::store::Extension;
use crate::sync::mapping::feed::Plan;
use crate::sync::run::driver::{Run, Target};
use crate::warehouse::Dataset;

impl Extension {
    /// Remembers the values of a page that could not be read, and forgets those that could.
    pub fn quarantine(
        &self,
        server: &str,
        plan: &Plan,
        ids: &[i64],
        poison: &[Poison],
    ) -> Result<(), Failure> {
        let quarantine = self.table("quarantine");
        let (table, channel) = (plan.table(), plan.channel());
        if !poison.is_empty() {
            let sql = format!(
                "INSERT INTO {quarantine} AS known (server, target, channel, model, record_id, field, error) \
                 SELECT $1, $2, $3, $4, * FROM unnest($5::bigint[], $6::text[], $7::text[]) \
                 ON CONFLICT (server, target, channel, record_id, field) DO UPDATE SET error = EXCLUDED.error, last_seen = now()"
            );
            let ids: Vec<i64> = poison.iter().map(|poison| poison.id).collect();
            let fields: Vec<_> =
                poison.iter().map(|poison| poison.field.clone().unwrap_or_default()).collect();
            let errors: Vec<_> = poison.iter().map(|poison| poison.error.clone()).collect();
            self.write(
                &sql,
                &[
                    server.into(),
                    table.into(),
                    channel.into(),
                    plan.model.as_str().into(),
                    ids.into(),
                    fields.into(),
                    errors.into(),
                ],
            )?;
        }
        let sql = format!(
            "DELETE FROM {quarantine} WHERE server = $1 AND target = $2 AND channel = $3 \
             AND record_id = ANY ($4) AND last_seen < now()"
        );
        self.write(&sql, &[server.into(), table.into(), channel.into(), ids.to_vec().into()])
    }

    /// How many values are in quarantine, by table.
    pub fn count_quarantined(&self, server: &str) -> Result<HashMap<String, i64>, Failure> {
        let sql = format!(
            "SELECT target, count(*) FROM {} WHERE server = $1 GROUP BY target",
            self.table("quarantine")
        );
        let counts = self.read(&sql, &[server.into()], |row| {
            Ok((row.get(1)?.unwrap_or_default(), row.get(2)?.unwrap_or(0)))
        })?;
        Ok(counts.into_iter().collect())
    }

    /// The records of a feed with values in quarantine since before a time, by field; `""` stands
    /// for whole records.
    fn quarantined(
        &self,
        server: &str,
        plan: &Plan,
        before: SystemTime,
    ) -> Result<BTreeMap<String, Vec<i64>>, Failure> {
        let sql = format!(
            "SELECT field, array_agg(record_id ORDER BY record_id) FROM {} \
             WHERE server = $1 AND target = $2 AND channel = $3 AND last_seen < to_timestamp($4) \
             GROUP BY field",
            self.table("quarantine")
        );
        let before = before.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let args = [
            server.into(),
            plan.table().into(),
            plan.channel().into(),
            before.as_secs_f64().into(),
        ];
        let fields = self.read(&sql, &args, |row| {
            Ok((row.get(1)?.unwrap_or_default(), row.get(2)?.unwrap_or_default()))
        })?;
        Ok(fields.into_iter().collect())
    }
}

impl Run {
    /// Loads the records whose quarantined values can be read by now, and forgets those that are
    /// gone. Records that were read after `begin` are not asked for again.
    pub(in crate::sync) fn retry_quarantined(
        &mut self,
        dataset: &'static Dataset,
        target: &Rc<Target>,
        begin: SystemTime,
    ) -> Result<(), Failure> {
        let plan = &target.plan;
        let quarantined = self.extension.quarantined(&self.server.name, plan, begin)?;
        if quarantined.is_empty() {
            return Ok(());
        }
        let all: BTreeSet<i64> = quarantined.values().flatten().copied().collect();
        let all: Vec<i64> = all.into_iter().collect();
        let there = extract::visible_in(&self.session, &plan.model, &all, plan.domain())?;
        let gone: Vec<i64> = all.into_iter().filter(|id| !there.contains(id)).collect();
        let mut ready: BTreeSet<i64> = BTreeSet::new();
        for (field, mut ids) in quarantined {
            ids.retain(|id| there.contains(id));
            match plan.fields().into_iter().find(|(name, _)| *name == field) {
                Some(field) => {
                    for some in ids.chunks(bisect::MOST) {
                        ready.extend(self.readable(plan, some, std::slice::from_ref(&field))?);
                    }
                }
                // Whole records, or a field that is not asked for any more.
                None => ready.extend(ids),
            }
        }
        let ready: Vec<i64> = ready.into_iter().collect();
        for some in ready.chunks(bisect::MOST) {
            if let Some(fetched) = self.fetch_by(plan, some, bisect::recover_known)? {
                self.load(dataset, target, fetched)?;
            }
        }
        self.extension.quarantine(&self.server.name, plan, &gone, &[])
    }

    /// Those of the records that have a readable value.
    fn readable(
        &self,
        plan: &Plan,
        ids: &[i64],
        field: &[(String, FieldType)],
    ) -> Result<Vec<i64>, Failure> {
        let page = extract::read(&self.session, &plan.model, ids.to_vec(), field, None)?;
        let fetched = match page.outcome()? {
            Ok(page) => return Ok(page.ids()),
            Err(error) => {
                bisect::recover_known(&self.session, &plan.model, ids.to_vec(), field, error)?
            }
        };
        let bad: BTreeSet<i64> = fetched.poison.iter().map(|poison| poison.id).collect();
        Ok(fetched.page.ids().into_iter().filter(|id| !bad.contains(id)).collect())
    }
}

//! What of a feed's table Odoo no longer has.

use std::collections::HashSet;
use std::time::SystemTime;

use pgrx::PgSqlErrorCode as State;

use super::window::{Changed, owner};
use crate::extract;
use crate::failure::Failure;
use crate::odoo::{BEFORE_ALL, Domain, Value};
use crate::sync::load::deletes::{self, Range};
use crate::sync::work::context::Context;
use crate::sync::work::parts::Work;
use crate::sync::work::targets::Target;
use crate::warehouse::Dataset;
use crate::warehouse::ddl::qualified;

/// Rows to delete. All of it is known before the first one is.
#[derive(Default)]
pub struct Gone {
    ids: Vec<i64>,
    /// Changed owners, and the parts that they have.
    parts: Vec<(Vec<i64>, Vec<i64>)>,
}

/// Owners whose parts are asked for at once.
const OWNERS: usize = 1_000;

/// So many rows vanish at once only if something is wrong with the scan.
const MANY: i64 = 10;

/// What a scan of a feed has seen, after its last page.
pub struct Scanned<'a> {
    pub dataset: &'static Dataset,
    pub target: &'a Target,
    /// When the changes began that were read; `None` if everything was.
    pub since: Option<&'a str>,
    pub started: SystemTime,
    /// Whether the feed is known to have had no row before.
    pub was_empty: bool,
    /// Every id of the table, if they came all at once.
    pub present: Option<&'a [i64]>,
    /// What has changed since then, if it was asked for and is not too much.
    pub changed: Option<&'a Changed>,
}

impl Gone {
    /// After all pages of a feed.
    pub fn find(work: &mut Work, scanned: &Scanned<'_>) -> Result<Gone, Failure> {
        match scanned.since {
            // Whatever row is there came during the scan.
            None if scanned.was_empty => Ok(Gone::default()),
            None => Gone::all(&work.context, scanned),
            Some(time) => Gone::since(work, scanned, time),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.parts.is_empty()
    }

    /// After everything was read. Rows that were written since then, be it by another session,
    /// are younger than the scan and stay.
    fn all(context: &Context, scanned: &Scanned<'_>) -> Result<Gone, Failure> {
        let Scanned { dataset, target, started, .. } = *scanned;
        let (mapping, schema) = (&target.mapping, context.schema());
        let mut ids = Vec::new();
        let mut take = |range: Range, present: &[i64]| -> Result<(), Failure> {
            if present.is_empty() && range.after == BEFORE_ALL {
                refuse_empty(schema, dataset, target.feed)?;
            }
            ids.extend(deletes::absent(schema, dataset, target.feed, range, present, started)?);
            Ok(())
        };
        match scanned.present {
            Some(present) => take(Range::ALL, present)?,
            None => {
                let mut after = BEFORE_ALL;
                let (session, domain) = (&context.session, mapping.domain());
                extract::for_each_chunk(session, &mapping.model, &domain, |chunk, is_last| {
                    let to = chunk.last().copied().filter(|_| !is_last).unwrap_or(i64::MAX);
                    take(Range { after, to }, chunk)?;
                    after = to;
                    Ok(())
                })?;
            }
        }
        Ok(Gone { ids, ..Gone::default() })
    }

    fn since(work: &mut Work, scanned: &Scanned<'_>, time: &str) -> Result<Gone, Failure> {
        let Work { context, targets, .. } = work;
        let mapping = &scanned.target.mapping;
        let ids = |model: &str, domain| extract::ids(&context.session, model, domain);
        let mut gone = Gone::default();
        if mapping.domain() != Domain::all() {
            let changed = mapping.changed_since(time);
            let all = match scanned.changed {
                Some(changed) => changed.ids.clone(),
                None => ids(&mapping.model, changed.clone())?,
            };
            let inside: HashSet<i64> = match (scanned.present, scanned.changed) {
                _ if all.is_empty() => HashSet::new(),
                (Some(present), _) => present.iter().copied().collect(),
                (None, Some(_)) => {
                    let batch = context.server.options.batch();
                    let visible = |some| {
                        extract::visible_in(
                            &context.session,
                            &mapping.model,
                            some,
                            mapping.domain(),
                        )
                    };
                    let found: Result<Vec<_>, _> = all.chunks(batch).map(visible).collect();
                    found?.into_iter().flatten().collect()
                }
                (None, None) => {
                    ids(&mapping.model, mapping.domain().and(changed))?.into_iter().collect()
                }
            };
            gone.ids = all.into_iter().filter(|id| !inside.contains(id)).collect();
        }
        let Some((field, model)) = owner(targets.catalogue(), mapping)? else {
            return Ok(gone);
        };
        let owners = match scanned.changed.and_then(|changed| changed.behind(&field)) {
            Some(changed) => changed.to_vec(),
            None => ids(&model, Domain::leaf("write_date", ">=", time))?,
        };
        for owners in owners.chunks(OWNERS) {
            let theirs = Domain::leaf(&field, "in", owners.iter().copied().collect::<Value>());
            let parts = ids(&mapping.model, mapping.domain().and(theirs))?;
            gone.parts.push((owners.to_vec(), parts));
        }
        Ok(gone)
    }

    /// Returns how many rows.
    pub fn delete(
        self,
        context: &Context,
        dataset: &'static Dataset,
        feed: usize,
    ) -> Result<i64, Failure> {
        let (schema, clock) = (context.schema(), context.clock_of_history(dataset)?);
        let mut deleted = deletes::rows(schema, dataset, feed, &self.ids, clock)?;
        for (owners, parts) in self.parts {
            let column = dataset.owner.unwrap_or_default();
            deleted += deletes::vanished_parts(schema, dataset, feed, column, &owners, &parts)?;
        }
        Ok(deleted)
    }
}

/// Refuses to believe that a table which has rows has lost all of them.
pub fn refuse_empty(schema: &str, dataset: &Dataset, feed: usize) -> Result<(), Failure> {
    let rows = deletes::count_rows(schema, dataset, feed)?;
    if rows < MANY {
        return Ok(());
    }
    let table = qualified(schema, dataset.table);
    Err(Failure::new(
        State::ERRCODE_DATA_EXCEPTION,
        format!("Odoo shows none of the {rows} records of {}", dataset.table),
    )
    .detail("Nothing was deleted.")
    .hint(format!(
        "Check the rights and the companies of the Odoo user; if the records are gone indeed, empty {table} by hand."
    )))
}

//! odoo_read, odoo_search and odoo_count: records of any model, as they are.

use std::mem;

use pgrx::JsonB;
use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use super::arguments::{Members, not_negative, object, required};
use super::domain;
use crate::extract::{self, Ids, PageSize, Pages};
use crate::failure::{Failure, OrRaise, notice};
use crate::odoo::{Domain, EXAMPLES, Error, Fields, Model, Value};
use crate::server::{Server, Session};

/// The records of a model that meet a domain, each as Odoo's `read` returns it. Pages are read
/// while earlier ones are taken, and no more than a few are held.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn odoo_read(
    model: Option<&str>,
    domain: Option<&str>,
    fields: Option<Vec<Option<String>>>,
    max_rows: Option<i64>,
    skip_rows: Option<i64>,
    order_by: Option<&str>,
    server: Option<&str>,
    context: Option<JsonB>,
) -> TableIterator<'static, (name!(id, i64), name!(data, JsonB))> {
    let request = || {
        let search = Search::new(model, domain, order_by, max_rows, skip_rows, context)?;
        let server = Server::named_or_only(server)?;
        let session = server.session()?;
        let is_chosen = fields.is_some();
        let (mut fields, is_dated) = choose_fields(&session, &search.model, fields)?;
        let (model, context) = (search.model.clone(), search.context.clone());
        let ids = search.run(&session, move |model, search| {
            let Search { domain, order, offset, limit, .. } = search;
            model.search_to_read(domain, order.as_deref(), offset, limit, is_dated)
        })?;
        if !is_chosen {
            leave_out_refused(&session, &model, &ids[..ids.len().min(EXAMPLES)], &mut fields)?;
        }
        let size = PageSize::new(Some(server.options.batch()));
        let read = extract::values(&model, fields, context);
        let pages = Pages::new(&session, Ids::known(ids), read, size);
        Ok(Records { session, pages, records: Vec::new().into_iter() })
    };
    TableIterator::new(request().or_raise())
}

/// The ids of the records that meet a domain.
#[pg_extern(sql = false)]
fn odoo_search(
    model: Option<&str>,
    domain: Option<&str>,
    order_by: Option<&str>,
    max_rows: Option<i64>,
    skip_rows: Option<i64>,
    server: Option<&str>,
    context: Option<JsonB>,
) -> SetOfIterator<'static, i64> {
    let search = || {
        let search = Search::new(model, domain, order_by, max_rows, skip_rows, context)?;
        search.run(&Server::named_or_only(server)?.session()?, |model, search| {
            model.search(search.domain, search.order.as_deref(), search.offset, search.limit)
        })
    };
    SetOfIterator::new(search().or_raise())
}

/// How many records meet a domain.
#[pg_extern(sql = false)]
fn odoo_count(
    model: Option<&str>,
    domain: Option<&str>,
    server: Option<&str>,
    context: Option<JsonB>,
) -> i64 {
    let count = || {
        let Search { model, domain, context, .. } =
            Search::new(model, domain, None, None, None, context)?;
        let session = Server::named_or_only(server)?.session()?;
        session.call(move |odoo| odoo.model(&model).with_context(context).count(domain))
    };
    count().or_raise()
}

/// Which records are meant, as the functions' arguments say.
struct Search {
    model: String,
    domain: Domain,
    order: Option<String>,
    limit: Option<i64>,
    offset: i64,
    context: Members,
}

impl Search {
    fn new(
        model: Option<&str>,
        domain: Option<&str>,
        order: Option<&str>,
        limit: Option<i64>,
        offset: Option<i64>,
        context: Option<JsonB>,
    ) -> Result<Search, Failure> {
        Ok(Search {
            model: required("model", model)?.to_owned(),
            domain: domain::argument(domain)?,
            order: order.map(str::to_owned),
            limit: not_negative("max_rows", limit)?,
            offset: not_negative("skip_rows", offset)?.unwrap_or(0),
            context: object("context", context)?,
        })
    }

    fn run(
        mut self,
        session: &Session,
        search: impl FnOnce(Model<'_>, Search) -> Result<Vec<i64>, Error> + Send + 'static,
    ) -> Result<Vec<i64>, Failure> {
        // Odoo takes 0 for "no limit".
        if self.limit == Some(0) {
            return Ok(Vec::new());
        }
        session.call(move |odoo| {
            let (name, context) = (mem::take(&mut self.model), mem::take(&mut self.context));
            search(odoo.model(&name).with_context(context), self)
        })
    }
}

/// The fields asked for, or all that are stored and readable, without binary ones: computing
/// the others may be slow, or fail. Says too whether records tell when they changed.
fn choose_fields(
    session: &Session,
    model: &str,
    wanted: Option<Vec<Option<String>>>,
) -> Result<(Vec<String>, bool), Failure> {
    let name = model.to_owned();
    let known = session.call(move |odoo| odoo.model(&name).fields())?;
    let chosen = match wanted {
        None => Ok(known
            .sorted()
            .into_iter()
            .filter(|(_, field)| field.is_kept() && field.type_name != "binary")
            .map(|(name, _)| name.to_owned())
            .collect()),
        Some(wanted) => {
            let wanted: Vec<String> = wanted.into_iter().flatten().collect();
            match wanted.iter().find(|name| !known.contains(name)) {
                Some(unknown) => Err(unknown_field(model, unknown, &known)),
                None => Ok(wanted),
            }
        }
    };
    Ok((chosen?, known.contains("write_date")))
}

/// Of the fields that nobody asked for, those that lead to records which the user may not read.
fn leave_out_refused(
    session: &Session,
    model: &str,
    ids: &[i64],
    fields: &mut Vec<String>,
) -> Result<(), Failure> {
    let (name, ids, asked) = (model.to_owned(), ids.to_vec(), fields.clone());
    let refused = session.call(move |odoo| odoo.model(&name).refused(&ids, &asked))?;
    if !refused.is_empty() {
        fields.retain(|field| !refused.contains(field));
        notice!("{model}: left out {}, which the Odoo user may not read", refused.join(", "));
    }
    Ok(())
}

fn unknown_field(model: &str, name: &str, known: &Fields) -> Failure {
    let near: Vec<_> = known
        .sorted()
        .into_iter()
        .map(|(other, _)| other)
        .filter(|other| similar(name, other))
        .take(5)
        .collect();
    let hint = match near.is_empty() {
        true => format!(
            "Its fields: SELECT data FROM odoo_read('ir.model.fields', '[[\"model\", \"=\", \"{model}\"]]', fields => '{{name,ttype}}');"
        ),
        false => format!("Perhaps you meant {}.", near.join(", ")),
    };
    Failure::new(
        State::ERRCODE_FDW_COLUMN_NAME_NOT_FOUND,
        format!("model {model} has no field \"{name}\", or none that the Odoo user may read"),
    )
    .hint(hint)
}

/// Whether one name holds the other, or they differ in a letter or two.
fn similar(one: &str, other: &str) -> bool {
    let contained =
        one.len() >= 3 && (other.contains(one) || one.contains(other) && other.len() >= 3);
    contained || strsim::levenshtein(one, other) <= 2
}

/// Records on their way, page by page.
struct Records {
    session: Session,
    pages: Pages<Vec<Value>>,
    records: std::vec::IntoIter<Value>,
}

impl Records {
    /// The next page; `None` at the end.
    fn next_page(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        match self.pages.next(&self.session)? {
            None => Ok(None),
            Some((_, page)) => Ok(Some(page?)),
        }
    }
}

impl Iterator for Records {
    type Item = (i64, JsonB);

    fn next(&mut self) -> Option<(i64, JsonB)> {
        loop {
            if let Some(record) = self.records.next() {
                let id = record.get("id").and_then(Value::as_int).unwrap_or(0);
                return Some((id, JsonB(record.into_json())));
            }
            self.records = self.next_page().or_raise()?.into_iter();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        assert!(similar("pric", "list_price") && similar("emial", "email"));
        assert!(!similar("xyz", "email") && !similar("id", "partner_id"));
    }
}

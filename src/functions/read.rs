//! odoo_read: records of any model, as they are.

use std::collections::VecDeque;

use pgrx::JsonB;
use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use crate::failure::{Failure, OrRaise};
use crate::odoo::{Domain, Fields, Value};
use crate::server::{Server, Session, Ticket};

/// The records of a model that meet a domain, each as Odoo's `read` returns it. Pages are read
/// while earlier ones are taken, and no more than a few are held.
#[pg_extern]
#[search_path(pg_catalog, pg_temp)]
fn odoo_read(
    model: Option<&str>,
    domain: default!(Option<&str>, "'[]'"),
    fields: default!(Option<Vec<Option<String>>>, "NULL"),
    max_rows: default!(Option<i64>, "NULL"),
    skip_rows: default!(Option<i64>, "NULL"),
    order_by: default!(Option<&str>, "'id'"),
    server: default!(Option<&str>, "NULL"),
) -> TableIterator<'static, (name!(id, i64), name!(data, JsonB))> {
    let request = || {
        let model = model.ok_or_else(|| Failure::null_argument("model"))?;
        let domain = domain.ok_or_else(|| Failure::null_argument("domain"))?;
        let domain = Domain::parse(domain).map_err(|error| Failure::domain(domain, &error))?;
        let max_rows = not_negative("max_rows", max_rows)?;
        let skip_rows = not_negative("skip_rows", skip_rows)?.unwrap_or(0);
        let server = Server::named_or_only(server)?;
        let session = server.session()?;
        let fields = choose_fields(&session, model, fields)?;
        let ids = match max_rows {
            // Odoo takes 0 for "no limit".
            Some(0) => Vec::new(),
            limit => {
                let (model, order) = (model.to_owned(), order_by.map(str::to_owned));
                session.call(move |odoo| {
                    odoo.model(&model).search(domain, order.as_deref(), skip_rows, limit)
                })?
            }
        };
        let page_size = server.options.batch();
        Ok(Records::new(session, model.to_owned(), fields, ids, page_size))
    };
    TableIterator::new(request().or_raise())
}

fn not_negative(name: &str, value: Option<i64>) -> Result<Option<i64>, Failure> {
    match value {
        Some(..0) => Err(Failure::new(
            State::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("{name} must not be negative"),
        )),
        _ => Ok(value),
    }
}

/// The fields asked for, or all that are stored and readable, without binary ones: computing
/// the others may be slow, or fail.
fn choose_fields(
    session: &Session,
    model: &str,
    wanted: Option<Vec<Option<String>>>,
) -> Result<Vec<String>, Failure> {
    let name = model.to_owned();
    let known = session.call(move |odoo| odoo.model(&name).fields())?;
    match wanted {
        None => Ok(known
            .sorted()
            .into_iter()
            .filter(|(_, field)| field.stored && field.type_name != "binary")
            .map(|(name, _)| name.to_owned())
            .collect()),
        Some(wanted) => {
            let wanted: Vec<String> = wanted.into_iter().flatten().collect();
            match wanted.iter().find(|name| !known.contains(name)) {
                Some(unknown) => Err(unknown_field(model, unknown, &known)),
                None => Ok(wanted),
            }
        }
    }
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
    contained || distance(one, other) <= 2
}

/// The edit distance of Levenshtein.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            let best = replaced.min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[other.len()]
}

/// Records on their way, page by page.
struct Records {
    session: Session,
    model: String,
    fields: Vec<String>,
    ids: VecDeque<i64>,
    page_size: usize,
    pages: VecDeque<Ticket<Vec<Value>>>,
    records: std::vec::IntoIter<Value>,
}

impl Records {
    fn new(
        session: Session,
        model: String,
        fields: Vec<String>,
        ids: Vec<i64>,
        page_size: usize,
    ) -> Records {
        Records {
            session,
            model,
            fields,
            ids: ids.into(),
            page_size,
            pages: VecDeque::new(),
            records: Vec::new().into_iter(),
        }
    }

    /// The next page; `None` at the end.
    fn next_page(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        while self.pages.len() < self.session.readers() && !self.ids.is_empty() {
            let amount = self.ids.len().min(self.page_size);
            let ids: Vec<i64> = self.ids.drain(..amount).collect();
            let (model, fields) = (self.model.clone(), self.fields.clone());
            let page =
                move |odoo: &crate::odoo::Connection| odoo.model(&model).read_values(ids, &fields);
            self.pages.push_back(self.session.submit(page)?);
        }
        self.pages.pop_front().map(Ticket::wait).transpose()
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
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}

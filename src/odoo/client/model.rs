//! One model of Odoo: search, count, read, describe.

use crate::odoo::client::connection::Connection;
use crate::odoo::domain::tree::Domain;
use crate::odoo::error::Error;
use crate::odoo::fault::{Fault, FaultKind};
use crate::odoo::fields::{ATTRIBUTES, FieldType, Fields, MORE_ATTRIBUTES};
use crate::odoo::page::{columns::Page, page_sink::PageSink};
use crate::odoo::sink::{Refusal, Sink};
use crate::odoo::value::{Value, ValueSink};
use crate::odoo::wire::request::Request;

/// Before every id: views over several models tell their records apart by negative ones.
pub const BEFORE_ALL: i64 = -i64::MAX;

/// Ids from one on, or behind it. Before all there is the lowest that a column of ids can hold: up
/// to 18 Odoo hands ids to its database as texts, and one beyond that is an error; and a condition
/// that every id meets is none to 19.
pub fn ids(operator: &str, id: i64) -> Domain {
    match id {
        BEFORE_ALL => Domain::leaf("id", ">=", i64::from(i32::MIN)),
        id => Domain::leaf("id", operator, id),
    }
}

/// Models that have no archived records, but values that Odoo computes of what is active: a session
/// counts the cash of its payment method, not of one that was replaced.
const OF_ACTIVE: &[&str] = &["pos.session"];

/// So many records tell what is refused of a model; few computed values fail in some of them alone.
pub const EXAMPLES: usize = 100;

/// A model such as `res.partner`, seen through a connection.
///
/// Every method fails with [`Error::Fault`] where Odoo refuses: of kind `UnknownModel` if the
/// model's module is not installed, `Access` if the user may not read it.
pub struct Model<'c> {
    connection: &'c Connection,
    name: &'c str,
    company: Option<i64>,
    context: Vec<(String, Value)>,
}

/// The method that describes a model's fields.
const FIELDS: &str = "fields_get";

/// Its arguments for as little as there is to tell.
fn one() -> Vec<(&'static str, Value)> {
    let list = |name: &str| [name].into_iter().collect();
    vec![("allfields", list("id")), ("attributes", list("type"))]
}

impl Connection {
    pub fn model<'c>(&'c self, name: &'c str) -> Model<'c> {
        Model { connection: self, name, company: None, context: Vec::new() }
    }
}

impl<'c> Model<'c> {
    /// The model as a company sees it: fields that depend on the company have its values.
    pub fn of_company(self, company: Option<i64>) -> Model<'c> {
        Model { company, ..self }
    }

    /// The model in a context with these members too; they replace those of the same name.
    pub fn with_context(self, context: Vec<(String, Value)>) -> Model<'c> {
        Model { context, ..self }
    }

    /// The ids of the records that meet the domain, archived ones included.
    ///
    /// `order` is Odoo's syntax (`name desc, id`); without one the order is the model's own,
    /// which may not be unique. No limit means all.
    pub fn search(
        &self,
        domain: Domain,
        order: Option<&str>,
        offset: i64,
        limit: Option<i64>,
    ) -> Result<Vec<i64>, Error> {
        let mut kwargs = vec![("offset", Value::Int(offset))];
        kwargs.extend(limit.map(|limit| ("limit", Value::Int(limit))));
        kwargs.extend(order.map(|order| ("order", Value::from(order))));
        let found = self.ask("search", vec![("domain", domain.into_value())], kwargs)?;
        self.ids("search", &found)
    }

    /// The ids above `after` in their order, `limit` at most: pages that neither skip nor repeat.
    ///
    /// # Errors
    /// [`Error::RepeatedIds`] if ids repeat, in the page or from it to its neighbours.
    pub fn search_after(
        &self,
        domain: Domain,
        after: i64,
        limit: usize,
    ) -> Result<Vec<i64>, Error> {
        // The last one of the page before comes again, and may do so once.
        let page = domain.and(ids(">=", after));
        let mut ids = self.search(page, Some("id"), 0, i64::try_from(limit + 1).ok())?;
        self.require_distinct(&ids)?;
        if ids.first() == Some(&after) {
            ids.remove(0);
        }
        ids.truncate(limit);
        Ok(ids)
    }

    /// As [`Model::search`], of records that are to be read one by one. Models that are views have
    /// no write_date: `is_dated` tells.
    ///
    /// # Errors
    /// [`Error::RepeatedIds`] if an id is that of several records.
    pub fn search_to_read(
        &self,
        domain: Domain,
        order: Option<&str>,
        offset: i64,
        limit: Option<i64>,
        is_dated: bool,
    ) -> Result<Vec<i64>, Error> {
        let ids = self.search(domain, order, offset, limit)?;
        self.require_distinct(&ids)?;
        // Of a part only the ids themselves may tell that there are more records with them.
        if !is_dated && !ids.is_empty() && (offset > 0 || limit.is_some()) {
            let same = Domain::leaf("id", "in", ids.iter().copied().collect::<Value>());
            self.require_distinct(&self.search(same, Some("id"), 0, None)?)?;
        }
        Ok(ids)
    }

    /// Refuses ids that repeat.
    fn require_distinct(&self, ids: &[i64]) -> Result<(), Error> {
        let mut sorted = ids.to_vec();
        sorted.sort_unstable();
        match sorted.array_windows().any(|[one, next]| one == next) {
            true => Err(Error::RepeatedIds { model: self.name.to_owned() }),
            false => Ok(()),
        }
    }

    /// The first record that meets the domain, archived ones included: its fields as values.
    pub fn first(&self, domain: Domain, fields: &[&str]) -> Result<Option<Value>, Error> {
        let args = vec![("domain", domain.into_value())];
        let fields = fields.iter().copied().collect();
        let kwargs = vec![("fields", fields), ("order", "id".into()), ("limit", Value::Int(1))];
        let found = self.ask("search_read", args, kwargs)?;
        let records = found
            .as_array()
            .ok_or_else(|| self.unexpected("search_read", Refusal("no list of records".into())))?;
        Ok(records.first().cloned())
    }

    /// How many records meet the domain, archived ones included.
    pub fn count(&self, domain: Domain) -> Result<i64, Error> {
        let args = vec![("domain", domain.into_value())];
        let count = self.ask("search_count", args, Vec::new())?;
        count.as_int().ok_or_else(|| self.unexpected("search_count", Refusal("no number".into())))
    }

    /// The records' fields as columns. Records that are gone are not in the page.
    ///
    /// Many2one fields come as bare ids (`load=''`), which spares Odoo the names.
    pub fn read(&self, ids: Vec<i64>, fields: &[(&str, FieldType)]) -> Result<Page, Error> {
        let names = fields.iter().map(|(name, _)| *name).collect();
        let sink = self.read_into(ids, names, || PageSink::new(fields.iter().copied()))?;
        sink.finish().map_err(|refusal| self.unexpected("read", refusal))
    }

    /// The first records above `after` that meet the domain, in the order of their ids, with one
    /// request.
    ///
    /// Odoo 14 knows no `load` here, and x2many fields would lack archived records: `search_read`
    /// takes `active_test` from the context before it reads. Both are the caller's to avoid.
    pub fn search_read(
        &self,
        domain: Domain,
        after: i64,
        fields: &[(&str, FieldType)],
        limit: usize,
    ) -> Result<Page, Error> {
        let domain = domain.and(ids(">", after));
        let names = fields.iter().map(|(name, _)| *name).collect();
        let kwargs = vec![
            ("fields", names),
            ("order", "id".into()),
            ("limit", Value::Int(i64::try_from(limit).unwrap_or(i64::MAX))),
            ("load", "".into()),
        ];
        let args = vec![("domain", domain.into_value())];
        let request = self.reading("search_read", None, args, kwargs)?;
        let sink = self.look(&request, || PageSink::new(fields.iter().copied()))?;
        let page = sink.finish().map_err(|refusal| self.unexpected("search_read", refusal))?;
        self.require_distinct(&page.ids())?;
        Ok(page)
    }

    /// The records' fields as values, one struct per record.
    pub fn read_values(&self, ids: Vec<i64>, fields: &[String]) -> Result<Vec<Value>, Error> {
        let names = fields.iter().map(String::as_str).collect();
        match self.read_into(ids, names, ValueSink::default)?.finish() {
            Value::Array(records) => Ok(records),
            _ => Err(self.unexpected("read", Refusal("no list of records".into()))),
        }
    }

    /// Ids from both ends of all records, by which to find what is refused of some.
    pub fn examples(&self) -> Result<Vec<i64>, Error> {
        let half = (EXAMPLES / 2) as i64;
        let end = |order| self.search(ids(">=", BEFORE_ALL), Some(order), 0, Some(half));
        let mut examples = end("id")?;
        if examples.len() as i64 == half {
            let others = end("id desc")?.into_iter().filter(|id| !examples.contains(id));
            examples.extend(others.collect::<Vec<_>>());
        }
        Ok(examples)
    }

    /// Those of the fields that Odoo describes, and yet refuses to the user in some of the
    /// records: found by reading them, where that is refused in halves.
    pub fn refused(&self, ids: &[i64], fields: &[String]) -> Result<Vec<String>, Error> {
        if ids.is_empty() || fields.is_empty() {
            return Ok(Vec::new());
        }
        let is_refused = match self.read_values(ids.to_vec(), fields) {
            Ok(_) => false,
            Err(Error::Fault(fault)) if fault.kind == FaultKind::Access => true,
            // What faults otherwise tells nothing of rights; to look for the record would cost a
            // request for each.
            Err(Error::Fault(_)) if ids.len() > 1 => return self.refused(&ids[..1], fields),
            Err(Error::Fault(_)) => false,
            Err(error) => return Err(error),
        };
        match (is_refused, fields) {
            (false, _) => Ok(Vec::new()),
            (true, [only]) => Ok(vec![only.clone()]),
            (true, _) => {
                let (one, other) = fields.split_at(fields.len() / 2);
                Ok([self.refused(ids, one)?, self.refused(ids, other)?].concat())
            }
        }
    }

    fn read_into<S: Sink>(
        &self,
        ids: Vec<i64>,
        fields: Value,
        sink: impl Fn() -> S,
    ) -> Result<S, Error> {
        let kwargs = vec![("fields", fields), ("load", "".into())];
        self.look(&self.reading("read", Some(ids), Vec::new(), kwargs)?, sink)
    }

    /// The fields that the user may read.
    pub fn fields(&self) -> Result<Fields, Error> {
        Fields::from_value(self.describe()?).ok_or_else(|| self.no_description())
    }

    /// The same with all that is known of them.
    pub fn fields_in_full(&self) -> Result<Fields, Error> {
        let all: Vec<&str> = ATTRIBUTES.iter().chain(MORE_ATTRIBUTES).copied().collect();
        Fields::from_value(self.attributes(&all)?).ok_or_else(|| self.no_description())
    }

    /// The same as Odoo tells it, fit for [`Fields::from_value`].
    pub fn describe(&self) -> Result<Value, Error> {
        self.attributes(ATTRIBUTES)
    }

    /// What Odoo says of the fields that the user may read: a struct of structs.
    pub fn attributes(&self, attributes: &[&str]) -> Result<Value, Error> {
        let attributes = attributes.iter().copied().collect();
        let answer = self.ask(FIELDS, Vec::new(), vec![("attributes", attributes)])?;
        match &answer {
            Value::Struct(_) => Ok(answer),
            _ => Err(self.no_description()),
        }
    }

    fn no_description(&self) -> Error {
        self.unexpected("fields_get", Refusal("no description of fields".into()))
    }

    /// Calls a method that only reads.
    pub fn ask(
        &self,
        method: &str,
        args: Vec<(&'static str, Value)>,
        kwargs: Vec<(&str, Value)>,
    ) -> Result<Value, Error> {
        let request = self.reading(method, None, args, kwargs)?;
        Ok(self.look(&request, ValueSink::default)?.finish())
    }

    pub(super) fn look<S: Sink>(
        &self,
        request: &Request,
        sink: impl Fn() -> S,
    ) -> Result<S, Error> {
        self.connection.read(request, sink).map_err(|error| self.explained(error, &request.method))
    }

    /// What Odoo says of a model that it lacks it says of other mistakes too, and in the user's
    /// language. So the model is asked for its fields, which needs no right; and if it has none,
    /// one that is always there, lest the trouble is another.
    pub(super) fn explained(&self, error: Error, method: &str) -> Error {
        let is_users = |error: &Error| error.fault_kind() == Some(&FaultKind::User);
        let is_refused = |name| {
            let asked = self.connection.model(name).reading(FIELDS, None, Vec::new(), one());
            let asked = asked.and_then(|asked| self.connection.read(&asked, || ()));
            asked.is_err_and(|error| is_users(&error))
        };
        match error {
            Error::Fault(fault)
                if fault.kind == FaultKind::User
                    && (method == FIELDS || is_refused(self.name))
                    && !is_refused("ir.model") =>
            {
                Error::Fault(Fault { kind: FaultKind::UnknownModel, ..fault })
            }
            error => error,
        }
    }

    /// A request that only reads: archived records are records too.
    pub(super) fn reading(
        &self,
        method: &str,
        ids: Option<Vec<i64>>,
        args: Vec<(&'static str, Value)>,
        kwargs: Vec<(&str, Value)>,
    ) -> Result<Request, Error> {
        let kwargs = kwargs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let is_of_active = Value::Bool(OF_ACTIVE.contains(&self.name));
        let archived = ("active_test".to_owned(), is_of_active);
        let request = self.request(method, ids, args, kwargs, vec![archived])?;
        Ok(Request { changes: false, ..request })
    }

    /// A request that may change something.
    pub(super) fn request(
        &self,
        method: &str,
        ids: Option<Vec<i64>>,
        args: Vec<(&'static str, Value)>,
        mut kwargs: Vec<(String, Value)>,
        mut context: Vec<(String, Value)>,
    ) -> Result<Request, Error> {
        // As Odoo names models; JSON-2 makes an address of it.
        let usual = |c: char| c.is_ascii_alphanumeric() || "._".contains(c);
        if self.name.is_empty() || !self.name.chars().all(usual) {
            return Err(Error::Name { what: "model", name: self.name.to_owned() });
        }
        context.extend(self.connection.context(self.company)?);
        context.retain(|(name, _)| self.context.iter().all(|(other, _)| other != name));
        context.extend(self.context.iter().cloned());
        kwargs.push(("context".to_owned(), Value::Struct(context)));
        let (model, method) = (self.name.to_owned(), method.to_owned());
        Ok(Request { model, method, ids, args, kwargs, changes: true })
    }

    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    pub(super) fn name(&self) -> &'c str {
        self.name
    }

    /// The list of ids that a method returned.
    pub(super) fn ids(&self, method: &str, found: &Value) -> Result<Vec<i64>, Error> {
        let ids = found.as_array().map(|ids| ids.iter().map(Value::as_int).collect());
        ids.flatten().ok_or_else(|| self.unexpected(method, Refusal("no list of ids".into())))
    }

    pub(super) fn unexpected(&self, method: &str, refusal: Refusal) -> Error {
        Error::Malformed {
            protocol: self.connection.protocol(),
            status: 200,
            content_type: "(decoded)".into(),
            reason: format!("{}.{method} returned {}", self.name, refusal.0),
            beginning: String::new(),
        }
    }
}

//! Rows of a table as they would be loaded now, without the table.

use std::collections::HashMap;
use std::rc::Rc;

use pgrx::prelude::*;
use pgrx::{PgBuiltInOids, PgSqlErrorCode as State};

use crate::extract::bisect;
use crate::extract::{self, Ids, PageSize, Pages};
use crate::failure::{Cause, Failure, OrRaise, Unreadable, notice};
use crate::odoo::{Cells, Domain, Error, FieldType, Identity, Page};
use crate::pg;
use crate::quote::ident;
use crate::server::{Server, Session};
use crate::sync::load::loader::{argument, ids};
use crate::sync::load::statements::{Target, carrier};
use crate::sync::mapping::catalogue::Catalogue;
use crate::sync::mapping::feed::Mapping;
use crate::sync::mapping::filter;
use crate::sync::mapping::refused::Refused;
use crate::sync::transform::companies::with_companies;
use crate::sync::transform::related::Lookups;
use crate::sync::transform::rows::{Context, Rows};
use crate::sync::transform::zones::Zones;
use crate::warehouse::{self, Column, Dataset, Source, SqlType};

/// The feed that is read; of orders it is that of the points of sale.
const FEED: usize = 0;

/// Which rows are read.
pub struct Request<'a> {
    pub table: &'a str,
    /// Records that changed then or later (`2024-01-31 23:59:59`, in UTC).
    pub since: Option<&'a str>,
    /// A domain over the table's columns.
    pub filters: Domain,
    pub max_rows: Option<i64>,
}

/// Rows on their way, page by page, each as a line of JSON.
pub struct Live {
    reader: Reader,
    mapping: Mapping,
    inherited: Vec<Inherited>,
    pages: Pages<Page>,
    lines: std::vec::IntoIter<String>,
    /// What was left out of models.
    refused: HashMap<String, Refused>,
}

/// What turns records into rows.
struct Reader {
    session: Rc<Session>,
    identity: Identity,
    lookups: Lookups,
    zones: Zones,
}

/// A column that shows a value of the row that a reference points to.
struct Inherited {
    column: &'static Column,
    reference: &'static str,
    /// How that value is read; `None` if Odoo has no such model.
    mapping: Option<Mapping>,
}

impl Live {
    /// Begins to read; `None` if Odoo has no model for the table.
    pub fn begin(server: &Server, request: Request<'_>) -> Result<Option<Live>, Failure> {
        let dataset =
            warehouse::dataset(request.table).ok_or_else(|| unknown_table(request.table))?;
        let session = Rc::new(server.session()?);
        let identity = session.call(|odoo| odoo.identity())?;
        let mut catalogue = Catalogue::new(session.clone());
        let Some(mapping) = Mapping::make(dataset, FEED, &mut catalogue)? else {
            notice!("Odoo has no model {}", dataset.feeds[FEED].models.join(" or "));
            return Ok(None);
        };
        let domain = filter::domain(&mapping, request.since, request.filters)?;
        let inherited = Inherited::all(dataset, &mut catalogue)?;
        let mut lookups = Lookups::new(session.clone(), server.options.batch());
        lookups.announce(&mapping);
        let ids = match request.max_rows {
            // Odoo takes 0 for "no limit".
            Some(0) => Vec::new(),
            limit => {
                let (model, is_dated) = (mapping.model.clone(), mapping.is_dated);
                session.call(move |odoo| {
                    odoo.model(&model).search_to_read(domain, Some("id"), 0, limit, is_dated)
                })?
            }
        };
        let zones = Zones::new(&server.options.timezone);
        let size = PageSize::new(Some(server.options.batch()));
        let read = extract::columns(&mapping.model, mapping.fields());
        Ok(Some(Live {
            pages: Pages::new(&session, Ids::known(ids), read, size),
            reader: Reader { session, identity, lookups, zones },
            mapping,
            inherited,
            lines: Vec::new().into_iter(),
            refused: HashMap::new(),
        }))
    }

    /// The lines of the next page; `None` at the end. Fields that no record can be read with are
    /// done without from then on.
    fn next_page(&mut self) -> Result<Option<Vec<String>>, Failure> {
        while let Some((ids, page)) = self.pages.next(&self.reader.session)? {
            match self.lines_of(&ids, page) {
                Err(failure) => self.leave_out(ids, failure)?,
                lines => return lines.map(Some),
            }
        }
        Ok(None)
    }

    fn lines_of(&mut self, ids: &[i64], page: Result<Page, Error>) -> Result<Vec<String>, Failure> {
        let Live { reader, mapping, inherited, .. } = self;
        let page = match page {
            Ok(page) => page,
            Err(error) => reader.recover(mapping, ids.to_vec(), error)?,
        };
        let rows = reader.rows(mapping, page)?;
        let more = inherited.iter().map(|column| column.values(mapping, &rows, reader));
        let more = more.collect::<Result<Vec<_>, _>>()?;
        let sql = statement(mapping.dataset, inherited);
        pg::in_own_memory(|| lines(&sql, mapping.dataset, &rows, inherited, &more))
    }

    /// Begins anew with a page, without the fields that it failed for.
    fn leave_out(&mut self, ids: Vec<i64>, failure: Failure) -> Result<(), Failure> {
        let Cause::Fields(unreadable) = &failure.cause else {
            return Err(failure);
        };
        let Unreadable { model, fields } = unreadable.as_ref();
        let refused = fields.iter().cloned().collect();
        if !self.refused.entry(model.clone()).or_default().add(model, Refused::of_fields(refused)) {
            return Err(failure);
        }
        let inherited =
            self.inherited.iter_mut().filter_map(|inherited| inherited.mapping.as_mut());
        [&mut self.mapping]
            .into_iter()
            .chain(inherited)
            .for_each(|mapping| mapping.leave_out(model, fields));
        self.pages.begin_anew(ids, extract::columns(&self.mapping.model, self.mapping.fields()));
        Ok(())
    }
}

impl Iterator for Live {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            if let Some(line) = self.lines.next() {
                return Some(line);
            }
            self.lines = self.next_page().or_raise()?.into_iter();
        }
    }
}

impl Reader {
    fn rows(&mut self, mapping: &Mapping, page: Page) -> Result<Rows, Failure> {
        let page = with_companies(&self.session, &self.identity, mapping, page)?;
        let mut context = Context {
            companies: &self.identity.companies,
            lookups: &mut self.lookups,
            zones: &mut self.zones,
        };
        let rows = Rows::from_page(mapping, &page, &mut context);
        self.zones.warn();
        rows
    }

    /// The rows of those records that the user may see; none of a model that it may not read.
    fn parents(&mut self, mapping: &Mapping, ids: &[Option<i64>]) -> Result<Rows, Failure> {
        let mut ids: Vec<i64> = ids.iter().copied().flatten().collect();
        ids.sort_unstable();
        ids.dedup();
        let fields = mapping.fields();
        let page = match extract::visible(&self.session, &mapping.model, &ids) {
            Err(failure) if failure.is_denied() => {
                Page::new(fields.iter().map(|(name, kind)| (name.as_str(), *kind)))
            }
            ids => {
                let (session, model, ids) = (&self.session, &mapping.model, ids?);
                let page = extract::read(session, model, ids.clone(), &fields, None)?;
                let explain = |error| bisect::explain(session, model, &ids, &fields, error);
                page.outcome()?.map_err(explain)?
            }
        };
        self.rows(mapping, page)
    }

    /// What can be read of a page that faults; a warning names the rest.
    fn recover(&self, mapping: &Mapping, ids: Vec<i64>, error: Error) -> Result<Page, Failure> {
        let fields = mapping.fields();
        let recovered = bisect::recover(&self.session, &mapping.model, ids, &fields, error)?;
        for bad in recovered.bad {
            let lost = match &bad.field {
                Some(field) => format!("{field} of {} {} is NULL", mapping.model, bad.id),
                None => format!("{} {} is left out", mapping.model, bad.id),
            };
            Failure::new(State::ERRCODE_WARNING, lost).detail(bad.error).warn();
        }
        Ok(recovered.page)
    }
}

impl Inherited {
    fn all(dataset: &'static Dataset, catalogue: &mut Catalogue) -> Result<Vec<Self>, Failure> {
        let mut all = Vec::new();
        for column in dataset.value_columns() {
            let Source::Inherited { reference, column: shown, .. } = column.source else {
                continue;
            };
            let parent = dataset.column(reference).and_then(Column::refers_to);
            let mut mapping = match parent.and_then(warehouse::dataset) {
                Some(parent) => Mapping::make(parent, FEED, catalogue)?,
                None => None,
            };
            if let Some(mapping) = &mut mapping {
                mapping.columns.retain(|mapped| mapped.column.name == shown);
            }
            all.push(Inherited { column, reference, mapping });
        }
        Ok(all)
    }

    /// The value for each row.
    fn values(&self, child: &Mapping, rows: &Rows, reader: &mut Reader) -> Result<Cells, Failure> {
        let place = child.columns.iter().position(|p| p.column.name == self.reference);
        let (Some(mapping), Some(Cells::Integers(parents))) =
            (&self.mapping, place.and_then(|place| rows.columns.get(place)))
        else {
            return Ok(nothing(self.column.sql_type, rows.ids.len()));
        };
        let found = reader.parents(mapping, parents)?;
        let places: HashMap<i64, usize> =
            found.ids.iter().enumerate().map(|(row, id)| (*id, row)).collect();
        let mut values = nothing(self.column.sql_type, 0);
        for parent in parents {
            match parent.and_then(|parent| places.get(&parent)) {
                Some(row) => values.push_from(&found.columns[0], *row),
                None => values.push_null(),
            }
        }
        Ok(values)
    }
}

fn nothing(sql_type: SqlType, rows: usize) -> Cells {
    let field_type = match sql_type {
        SqlType::Bigint => FieldType::Integer,
        SqlType::Boolean => FieldType::Boolean,
        _ => FieldType::Text,
    };
    Cells::empty(field_type, rows)
}

/// What the rows of a table are made for, which go into none.
fn target(dataset: &'static Dataset) -> Target<'static> {
    Target { dataset, feed: FEED, schema: "", references: &[], key: &[], is_distributed: false }
}

/// Makes rows of the table's types of the loaded columns, and lines of JSON of these.
fn statement(dataset: &'static Dataset, inherited: &[Inherited]) -> String {
    let target = target(dataset);
    let first = dataset.loaded_columns().count() + 2;
    let more: Vec<_> = inherited.iter().enumerate().collect();
    let list = |part: &dyn Fn(usize, &Inherited) -> String| {
        more.iter().map(|(index, column)| part(*index, column)).collect::<String>()
    };
    let columns = live_columns(dataset).into_iter().map(|(name, _)| {
        match dataset.column(name).map(|column| column.source) {
            Some(Source::Generated(expression) | Source::Refreshed(expression)) => {
                format!("({expression}) AS {}", ident(name))
            }
            _ => ident(name),
        }
    });
    format!(
        "SELECT row_to_json(line)::text FROM (SELECT {columns} FROM (SELECT input.*{shown} \
         FROM ({input}) AS input JOIN unnest($1{parameters}) AS more (id{names}) USING (id)) AS input \
         ORDER BY id) AS line",
        columns = columns.collect::<Vec<_>>().join(", "),
        shown = list(&|_, inherited| {
            let name = ident(inherited.column.name);
            format!(", more.{name}::{} AS {name}", inherited.column.sql_type.name())
        }),
        input = target.input(),
        parameters = list(&|index, _| format!(", ${}", first + index)),
        names = list(&|_, inherited| format!(", {}", ident(inherited.column.name))),
    )
}

fn lines(
    sql: &str,
    dataset: &'static Dataset,
    rows: &Rows,
    inherited: &[Inherited],
    more: &[Cells],
) -> Result<Vec<String>, Failure> {
    let target = target(dataset);
    let more_types = inherited.iter().map(|inherited| carrier(inherited.column.sql_type));
    let types: Vec<_> = [PgBuiltInOids::INT8ARRAYOID]
        .into_iter()
        .chain(target.carriers())
        .chain(more_types)
        .map(PgBuiltInOids::oid)
        .collect();
    let columns = rows.columns.iter().chain(more).map(argument);
    let args: Vec<_> = [ids(&rows.ids)].into_iter().chain(columns).collect();
    Spi::connect(|client| {
        let prepared = client.prepare(sql, &types)?;
        let mut lines = Vec::with_capacity(rows.ids.len());
        for row in client.select(&prepared, None, &args)? {
            lines.extend(row.get::<String>(1)?);
        }
        Ok(lines)
    })
}

/// The columns of a table that Odoo's records make, in its order: all but those that tell what
/// became of a row here.
pub fn live_columns(dataset: &Dataset) -> Vec<(&'static str, SqlType)> {
    let own = |(name, _): &(&str, SqlType)| !matches!(*name, "deleted_at" | "synced_at");
    dataset.all_columns().into_iter().filter(own).collect()
}

fn unknown_table(name: &str) -> Failure {
    let tables: Vec<_> = warehouse::datasets().map(|dataset| dataset.table).collect();
    let message = format!("\"{name}\" is no table of the warehouse");
    Failure::new(State::ERRCODE_INVALID_PARAMETER_VALUE, message)
        .hint(format!("Tables: {}.", tables.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each type in sql/live.sql stands for.
    const TYPES: [(&str, &str); 6] = [
        ("odoo_pos_order", "all_sales"),
        ("odoo_product", "dim_products"),
        ("odoo_partner", "dim_customers"),
        ("odoo_employee", "dim_employees"),
        ("odoo_quant", "fact_stock"),
        ("odoo_promotion", "dim_promotions"),
    ];

    #[test]
    fn the_types_have_the_columns_of_the_tables() {
        let sql = include_str!("../../../sql/live.sql");
        assert_eq!(sql.matches("CREATE TYPE").count(), TYPES.len());
        for (name, table) in TYPES {
            let (_, rest) = sql.split_once(&format!("CREATE TYPE {name} AS (")).expect(name);
            let (body, _) = rest.split_once(");").expect(name);
            let declared: Vec<_> = body.split(',').map(str::trim).map(str::to_owned).collect();
            let expected: Vec<_> = live_columns(warehouse::dataset(table).expect(table))
                .into_iter()
                .map(|(name, sql_type)| format!("{name} {}", sql_type.name()))
                .collect();
            assert_eq!(declared, expected, "{name}");
        }
    }
}

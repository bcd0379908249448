//! Views over the tables of servers, in a schema that a user names. They are ordinary views of whoever
//! has them made; the comment of each, and of a schema that is made for them, has a mark by which
//! they are known again.

use std::collections::HashMap;

use std::slice;

use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode as State, pg_sys};

use crate::failure::{Failure, notice};
use crate::pg::{self, Relation};
use crate::query::{self, require_writable};
use crate::quote::{ident, literal};
use crate::server::Server;
use crate::state::Store;
use crate::warehouse::dataset;
use crate::warehouse::ddl::qualified;

/// How the mark begins; of what it is a report follows.
const MARK: &str = "(odoo_etl: report of ";

/// What is said of a relation, and of a column of it.
const ABOUT: &str = "SELECT obj_description($1, 'pg_class')";
const COMMENTS: &str = "SELECT attname::text, col_description(attrelid, attnum) \
    FROM pg_catalog.pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped";

/// Where views are made, and over what.
pub struct Place<'a> {
    pub schema: &'a str,
    /// What stands behind the comments.
    mark: String,
}

impl<'a> Place<'a> {
    /// That of views over a server's tables. Makes the schema if it is not there.
    pub fn open(server: &Server, schema: &'a str) -> Result<Place<'a>, Failure> {
        Place::over(slice::from_ref(server), &format!("server {}", server.name), schema)
    }

    /// That of views over the tables of several.
    pub fn over(servers: &[Server], of: &str, schema: &'a str) -> Result<Place<'a>, Failure> {
        require_writable()?;
        let filler = servers.iter().find(|server| server.options.schema == schema);
        if Store::find()?.owns(schema) || filler.is_some() {
            return Err(not_for_reports(schema, filler));
        }
        let place = Place { schema, mark: format!("{MARK}{of})") };
        place.make_schema()?;
        Ok(place)
    }

    /// Makes or replaces a view.
    pub fn make(&self, name: &str, create: &str) -> Result<(), Failure> {
        self.refuse_others(name)?;
        pg::subtransaction(|| run(create)).map_err(|failure| match failure.sqlstate {
            State::ERRCODE_INVALID_TABLE_DEFINITION => failure.hint(format!(
                "DROP VIEW {}; or all of them: SELECT odoo_drop_reports({});",
                qualified(self.schema, name),
                literal(self.schema)
            )),
            _ => failure,
        })
    }

    /// Comments a view and those of its columns that are told of, so that it is known again.
    pub fn describe(
        &self,
        name: &str,
        about: &str,
        columns: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Failure> {
        let view = qualified(self.schema, name);
        let about = literal(&format!("{about} {}", self.mark));
        run(&format!("COMMENT ON VIEW {view} IS {about}"))?;
        for column in columns_of(&view)? {
            if let Some(about) = columns(&column) {
                run(&format!(
                    "COMMENT ON COLUMN {view}.{} IS {}",
                    ident(&column),
                    literal(&about)
                ))?;
            }
        }
        Ok(())
    }

    /// Comments a view of the name of a table as that is, but for some columns.
    pub fn describe_as(
        &self,
        table: &str,
        relation: pg_sys::Oid,
        others: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Failure> {
        let about = match dataset(table) {
            Some(dataset) => dataset.about.to_owned(),
            None => query::ask::<String>(ABOUT, &[relation.into()])?.unwrap_or_default(),
        };
        let comments = comments(relation)?;
        self.describe(table, &about, |column| {
            others(column).or_else(|| comments.get(column).cloned())
        })
    }

    /// Makes sure that a name is free, or that of the same report.
    fn refuse_others(&self, name: &str) -> Result<(), Failure> {
        let Some(relation) = Relation::find(self.schema, name) else {
            return Ok(());
        };
        let comment = query::ask::<String>(ABOUT, &[relation.oid.into()])?.unwrap_or_default();
        if comment.ends_with(&self.mark) {
            return Ok(());
        }
        let view = qualified(self.schema, name);
        let state = State::ERRCODE_DUPLICATE_TABLE;
        Err(match comment.contains(MARK) {
            true => Failure::new(state, format!("{view} is another report"))
                .detail(format!("Its comment says: {comment}"))
                .hint(format!(
                    "Name another schema, or SELECT odoo_drop_reports({});",
                    literal(self.schema)
                )),
            false => Failure::new(state, format!("relation {view} already exists"))
                .detail("It is no report of odoo_etl, or its comment was changed.")
                .hint("Name another schema, or move it out of the way."),
        })
    }

    fn make_schema(&self) -> Result<(), Failure> {
        let name = ident(self.schema);
        if query::is_true("SELECT to_regnamespace($1) IS NOT NULL", &[name.as_str().into()])? {
            return Ok(());
        }
        run(&format!("CREATE SCHEMA {name}"))?;
        let about = literal(&format!("Reports over the warehouse {}", self.mark));
        run(&format!("COMMENT ON SCHEMA {name} IS {about}"))
    }
}

/// What is said of a table's columns.
fn comments(relation: pg_sys::Oid) -> Result<HashMap<String, String>, Failure> {
    Spi::connect(|client| {
        let mut found = HashMap::new();
        for row in client.select(COMMENTS, None, &[relation.into()])? {
            found.extend(row.get::<String>(1)?.zip(row.get::<String>(2)?));
        }
        Ok(found)
    })
}

/// Drops the views that were made in a schema, and the schema if it made that too and nothing
/// else is in it.
pub fn drop_all(schema: &str) -> Result<(), Failure> {
    require_writable()?;
    let sql = "SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ') FROM pg_catalog.pg_class c \
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'v' \
               AND strpos(obj_description(c.oid, 'pg_class'), $2) > 0";
    let views = query::ask::<String>(sql, &[schema.into(), MARK.into()])?;
    let sql = "SELECT strpos(obj_description(to_regnamespace($1), 'pg_namespace'), $2) > 0";
    let is_own = query::is_true(sql, &[ident(schema).into(), MARK.into()])?;
    match &views {
        Some(views) => run(&format!("DROP VIEW {views}"))?,
        None if is_own => {}
        None => return Err(nothing_there(schema)),
    }
    if is_own && pg::subtransaction(|| run(&format!("DROP SCHEMA {}", ident(schema)))).is_err() {
        notice!("schema \"{schema}\" stays, as other objects are in it");
    }
    Ok(())
}

/// The columns of a view.
pub fn columns_of(view: &str) -> Result<Vec<String>, Failure> {
    let sql = "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_catalog.pg_attribute \
               WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped";
    Ok(query::ask::<Vec<String>>(sql, &[view.into()])?.unwrap_or_default())
}

fn run(statement: &str) -> Result<(), Failure> {
    Ok(Spi::run(statement)?)
}

fn not_for_reports(schema: &str, filler: Option<&Server>) -> Failure {
    Failure::new(
        State::ERRCODE_INVALID_PARAMETER_VALUE,
        format!("schema \"{schema}\" is not for reports"),
    )
    .detail(match filler {
        Some(server) => format!("It holds the tables of server \"{}\".", server.name),
        None => "It holds what the extension keeps.".to_owned(),
    })
    .hint("Name one of their own: SELECT odoo_create_reports('reports');")
}

fn nothing_there(schema: &str) -> Failure {
    Failure::new(
        State::ERRCODE_UNDEFINED_OBJECT,
        format!("schema \"{schema}\" has no reports of odoo_etl"),
    )
    .hint("They are known by the end of their comments: \\dv+ shows them.")
}

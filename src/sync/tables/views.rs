//! Views over a server's tables, in a schema that a user names. They are ordinary views of whoever
//! has them made; the comment of each, and of a schema that is made for them, has a mark by which
//! they are known again.

use pgrx::PgSqlErrorCode as State;
use pgrx::prelude::*;

use crate::failure::{Failure, notice};
use crate::pg::{self, Relation};
use crate::query::{self, require_writable};
use crate::quote::{ident, literal};
use crate::server::Server;
use crate::state::Store;
use crate::warehouse::ddl::qualified;

/// How the mark begins; the server's name follows.
const MARK: &str = "(odoo_etl: report of server ";

/// Where views are made, and over what.
pub struct Place<'a> {
    pub schema: &'a str,
    pub server: &'a Server,
}

impl<'a> Place<'a> {
    /// Makes the schema if it is not there.
    pub fn open(server: &'a Server, schema: &'a str) -> Result<Place<'a>, Failure> {
        require_writable()?;
        if Store::find()?.owns(schema) || schema == server.options.schema {
            return Err(not_for_reports(schema, server));
        }
        make_schema(schema, server)?;
        Ok(Place { schema, server })
    }

    /// Makes or replaces a view.
    pub fn make(&self, name: &str, create: &str) -> Result<(), Failure> {
        self.refuse_others(name)?;
        pg::subtransaction(|| run(create)).map_err(|failure| match failure.sqlstate {
            State::ERRCODE_INVALID_TABLE_DEFINITION => {
                failure.hint(format!("SELECT odoo_drop_reports({});", literal(self.schema)))
            }
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
        let about = literal(&format!("{about} {}", mark(self.server)));
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

    /// Makes sure that a name is free, or that of the same report.
    fn refuse_others(&self, name: &str) -> Result<(), Failure> {
        let Some(relation) = Relation::find(self.schema, name) else {
            return Ok(());
        };
        let sql = "SELECT obj_description($1, 'pg_class')";
        let comment = query::ask::<String>(sql, &[relation.oid.into()])?.unwrap_or_default();
        if comment.ends_with(&mark(self.server)) {
            return Ok(());
        }
        let view = qualified(self.schema, name);
        let state = State::ERRCODE_DUPLICATE_TABLE;
        Err(match comment.contains(MARK) {
            true => Failure::new(state, format!("{view} is a report of another server"))
                .detail(format!("Its comment says: {comment}"))
                .hint(format!(
                    "Name another schema: odoo_create_reports('…'); or SELECT odoo_drop_reports({});",
                    literal(self.schema)
                )),
            false => Failure::new(state, format!("relation {view} already exists"))
                .detail("It is no report of odoo_etl, or its comment was changed.")
                .hint("Name another schema: odoo_create_reports('…'); or move it out of the way."),
        })
    }
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

fn columns_of(view: &str) -> Result<Vec<String>, Failure> {
    let sql = "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_catalog.pg_attribute \
               WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped";
    Ok(query::ask::<Vec<String>>(sql, &[view.into()])?.unwrap_or_default())
}

/// What stands behind the comments.
fn mark(server: &Server) -> String {
    format!("{MARK}{})", server.name)
}

fn make_schema(schema: &str, server: &Server) -> Result<(), Failure> {
    let name = ident(schema);
    if query::is_true("SELECT to_regnamespace($1) IS NOT NULL", &[name.as_str().into()])? {
        return Ok(());
    }
    run(&format!("CREATE SCHEMA {name}"))?;
    let about = literal(&format!("Reports over the warehouse {}", mark(server)));
    run(&format!("COMMENT ON SCHEMA {name} IS {about}"))
}

fn run(statement: &str) -> Result<(), Failure> {
    Ok(Spi::run(statement)?)
}

fn not_for_reports(schema: &str, server: &Server) -> Failure {
    Failure::new(
        State::ERRCODE_INVALID_PARAMETER_VALUE,
        format!("schema \"{schema}\" is not for reports"),
    )
    .detail(format!(
        "It holds what the extension keeps, or the tables of server \"{}\".",
        server.name
    ))
    .hint("Name one of their own: SELECT odoo_create_reports('reports');")
}

fn nothing_there(schema: &str) -> Failure {
    Failure::new(
        State::ERRCODE_UNDEFINED_OBJECT,
        format!("schema \"{schema}\" has no reports of odoo_etl"),
    )
    .hint("They are known by the end of their comments: \\dv+ shows them.")
}

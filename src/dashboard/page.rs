//! The page itself: its text, style and script are files in dashboards/page; what is shown is put in as
//! data, of which no character is markup.

use pgrx::PgSqlErrorCode as State;
use serde_json::json;

use super::sections::{self, Source};
use crate::failure::Failure;
use crate::query;
use crate::quote::{ident, literal};
use crate::server::Server;
use crate::state::Store;

const PAGE: &str = include_str!("../../dashboards/page/page.html");
const STYLE: &str = include_str!("../../dashboards/page/page.css");
const SCRIPT: &str = include_str!("../../dashboards/page/page.js");

/// How long the periods of the sales may be.
const PERIODS: [&str; 3] = ["day", "week", "month"];

/// The page over a schema of reports.
pub fn page(server: &Server, schema: &str, period: Option<&str>) -> Result<String, Failure> {
    if let Some(wrong) = period.filter(|period| !PERIODS.contains(period)) {
        return Err(Failure::new(
            State::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("\"{wrong}\" is no period"),
        )
        .hint(format!(
            "Periods are {}; NULL takes one by how long there are sales.",
            PERIODS.join(", ")
        )));
    }
    let there = "SELECT pg_catalog.to_regnamespace($1) IS NOT NULL";
    if !query::is_true(there, &[ident(schema).into()])? {
        return Err(Failure::new(
            State::ERRCODE_INVALID_SCHEMA_NAME,
            format!("schema \"{schema}\" does not exist"),
        )
        .hint(format!("SELECT odoo_create_reports({}); makes it.", literal(schema))));
    }
    let store = Store::find()?;
    let source =
        Source { reports: schema, extension: store.schema(), server: &server.name, period };
    let data =
        format!("{{\"about\":{},\"sections\":{{{}}}}}", about(server)?, sections::read(&source)?);
    let title = format!("{} — Odoo", server.name);
    let parts = [
        ("STYLE_HASH", hash(STYLE)?),
        ("SCRIPT_HASH", hash(SCRIPT)?),
        ("TITLE", escaped(&title)),
        ("STYLE", STYLE.to_owned()),
        ("DATA", harmless(&data)),
        ("SCRIPT", SCRIPT.to_owned()),
    ];
    Ok(filled(PAGE, &parts))
}

/// Each `{{NAME}}` of a text as its part; the parts are not looked at.
fn filled(text: &str, parts: &[(&str, String)]) -> String {
    let mut pieces = text.split("{{");
    let mut page = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        let part = parts.iter().find(|(known, _)| *known == name);
        page.push_str(part.map_or("", |(_, part)| part));
        page.push_str(rest);
    }
    page
}

/// When and where it was made, and how numbers are written here, as a JSON object.
fn about(server: &Server) -> Result<String, Failure> {
    let sql = "SELECT json_build_object('generated_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
               'database', current_database(), 'locale', current_setting('lc_numeric'))::text";
    let found = query::ask::<String>(sql, &[])?.unwrap_or_default();
    let mut about: serde_json::Value = serde_json::from_str(&found).unwrap_or_default();
    let locale = about["locale"].as_str().map(language_tag).unwrap_or_default();
    about["locale"] = json!(locale);
    about["server"] = json!(server.name);
    Ok(about.to_string())
}

/// `de_DE.UTF-8` as browsers name it, `de-DE`.
fn language_tag(locale: &str) -> String {
    let name = locale.split(['.', '@']).next().unwrap_or_default();
    match name {
        "C" | "POSIX" => String::new(),
        name => name.replace('_', "-"),
    }
}

/// What a Content-Security-Policy knows a text of the page by.
fn hash(text: &str) -> Result<String, Failure> {
    let sql = "SELECT encode(sha256(convert_to($1, 'UTF8')), 'base64')";
    Ok(query::ask::<String>(sql, &[text.into()])?.unwrap_or_default())
}

/// JSON whose characters mean nothing in HTML.
fn harmless(json: &str) -> String {
    json.replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_put_in_once() {
        let parts = [("A", "{{B}}".to_owned()), ("B", "x".to_owned())];
        assert_eq!(filled("<{{A}}|{{B}}>", &parts), "<{{B}}|x>");
        assert!(filled(PAGE, &[]).contains("<main"));
    }

    #[test]
    fn data_is_no_markup() {
        assert_eq!(
            harmless("\"</script><!-- & \u{2028}\""),
            "\"\\u003c/script\\u003e\\u003c!-- \\u0026 \\u2028\""
        );
        assert_eq!(escaped("<a b=\"c\">&"), "&lt;a b=&quot;c&quot;&gt;&amp;");
    }

    #[test]
    fn locales_are_named_as_browsers_do() {
        assert_eq!(language_tag("de_DE.UTF-8"), "de-DE");
        assert_eq!(language_tag("sr_RS@latin"), "sr-RS");
        assert_eq!(language_tag("C.UTF-8"), "");
    }
}

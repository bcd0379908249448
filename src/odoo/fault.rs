//! What Odoo says is wrong, by its exceptions.

/// A fault of Odoo, classified (`odoo/addons/base/controllers/rpc.py`, 19: `addons/rpc`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// One line for the user: a traceback is reduced to its last line.
    pub message: String,
    /// What Odoo says besides, such as the groups that have a right.
    pub detail: Option<String>,
    /// `model.method` that was called.
    pub call: String,
}

/// What Odoo means by a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// Fault 3, AccessDenied: the credentials.
    Denied,
    /// Fault 3 too: wrong logins from this address keep even good ones out for a while.
    CoolDown,
    /// Fault 4, AccessError: rights on a model, a record, a field or a company.
    Access,
    /// What [`User`](FaultKind::User) turned out to mean, after a question: [`Model::fields`] too
    /// was refused. Odoo's own words are in the user's language.
    ///
    /// [`Model::fields`]: crate::odoo::Model::fields
    UnknownModel,
    /// Fault 1, ValueError: "Invalid field 'x'", which no release translates.
    UnknownField,
    /// Fault 1, psycopg2's OperationalError: Odoo has no connection with the database.
    Database,
    /// Fault 2: UserError, ValidationError, MissingError; of JSON-2 also NotFound.
    User,
    /// Fault 1: any other error of the server.
    Server,
}

impl Fault {
    /// Classifies an XML-RPC fault of `/xmlrpc/2`.
    pub fn from_xmlrpc(code: i64, text: &str, call: String) -> Fault {
        let message = last_line(text);
        let kind = match (code, exception(&message)) {
            (3, _) if message.starts_with("Too many login failures") => FaultKind::CoolDown,
            (3, _) => FaultKind::Denied,
            (4, _) => FaultKind::Access,
            (2, _) => FaultKind::User,
            (_, "ValueError") if message.contains("Invalid field") => FaultKind::UnknownField,
            (_, "OperationalError") => FaultKind::Database,
            _ => FaultKind::Server,
        };
        let detail = match text.contains(TRACEBACK) {
            true => None,
            false => text.trim().split_once('\n').map(|(_, rest)| without_database_words(rest)),
        };
        let detail = detail.filter(|rest| !rest.is_empty()).map(str::to_owned);
        Fault { kind, message, detail, call }
    }
}

impl Fault {
    /// A user that Odoo has under another id than before, as Fault 3 tells it.
    pub fn of_other_user(call: String) -> Fault {
        let message = "the login is another user's than before".into();
        Fault { kind: FaultKind::Denied, message, detail: None, call }
    }

    /// Classifies an exception as JSON-RPC and JSON-2 tell it (`serialize_exception` in
    /// `odoo/http.py`), by the rules that XML-RPC's codes follow.
    pub fn from_exception(name: &str, message: &str, traceback: &str, call: String) -> Fault {
        let code = match name.rsplit('.').next().unwrap_or_default() {
            "AccessDenied" => 3,
            "AccessError" => 4,
            "UserError" | "ValidationError" | "MissingError" | "RedirectWarning" => 2,
            // JSON-2 says so of a model and of a method.
            "NotFound" => 2,
            _ => 1,
        };
        match code {
            1 if traceback.contains(TRACEBACK) => Fault::from_xmlrpc(code, traceback, call),
            1 if !name.is_empty() => Fault::from_xmlrpc(code, &format!("{name}: {message}"), call),
            _ => Fault::from_xmlrpc(code, message, call),
        }
    }
}

/// The exception that a traceback's last line names, without its module.
pub(super) fn exception(message: &str) -> &str {
    let name = message.split(':').next().unwrap_or_default();
    name.rsplit('.').next().unwrap_or_default()
}

const TRACEBACK: &str = "Traceback (most recent call last)";

/// The line of a Python traceback that says what happened; of another text, its first line.
fn last_line(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    // Of chained exceptions the last one counts. Its frames are indented; what follows its own
    // line is its message's, and may be PostgreSQL's: DETAIL shows values of rows.
    let own = match lines.iter().rposition(|line| line.starts_with(TRACEBACK)) {
        Some(head) => lines[head + 1..].iter().find(|line| !line.starts_with(' ')),
        None => None,
    };
    let written = || lines.iter().find(|line| !line.is_empty());
    own.filter(|line| !line.is_empty()).or_else(written).map_or("(no text)", |line| line).to_owned()
}

/// A text up to what Odoo's PostgreSQL says besides of its error, whatever its language:
/// `DETAIL:  Key (login)=(ann) already exists.`, `LINE 1: SELECT`, `ASTUCE : `.
fn without_database_words(text: &str) -> &str {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let label = line.split_once(':').map_or("", |(label, _)| label);
        let capitals: Vec<_> = label.chars().filter(|c| c.is_alphabetic()).collect();
        // Shorter ones are Odoo's own, such as VAT and SKU.
        if capitals.len() > 3 && capitals.iter().all(|c| c.is_uppercase()) {
            break;
        }
        end += line.len();
    }
    text[..end].trim()
}

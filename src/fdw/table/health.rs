//! Whether foreign tables still match Odoo's fields, and the statement that mends them.

use crate::failure::Failure;
use crate::fdw::table::columns::fits;
use crate::fdw::table::options::Table;
use crate::odoo::{Connection, Error, FaultKind, Fields};
use crate::pg::fdw::RawTable;
use crate::quote::ident;
use crate::server::Session;

/// How a foreign table is.
pub struct Health {
    pub table: String,
    pub is_well: bool,
    pub detail: String,
    pub hint: Option<String>,
}

pub fn health(raw: RawTable, session: &Session) -> Result<Health, Failure> {
    let table = Table::from(raw);
    let name = table.model.clone();
    let asked = session.submit(move |odoo| odoo.model(&name).fields_in_full())?;
    let fields = match asked.outcome()? {
        Ok(fields) => fields,
        Err(Error::Fault(fault)) if fault.kind == FaultKind::UnknownModel => {
            let hint = format!("DROP FOREIGN TABLE {};", table.name);
            let detail = format!("Odoo has no model {}", table.model);
            return Ok(Health { table: table.name, is_well: false, detail, hint: Some(hint) });
        }
        Err(error) => return Err(error.into()),
    };
    let kept_back = match kept_back(&table, &fields, session)? {
        Ok(names) => names,
        Err(Error::Fault(fault)) if fault.kind == FaultKind::Access => {
            let hint = format!(
                "Give the Odoo user a group that may read the model, or DROP FOREIGN TABLE {};",
                table.name
            );
            let detail = format!("{}: {}", table.model, fault.message);
            return Ok(Health { table: table.name, is_well: false, detail, hint: Some(hint) });
        }
        Err(error) => return Err(error.into()),
    };
    let (mut lost, mut refused) = (Vec::new(), Vec::new());
    let (mut changed, mut mends) = (Vec::new(), Vec::new());
    for column in &table.columns {
        let quoted = ident(&column.name);
        match fields.get(&column.field) {
            None => {
                lost.push(column.field.as_str());
                mends.push(format!("DROP COLUMN {quoted}"));
            }
            Some(_) if kept_back.contains(&column.field) => {
                refused.push(column.field.as_str());
                mends.push(format!("DROP COLUMN {quoted}"));
            }
            Some(field) if !fits(field, column.class) => {
                changed.push(column.field.as_str());
                mends.push(format!("ALTER COLUMN {quoted} TYPE {}", field.sql_type()));
            }
            Some(_) => {}
        }
    }
    let mut detail = format!("{}: {} columns", table.model, table.columns.len());
    for (what, names) in
        [("no field", lost), ("no right", refused), ("another type of field", changed)]
    {
        if !names.is_empty() {
            detail += &format!("; {what} for {}", names.join(", "));
        }
    }
    let hint = (!mends.is_empty())
        .then(|| format!("ALTER FOREIGN TABLE {} {};", table.name, mends.join(", ")));
    Ok(Health { table: table.name, is_well: hint.is_none(), detail, hint })
}

/// The table's fields that Odoo describes, but does not let the user read.
fn kept_back(
    table: &Table,
    fields: &Fields,
    session: &Session,
) -> Result<Result<Vec<String>, Error>, Failure> {
    let shown = table.columns.iter().map(|column| column.field.clone());
    let shown: Vec<_> = shown.filter(|field| fields.contains(field)).collect();
    let model = table.model.clone();
    let ask = move |odoo: &Connection| {
        let model = odoo.model(&model);
        model.refused(&model.examples()?, &shown)
    };
    session.submit(ask)?.outcome()
}

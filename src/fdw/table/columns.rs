//! From fields to columns: types, and what may be asked of a field.

use serde::{Deserialize, Serialize};

use crate::odoo::{Field, FieldType};
use crate::pg::fdw::Class;

/// How a field compares, where Odoo's answer can stand for PostgreSQL's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    Id,
    /// NULL in Odoo's database is read as false.
    Boolean,
    /// NULL in Odoo's database is read as 0.
    Integer,
    /// As integers; and Odoo rounds what it compares with, to this step.
    Decimal {
        step: f64,
    },
    /// An empty text may be NULL in Odoo's database.
    Text,
    Html,
    Date,
    /// Read without the fraction of the second that Odoo's database has.
    Datetime,
    Many2one,
}

/// The step of fields that do not say to how many places they round.
const UNKNOWN_STEP: f64 = 0.01;

impl Kind {
    /// The kind of a field in a column of that type; `None` if nothing may be asked of it: its
    /// values are not in Odoo's table, differ by company, or are shown as another type.
    pub fn of(name: &str, field: &Field, class: Class) -> Option<Kind> {
        if name == "id" {
            return (class == Class::Integer).then_some(Kind::Id);
        }
        if !field.stored || field.company_dependent {
            return None;
        }
        Some(match (field.type_name.as_str(), class) {
            ("boolean", Class::Boolean) => Kind::Boolean,
            ("integer", Class::Integer) => Kind::Integer,
            ("float" | "monetary", Class::Numeric | Class::Float) => {
                let step = match field.field_type {
                    FieldType::Decimal(Some(places)) => 10f64.powi(-i32::from(places)),
                    _ => UNKNOWN_STEP,
                };
                Kind::Decimal { step }
            }
            ("char" | "text" | "selection", Class::Text) => Kind::Text,
            ("html", Class::Text) => Kind::Html,
            ("date", Class::Date) => Kind::Date,
            ("datetime", Class::Timestamptz) => Kind::Datetime,
            ("many2one", Class::Integer) if field.field_type == FieldType::Many2one => {
                Kind::Many2one
            }
            _ => return None,
        })
    }
}

/// Whether a field of Odoo's own modules is stored and yet searched by rules of its own.
pub fn searches_otherwise(model: &str, field: &str) -> bool {
    matches!(
        (model, field),
        ("calendar.alarm", "duration_minutes")
            | ("mail.blacklist", "email")
            | ("phone.blacklist", "number")
            | ("product.product", "is_in_selected_section_of_order")
            | ("project.task", "has_template_ancestor")
            | ("res.partner.bank", "acc_number")
    )
}

/// Whether a column of that type can show a field's values.
pub fn fits(field: &Field, class: Class) -> bool {
    match (field.field_type, class) {
        (_, Class::Text | Class::Other) => true,
        (FieldType::Boolean, class) => class == Class::Boolean,
        (FieldType::Integer | FieldType::Many2one, class) => {
            matches!(class, Class::Integer | Class::Numeric | Class::Float)
        }
        (FieldType::Decimal(_), class) => matches!(class, Class::Numeric | Class::Float),
        (FieldType::Date | FieldType::Datetime, class) => {
            matches!(class, Class::Date | Class::Timestamptz)
        }
        (FieldType::Text | FieldType::ToMany | FieldType::Json, _) => false,
    }
}

//! What a model's fields are: the answer of `fields_get`.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::odoo::value::Value;

/// The attributes to ask for. Without a list Odoo may fault on an attribute that is None.
pub const ATTRIBUTES: &[&str] =
    &["type", "string", "relation", "store", "searchable", "company_dependent", "digits"];

/// Those that a table made of the model needs besides.
pub const MORE_ATTRIBUTES: &[&str] = &["help", "selection", "related", "translate"];

/// Models whose ids are texts, which no description of Odoo's tells.
const TEXT_IDS: &[&str] = &["account.root"];

/// The type of a field in Odoo; it alone decides how a value is read, never the value's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FieldType {
    Boolean,
    /// `integer`, and `many2one_reference`, which holds a bare id.
    Integer,
    /// `float` and `monetary`, and to how many decimal places it is rounded, where Odoo tells.
    Decimal(Option<u8>),
    /// `char`, `text`, `html`, `selection`, `reference`, `binary` (base64), and `many2one` to
    /// records whose ids are texts.
    Text,
    Date,
    /// Naive UTC.
    Datetime,
    Many2one,
    /// `one2many` and `many2many`.
    ToMany,
    /// `json`, `properties` and what else has a shape of its own.
    Json,
}

impl FieldType {
    /// The type that Odoo calls so.
    pub fn from_name(name: &str) -> FieldType {
        match name {
            "boolean" => FieldType::Boolean,
            "integer" | "many2one_reference" => FieldType::Integer,
            "float" | "monetary" => FieldType::Decimal(None),
            "char" | "text" | "html" | "selection" | "reference" | "binary" => FieldType::Text,
            "date" => FieldType::Date,
            "datetime" => FieldType::Datetime,
            "many2one" => FieldType::Many2one,
            "one2many" | "many2many" => FieldType::ToMany,
            _ => FieldType::Json,
        }
    }
}

/// One field of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub field_type: FieldType,
    /// Odoo's own name of the type, e.g. `many2one`.
    pub type_name: String,
    /// The label, in the connection's language.
    pub label: String,
    /// The model that a relational field points to.
    pub relation: Option<String>,
    /// Each company has its own value; a read gives that of the context's first company.
    pub company_dependent: bool,
    /// Stored in the model's own table.
    pub stored: bool,
    /// Odoo may be asked for records by it: it is stored, or its module says how.
    pub searchable: bool,
    /// What follows is known of fields that were [described in
    /// full](crate::odoo::Model::fields_in_full).
    pub help: String,
    /// The values of a selection, and their labels.
    pub selection: Vec<(String, String)>,
    /// A field of another record that this one refers to.
    pub related: bool,
    /// Each language has its own value.
    pub translated: bool,
    /// A decimal number that Odoo rounds before it keeps it, as amounts are to their currency.
    pub is_rounded: bool,
}

impl Field {
    /// Whether Odoo keeps its values, as opposed to computing them when they are read: those of
    /// each company lie beside the model's table up to 17.
    pub fn is_kept(&self) -> bool {
        self.stored || self.company_dependent
    }

    /// The name of the SQL type that shows its values best: a page's cells are literals of it, but
    /// for `bytea`.
    pub fn sql_type(&self) -> &'static str {
        match self.field_type {
            FieldType::Boolean => "boolean",
            FieldType::Integer | FieldType::Many2one => "bigint",
            FieldType::Decimal(_) => "numeric",
            FieldType::Text if self.type_name == "binary" => "bytea",
            FieldType::Text => "text",
            FieldType::Date => "date",
            FieldType::Datetime => "timestamp with time zone",
            FieldType::ToMany => "bigint[]",
            FieldType::Json => "jsonb",
        }
    }
}

/// The fields of a model that the user may read, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields(HashMap<String, Field>);

impl Fields {
    /// Reads the struct that `fields_get` returns; `None` if it is none.
    pub fn from_value(value: Value) -> Option<Fields> {
        let Value::Struct(members) = value else {
            return None;
        };
        members
            .into_iter()
            .map(|(name, attributes)| {
                let text = |key| attributes.get(key).and_then(Value::as_str).map(str::to_owned);
                let flag = |key| attributes.get(key).and_then(Value::as_bool);
                let type_name = text("type")?;
                // Up to 18 forms show groups as fields of users that no table has: these lack it.
                let stored = flag("store").unwrap_or(false);
                let (relation, decimals) = (text("relation"), decimals(attributes.get("digits")));
                let has_text_ids =
                    relation.as_ref().is_some_and(|model| TEXT_IDS.contains(&model.as_str()));
                let field = Field {
                    field_type: match FieldType::from_name(&type_name) {
                        FieldType::Decimal(_) => FieldType::Decimal(decimals),
                        FieldType::Many2one if has_text_ids => FieldType::Text,
                        field_type => field_type,
                    },
                    label: text("string").unwrap_or_default(),
                    relation,
                    is_rounded: decimals.is_some() || type_name == "monetary",
                    type_name,
                    stored,
                    searchable: flag("searchable").unwrap_or(stored),
                    company_dependent: flag("company_dependent").unwrap_or(false),
                    help: text("help").unwrap_or_default(),
                    selection: selection(attributes.get("selection")),
                    related: attributes.get("related").is_some_and(is_set),
                    translated: attributes.get("translate").is_some_and(is_set),
                };
                Some((name, field))
            })
            .collect::<Option<HashMap<_, _>>>()
            .map(Fields)
    }

    /// The field of that name.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.0.get(name)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Takes a field away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// All fields, ordered by name.
    pub fn sorted(&self) -> Vec<(&str, &Field)> {
        let mut all: Vec<_> = self.0.iter().map(|(name, field)| (name.as_str(), field)).collect();
        all.sort_by_key(|(name, _)| *name);
        all
    }
}

/// Whether Python takes the value for true.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Text(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

/// To how many decimal places Odoo rounds: the second of a field's `digits`.
fn decimals(digits: Option<&Value>) -> Option<u8> {
    digits?.as_array()?.get(1)?.as_int()?.try_into().ok()
}

fn selection(value: Option<&Value>) -> Vec<(String, String)> {
    let pairs = value.and_then(Value::as_array).unwrap_or_default();
    let pair = |pair: &Value| match pair.as_array() {
        Some([value, label]) => Some((value.as_str()?.to_owned(), label.as_str()?.to_owned())),
        _ => None,
    };
    pairs.iter().filter_map(pair).collect()
}

//! What Odoo has and yet refuses: fields that it can read of no record, relations that it cannot
//! search. It is left out, and said once.

use std::collections::BTreeMap;

use pgrx::PgSqlErrorCode as State;
use serde_json::{Map, Value as Json, json};

use crate::failure::Failure;

/// What Odoo refuses of a model, and its words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Refused {
    /// Fields that cannot be read.
    pub fields: BTreeMap<String, String>,
    /// Relations by whose records it cannot be searched.
    pub relations: BTreeMap<String, String>,
}

impl Refused {
    pub fn of_fields(fields: BTreeMap<String, String>) -> Refused {
        Refused { fields, ..Refused::default() }
    }

    pub fn of_relations(relations: BTreeMap<String, String>) -> Refused {
        Refused { relations, ..Refused::default() }
    }

    pub fn to_json(&self) -> Json {
        json!({ "fields": self.fields, "relations": self.relations })
    }

    pub fn from_json(json: &Json) -> Refused {
        let text = |(name, words): (&String, &Json)| Some((name.clone(), words.as_str()?.into()));
        let list = |name: &str| {
            let members = json.get(name).and_then(Json::as_object).into_iter().flat_map(Map::iter);
            members.filter_map(text).collect()
        };
        Refused { fields: list("fields"), relations: list("relations") }
    }

    /// Adds what was not known yet, with a warning. Returns whether there was any.
    pub fn add(&mut self, model: &str, more: Refused) -> bool {
        let is_new = |known: &BTreeMap<String, String>, new: BTreeMap<String, String>| {
            new.into_iter().filter(|(name, _)| !known.contains_key(name)).collect::<Vec<_>>()
        };
        let fields = is_new(&self.fields, more.fields);
        let relations = is_new(&self.relations, more.relations);
        for (field, words) in &fields {
            let message = format!("{model}: Odoo cannot read the field {field}, which is left out");
            warn(
                message,
                words,
                "Its columns stay NULL, and those that were added keep their values.",
            );
        }
        for (relation, words) in &relations {
            let message =
                format!("{model}: Odoo cannot search by {relation}, whose changes are left out");
            warn(
                message,
                words,
                "Records of which only the other ones tell a change follow when it does, or at a full refresh.",
            );
        }
        let is_news = !fields.is_empty() || !relations.is_empty();
        self.fields.extend(fields);
        self.relations.extend(relations);
        is_news
    }
}

fn warn(message: String, words: &str, consequence: &str) {
    Failure::new(State::ERRCODE_WARNING, message)
        .detail(words)
        .hint(format!(
            "{consequence} A full refresh tries it again at once, other runs after an hour."
        ))
        .warn();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_the_memory() {
        let list = |name: &str| BTreeMap::from([(name.to_owned(), "no".to_owned())]);
        let refused = Refused { fields: list("a"), relations: list("b_ids") };
        assert_eq!(Refused::from_json(&refused.to_json()), refused);
        assert_eq!(Refused::from_json(&Json::Null), Refused::default());
    }
}

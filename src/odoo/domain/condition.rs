//! Conditions as a tree, to be joined freely and written as a domain at the end.

use crate::odoo::domain::tree::Domain;
use crate::odoo::value::Value;

/// A condition on a model's records.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    Leaf(String, &'static str, Value),
    /// True if all are; without any, always.
    All(Vec<Condition>),
    /// True if one is; without any, never.
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    pub const ALWAYS: Condition = Condition::All(Vec::new());
    pub const NEVER: Condition = Condition::Any(Vec::new());

    pub fn leaf(field: &str, operator: &'static str, value: impl Into<Value>) -> Condition {
        Condition::Leaf(field.to_owned(), operator, value.into())
    }

    /// The field has a value: Odoo's word for none is `False`.
    pub fn is_set(field: &str) -> Condition {
        Condition::leaf(field, "!=", false)
    }

    /// Both conditions.
    pub fn and(self, other: Condition) -> Condition {
        Condition::all([self, other])
    }

    /// All of the conditions; what is always true is left out.
    pub fn all(conditions: impl IntoIterator<Item = Condition>) -> Condition {
        let mut parts = Vec::new();
        for condition in conditions {
            match condition {
                Condition::All(inner) => parts.extend(inner),
                Condition::Any(none) if none.is_empty() => return Condition::NEVER,
                other => parts.push(other),
            }
        }
        single(parts).unwrap_or_else(Condition::All)
    }

    /// One of the conditions; what is never true is left out.
    pub fn any(conditions: impl IntoIterator<Item = Condition>) -> Condition {
        let mut parts = Vec::new();
        for condition in conditions {
            match condition {
                Condition::Any(inner) => parts.extend(inner),
                Condition::All(none) if none.is_empty() => return Condition::ALWAYS,
                other => parts.push(other),
            }
        }
        single(parts).unwrap_or_else(Condition::Any)
    }

    pub fn is_never(&self) -> bool {
        *self == Condition::NEVER
    }

    /// The domain of the records that meet it.
    pub fn into_domain(self) -> Domain {
        let mut terms = Vec::new();
        match self {
            // Terms side by side are joined by "and".
            Condition::All(parts) => parts.into_iter().for_each(|part| part.write(&mut terms)),
            other => other.write(&mut terms),
        }
        Domain::of_terms(terms)
    }

    fn write(self, terms: &mut Vec<Value>) {
        let constant = |truth: i64| Value::Array(vec![truth.into(), "=".into(), Value::Int(1)]);
        match self {
            Condition::All(none) if none.is_empty() => terms.push(constant(1)),
            Condition::Any(none) if none.is_empty() => terms.push(constant(0)),
            Condition::Leaf(field, operator, value) => {
                terms.push(Value::Array(vec![field.into(), operator.into(), value]));
            }
            Condition::Not(inner) => {
                terms.push("!".into());
                inner.write(terms);
            }
            Condition::All(parts) => write_joined("&", parts, terms),
            Condition::Any(parts) => write_joined("|", parts, terms),
        }
    }
}

fn write_joined(operator: &str, parts: Vec<Condition>, terms: &mut Vec<Value>) {
    terms.extend((1..parts.len()).map(|_| Value::from(operator)));
    parts.into_iter().for_each(|part| part.write(terms));
}

fn single(mut parts: Vec<Condition>) -> Result<Condition, Vec<Condition>> {
    match parts.len() {
        1 => Ok(parts.remove(0)),
        _ => Err(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(field: &str) -> Condition {
        Condition::leaf(field, "=", 1)
    }

    fn written(condition: Condition) -> String {
        condition.into_domain().into_value().into_json().to_string()
    }

    #[test]
    fn trees_become_prefix_notation() {
        let both = leaf("a").and(leaf("b"));
        assert_eq!(written(both.clone()), r#"[["a","=",1],["b","=",1]]"#);
        let nested = Condition::any([both.clone(), leaf("c")]).and(leaf("d"));
        assert_eq!(written(nested), r#"["|","&",["a","=",1],["b","=",1],["c","=",1],["d","=",1]]"#);
        assert_eq!(written(Condition::Not(Box::new(leaf("a")))), r#"["!",["a","=",1]]"#);
        assert_eq!(
            written(Condition::any([leaf("a"), leaf("b"), leaf("c")])),
            r#"["|","|",["a","=",1],["b","=",1],["c","=",1]]"#
        );
    }

    #[test]
    fn constants_fold() {
        assert_eq!(Condition::all([leaf("a"), Condition::ALWAYS]), leaf("a"));
        assert_eq!(Condition::all([leaf("a"), Condition::NEVER]), Condition::NEVER);
        assert_eq!(Condition::any([leaf("a"), Condition::NEVER]), leaf("a"));
        assert_eq!(Condition::any([leaf("a"), Condition::ALWAYS]), Condition::ALWAYS);
        assert_eq!(written(Condition::ALWAYS), "[]");
        assert_eq!(written(Condition::NEVER), r#"[[0,"=",1]]"#);
    }
}

//! Odoo's search domains: parsed from JSON or from Odoo's own Python notation.
//!
//! Both `[["state","=","paid"]]` and `[('state', '=', 'paid')]` are understood; operators and
//! arity are checked before any request (`odoo/osv/expression.py`, 19: `odoo/orm/domains.py`).

use std::fmt;

use crate::odoo::domain::parse::{DomainError, Parsed, Parser};
use crate::odoo::value::Value;

/// A search condition in Odoo's prefix notation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Domain(pub(super) Vec<Value>);

const OPERATORS: &[&str] = &[
    "=",
    "!=",
    "<>",
    "==",
    "<",
    "<=",
    ">",
    ">=",
    "=?",
    "in",
    "not in",
    "like",
    "not like",
    "ilike",
    "not ilike",
    "=like",
    "not =like",
    "=ilike",
    "not =ilike",
    "child_of",
    "parent_of",
    "any",
    "not any",
];

impl Domain {
    /// The domain that every record meets.
    pub fn all() -> Domain {
        Domain(Vec::new())
    }

    /// One condition.
    pub fn leaf(field: &str, operator: &str, value: impl Into<Value>) -> Domain {
        Domain(vec![Value::Array(vec![field.into(), operator.into(), value.into()])])
    }

    /// Both conditions: terms that stand side by side are joined by "and".
    pub fn and(mut self, other: Domain) -> Domain {
        self.0.extend(other.0);
        self
    }

    /// At least one of the conditions, each of which is a single leaf.
    pub fn any(leaves: Vec<Domain>) -> Domain {
        let bars = leaves.len().saturating_sub(1);
        let operators = std::iter::repeat_n(Value::from("|"), bars);
        Domain(operators.chain(leaves.into_iter().flat_map(|leaf| leaf.0)).collect())
    }

    /// Terms in prefix notation, which are known to be right.
    pub(super) fn of_terms(terms: Vec<Value>) -> Domain {
        Domain(terms)
    }

    pub fn parse(text: &str) -> Result<Domain, DomainError> {
        let Parsed { value, begin, marks, end } = Parser::new(text).whole()?;
        match value {
            Value::Array(terms) => {
                check_terms(&terms, &marks, end)?;
                Ok(Domain(terms))
            }
            _ => Err(DomainError { message: "a domain is a list of conditions".into(), at: begin }),
        }
    }

    pub fn into_value(self) -> Value {
        Value::Array(self.0)
    }

    /// The domain with each condition replaced by another.
    pub fn map<E>(
        self,
        mut replace: impl FnMut(&str, &str, Value) -> Result<Domain, E>,
    ) -> Result<Domain, E> {
        let mut terms = Vec::new();
        for term in self.0 {
            match term {
                Value::Array(parts) => match <[Value; 3]>::try_from(parts) {
                    Ok([Value::Text(field), Value::Text(operator), value]) => {
                        terms.extend(replace(&field, &operator, value)?.0);
                    }
                    Ok(constant) => terms.push(Value::Array(constant.into())),
                    Err(parts) => terms.push(Value::Array(parts)),
                },
                operator => terms.push(operator),
            }
        }
        Ok(Domain(terms))
    }

    /// The fields that its conditions are about.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|term| term.as_array()?.first()?.as_str())
    }
}

/// Every operator has its operands, every condition its three parts.
fn check_terms(terms: &[Value], marks: &[usize], end: usize) -> Result<(), DomainError> {
    // How many terms are still owed to the operators read so far; terms that nobody owes
    // are joined by "and".
    let mut owed: usize = 0;
    for (term, at) in terms.iter().zip(marks.iter().copied()) {
        check_term(term).map_err(|message| DomainError { message, at })?;
        owed = owed.max(1) - 1 + arity(term);
    }
    if owed > 0 {
        let message = format!("the domain's operators lack {owed} condition(s)");
        return Err(DomainError { message, at: end });
    }
    Ok(())
}

/// How many operands follow a term.
pub(super) fn arity(term: &Value) -> usize {
    match term.as_str() {
        Some("!") => 1,
        Some(_) => 2,
        None => 0,
    }
}

fn check_term(term: &Value) -> Result<(), String> {
    match term {
        Value::Text(operator) if matches!(operator.as_str(), "&" | "|" | "!") => Ok(()),
        Value::Text(other) => {
            Err(format!("expected a condition or one of '&', '|', '!', found '{other}'"))
        }
        Value::Array(parts) => check_condition(parts),
        _ => Err("expected a condition such as ('state', '=', 'paid')".into()),
    }
}

fn check_condition(parts: &[Value]) -> Result<(), String> {
    let [field, operator, value] = parts else {
        return Err(format!(
            "a condition has three parts (field, operator, value), this one has {}",
            parts.len()
        ));
    };
    // (1, '=', 1) and (0, '=', 1) are Odoo's constants.
    if !matches!(field, Value::Int(0 | 1)) && field.as_str().is_none_or(str::is_empty) {
        return Err("a condition begins with a field name in quotes".into());
    }
    match operator.as_str() {
        Some(name) if OPERATORS.contains(&name) => {}
        Some(name) => return Err(format!("unknown operator '{name}'")),
        None => return Err("a condition's second part is an operator in quotes".into()),
    }
    let takes_list = matches!(operator.as_str(), Some("in" | "not in"));
    if takes_list && !matches!(value, Value::Array(_) | Value::Bool(_)) {
        return Err("the operator 'in' takes a list".into());
    }
    match (operator.as_str(), value) {
        (Some("any" | "not any"), Value::Array(terms)) => {
            let marks = vec![0; terms.len()];
            check_terms(terms, &marks, 0).map_err(|error| error.message)
        }
        (Some("any" | "not any"), _) => Err("the operator 'any' takes a domain".into()),
        _ => Ok(()),
    }
}

/// As JSON, which [`Domain::parse`] reads as the same domain.
impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clone().into_value().into_json().fmt(f)
    }
}

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.message, self.at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        Domain::parse(text).unwrap().into_value().into_json().to_string()
    }

    fn error(text: &str) -> (String, usize) {
        let error = Domain::parse(text).unwrap_err();
        (error.message, error.at)
    }

    #[test]
    fn both_notations_mean_the_same() {
        let expected = r#"["|",["state","=","paid"],["id","in",[1,2]]]"#;
        assert_eq!(json(expected), expected);
        assert_eq!(json("['|', ('state', '=', 'paid'), ('id', 'in', (1, 2,)),]"), expected);
        assert_eq!(json(" [ ] "), "[]");
        assert_eq!(
            json("[('active','=',True),('x','=',None)]"),
            r#"[["active","=",true],["x","=",false]]"#
        );
        assert_eq!(json("[('x','>',-1.5)]"), r#"[["x",">",-1.5]]"#);
    }

    #[test]
    fn texts_may_be_escaped() {
        assert_eq!(
            json(r#"[["name","=","O'Neill \"x\" \u00e9\ud83d\ude00"]]"#),
            "[[\"name\",\"=\",\"O'Neill \\\"x\\\" é😀\"]]"
        );
        assert_eq!(json(r"[('name','=','it\'s \x41')]"), r#"[["name","=","it's A"]]"#);
    }

    #[test]
    fn errors_point_at_the_character() {
        assert_eq!(error("[('state' '=', 'paid')]").1, 10);
        assert_eq!(
            error("[('state','=',paid)]"),
            ("\"paid\" is not in quotes and is no constant".into(), 14)
        );
        assert_eq!(error("[('state','~','paid')]"), ("unknown operator '~'".into(), 1));
        assert_eq!(error("[('a','=',1), ('b','=')]").1, 14);
        assert_eq!(error("[('a','=',1)"), ("expected ',' or ']'".into(), 12));
        assert_eq!(error("['|', ('a','=',1)]").0, "the domain's operators lack 1 condition(s)");
        assert_eq!(error("['x', ('a','=',1)]").1, 1);
        assert_eq!(error("'a'").0, "a domain is a list of conditions");
        assert_eq!(error("").0, "the domain ends too early");
        assert_eq!(error("[('a','=','b]").1, 10);
        assert_eq!(error("[('a','in',3)]").0, "the operator 'in' takes a list");
        assert_eq!(error("[('a','any',3)]").0, "the operator 'any' takes a domain");
        assert_eq!(error("[('a','any',[('b','~',1)])]"), ("unknown operator '~'".into(), 1));
        assert_eq!(error("[] []").1, 3);
        assert_eq!(error(&"[".repeat(100)).1, 50);
    }

    #[test]
    fn negation_and_nesting_count_their_operands() {
        Domain::parse("['!', '&', ('a','=',1), ('b','=',2), ('c','=',3)]").unwrap();
        Domain::parse("['&', '|', ('a','=',1), ('b','=',2), '!', ('c','=',3)]").unwrap();
        assert!(Domain::parse("['!']").is_err());
        assert!(Domain::parse("['&', '&', ('a','=',1), ('b','=',2)]").is_err());
    }

    #[test]
    fn alternatives_are_in_prefix_notation() {
        let leaf = |field| Domain::leaf(field, "=", 1);
        let any = Domain::any(vec![leaf("a"), leaf("b"), leaf("c")]);
        assert_eq!(
            any.into_value().into_json().to_string(),
            r#"["|","|",["a","=",1],["b","=",1],["c","=",1]]"#
        );
        assert_eq!(Domain::any(vec![leaf("a")]), leaf("a"));
    }

    #[test]
    fn domains_join() {
        let joined =
            Domain::parse("['|',('a','=',1),('b','=',2)]").unwrap().and(Domain::leaf("id", ">", 5));
        assert_eq!(
            joined.into_value().into_json().to_string(),
            r#"["|",["a","=",1],["b","=",2],["id",">",5]]"#
        );
    }
}

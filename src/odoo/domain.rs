//! Odoo's search domains: parsed from JSON or from Odoo's own Python notation.
//!
//! Both `[["state","=","paid"]]` and `[('state', '=', 'paid')]` are understood; operators and
//! arity are checked before any request (`odoo/osv/expression.py`, 19: `odoo/orm/domains.py`).

use std::fmt;

use super::value::Value;

/// A search condition in Odoo's prefix notation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Domain(Vec<Value>);

/// What is wrong with a domain's text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainError {
    pub message: String,
    /// The character that it is about, counted from 0.
    pub at: usize,
}

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

/// Deeper nesting is nobody's domain.
const MAX_DEPTH: usize = 50;

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

    pub fn parse(text: &str) -> Result<Domain, DomainError> {
        let mut parser = Parser { chars: text.chars().collect(), at: 0 };
        let begin = parser.skip_space();
        let (value, marks) = parser.value(0)?;
        parser.skip_space();
        if parser.at < parser.chars.len() {
            return Err(parser.error("unexpected text after the domain"));
        }
        match value {
            Value::Array(terms) => {
                check_terms(&terms, &marks, parser.chars.len())?;
                Ok(Domain(terms))
            }
            _ => Err(DomainError { message: "a domain is a list of conditions".into(), at: begin }),
        }
    }

    pub fn into_value(self) -> Value {
        Value::Array(self.0)
    }
}

/// Every operator has its operands, every condition its three parts.
fn check_terms(terms: &[Value], marks: &[usize], end: usize) -> Result<(), DomainError> {
    // How many terms are still owed to the operators read so far; terms that nobody owes
    // are joined by "and".
    let mut owed: usize = 0;
    for (term, at) in terms.iter().zip(marks.iter().copied()) {
        let wrong = |message: String| Err(DomainError { message, at });
        match term {
            Value::Text(operator) => match operator.as_str() {
                "&" | "|" => owed = owed.max(1) + 1,
                "!" => owed = owed.max(1),
                other => {
                    return wrong(format!(
                        "expected a condition or one of '&', '|', '!', found '{other}'"
                    ));
                }
            },
            Value::Array(parts) => {
                check_condition(parts).or_else(wrong)?;
                owed = owed.saturating_sub(1);
            }
            _ => return wrong("expected a condition such as ('state', '=', 'paid')".into()),
        }
    }
    if owed > 0 {
        let message = format!("the domain's operators lack {owed} condition(s)");
        return Err(DomainError { message, at: end });
    }
    Ok(())
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
    Ok(())
}

/// A value and the places where the items of the outermost list begin.
type Parsed = (Value, Vec<usize>);

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn error(&self, message: impl Into<String>) -> DomainError {
        DomainError { message: message.into(), at: self.at }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_space(&mut self) -> usize {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        self.at
    }

    fn value(&mut self, depth: usize) -> Result<Parsed, DomainError> {
        self.skip_space();
        let plain = |value| Ok((value, Vec::new()));
        match self.peek() {
            None => Err(self.error("the domain ends too early")),
            Some('[') => self.list(']', depth),
            Some('(') => self.list(')', depth),
            Some('\'' | '"') => plain(Value::Text(self.string()?)),
            Some(c) if c.is_ascii_digit() || c == '-' || c == '+' => plain(self.number()?),
            Some(c) if c.is_alphabetic() => plain(self.word()?),
            Some(c) => Err(self.error(format!("unexpected '{c}'"))),
        }
    }

    fn list(&mut self, close: char, depth: usize) -> Result<Parsed, DomainError> {
        if depth == MAX_DEPTH {
            return Err(self.error(format!("lists nested more than {MAX_DEPTH} deep")));
        }
        self.at += 1;
        let (mut items, mut marks) = (Vec::new(), Vec::new());
        loop {
            self.skip_space();
            if self.peek() == Some(close) {
                self.at += 1;
                return Ok((Value::Array(items), marks));
            }
            if !items.is_empty() {
                if self.peek() != Some(',') {
                    return Err(self.error(format!("expected ',' or '{close}'")));
                }
                self.at += 1;
                self.skip_space();
                // Python allows a comma before the end.
                if self.peek() == Some(close) {
                    continue;
                }
            }
            marks.push(self.skip_space());
            items.push(self.value(depth + 1)?.0);
        }
    }

    fn string(&mut self) -> Result<String, DomainError> {
        let begin = self.at;
        let quote = self.chars[begin];
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                c if c == quote => return Ok(text),
                '\\' => text.push(self.escape()?),
                c => text.push(c),
            }
        }
        Err(DomainError { message: "a quoted text has no end".into(), at: begin })
    }

    fn escape(&mut self) -> Result<char, DomainError> {
        let Some(c) = self.peek() else {
            return Err(self.error("a quoted text has no end"));
        };
        self.at += 1;
        Ok(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'x' => self.code(2)?,
            'u' => self.code(4)?,
            'U' => self.code(8)?,
            '\\' | '\'' | '"' | '/' => c,
            _ => {
                self.at -= 1;
                return Err(self.error(format!("unknown escape '\\{c}'")));
            }
        })
    }

    fn code(&mut self, digits: usize) -> Result<char, DomainError> {
        let first = self.hex(digits)?;
        // JSON writes characters beyond U+FFFF as a pair of surrogates.
        let pair = self.chars.get(self.at..self.at + 2) == Some(&['\\', 'u']);
        let code = if (0xd800..0xdc00).contains(&first) && pair {
            self.at += 2;
            let second = self.hex(4)?;
            0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.error("the escape is no character"))
    }

    fn hex(&mut self, digits: usize) -> Result<u32, DomainError> {
        let text: String = self.chars.iter().skip(self.at).take(digits).collect();
        match u32::from_str_radix(&text, 16) {
            Ok(code) if text.len() == digits => {
                self.at += digits;
                Ok(code)
            }
            _ => Err(self.error(format!("expected {digits} hexadecimal digits"))),
        }
    }

    fn number(&mut self) -> Result<Value, DomainError> {
        let begin = self.at;
        let part_of = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
        while self.peek().is_some_and(part_of) {
            self.at += 1;
        }
        let text: String = self.chars[begin..self.at].iter().collect();
        if let Ok(int) = text.parse::<i64>() {
            return Ok(Value::Int(int));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Double(text)),
            _ => Err(DomainError { message: format!("\"{text}\" is no number"), at: begin }),
        }
    }

    fn word(&mut self) -> Result<Value, DomainError> {
        let begin = self.at;
        while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            self.at += 1;
        }
        let word: String = self.chars[begin..self.at].iter().collect();
        match word.as_str() {
            "True" | "true" => Ok(Value::Bool(true)),
            // False is Odoo's way to ask for an empty value.
            "False" | "false" | "None" | "null" => Ok(Value::Bool(false)),
            _ => Err(DomainError {
                message: format!("\"{word}\" is not in quotes and is no constant"),
                at: begin,
            }),
        }
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

//! A domain's text, in JSON or in Python's notation, as a value.

use crate::odoo::value::Value;

/// What is wrong with a domain's text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainError {
    pub message: String,
    /// The character that it is about, counted from 0.
    pub at: usize,
}

/// Deeper nesting is nobody's domain.
const MAX_DEPTH: usize = 50;

/// A value as it stands in a text; places are characters, counted from 0.
pub struct Parsed {
    pub value: Value,
    pub begin: usize,
    /// Where the items of the outermost list begin.
    pub marks: Vec<usize>,
    pub end: usize,
}

pub struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    pub fn new(text: &str) -> Parser {
        Parser { chars: text.chars().collect(), at: 0 }
    }

    /// The value that is the whole text.
    pub fn whole(mut self) -> Result<Parsed, DomainError> {
        let begin = self.skip_space();
        let (value, marks) = self.value(0)?;
        self.skip_space();
        match self.at == self.chars.len() {
            true => Ok(Parsed { value, begin, marks, end: self.at }),
            false => Err(self.error("unexpected text after the domain")),
        }
    }

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

    fn value(&mut self, depth: usize) -> Result<(Value, Vec<usize>), DomainError> {
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

    fn list(&mut self, close: char, depth: usize) -> Result<(Value, Vec<usize>), DomainError> {
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

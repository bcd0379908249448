//! A value as Odoo's API sends and takes it, whatever the protocol.

use serde_json::{Map, Number};

use crate::odoo::sink::{Refusal, Scalar, Sink};

/// One value of Odoo's API.
///
/// `Double` keeps the text of the wire: Odoo sends Python's shortest representation, and
/// only the text of `19.99` is exactly 19.99.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Double(String),
    Text(String),
    Array(Vec<Value>),
    Struct(Vec<(String, Value)>),
}

impl Value {
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(int) => Some(*int),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The member `name` of a struct.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Struct(members) => {
                members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        let held = match self {
            Value::Null | Value::Bool(_) | Value::Int(_) => 0,
            Value::Double(text) | Value::Text(text) => text.capacity(),
            Value::Array(items) => items.iter().map(Value::bytes).sum(),
            Value::Struct(members) => {
                members.iter().map(|(name, value)| name.capacity() + value.bytes()).sum()
            }
        };
        size_of::<Value>() + held
    }

    /// The value as JSON; NaN and the infinities, which JSON lacks, become their names.
    pub fn into_json(self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Value::Null => Json::Null,
            Value::Bool(bool) => Json::Bool(bool),
            Value::Int(int) => Json::from(int),
            Value::Double(text) => text
                .parse::<f64>()
                .ok()
                .and_then(Number::from_f64)
                .map_or(Json::String(text), Json::Number),
            Value::Text(text) => Json::String(text),
            Value::Array(items) => items.into_iter().map(Value::into_json).collect(),
            Value::Struct(members) => Json::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name, value.into_json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    pub fn from_json(json: serde_json::Value) -> Value {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Null,
            Json::Bool(bool) => Value::Bool(bool),
            Json::Number(number) => {
                number.as_i64().map_or_else(|| Value::Double(number.to_string()), Value::Int)
            }
            Json::String(text) => Value::Text(text),
            Json::Array(items) => items.into_iter().map(Value::from_json).collect(),
            Json::Object(members) => {
                members.into_iter().map(|(name, value)| (name, Value::from_json(value))).collect()
            }
        }
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Value {
        Value::Bool(bool)
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Value {
        Value::Int(int)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl<V: Into<Value>> FromIterator<V> for Value {
    fn from_iter<I: IntoIterator<Item = V>>(items: I) -> Value {
        Value::Array(items.into_iter().map(Into::into).collect())
    }
}

impl FromIterator<(String, Value)> for Value {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Value {
        Value::Struct(members.into_iter().collect())
    }
}

/// A sink that keeps everything: for answers that are small, or of unknown shape.
#[derive(Default)]
pub struct ValueSink {
    open: Vec<Open>,
    root: Option<Value>,
}

enum Open {
    Array(Vec<Value>),
    Struct(Vec<(String, Value)>, Option<String>),
}

impl ValueSink {
    pub fn finish(self) -> Value {
        self.root.unwrap_or(Value::Null)
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open::Array(items)) => items.push(value),
            Some(Open::Struct(members, name)) => {
                members.push((name.take().unwrap_or_default(), value));
            }
        }
    }
}

impl Sink for ValueSink {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Refusal> {
        self.put(match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(bool) => Value::Bool(bool),
            Scalar::Int(int) => Value::Int(int),
            Scalar::Double(text) => Value::Double(text.to_owned()),
            Scalar::Text(text) => Value::Text(text.to_owned()),
        });
        Ok(())
    }

    fn begin_array(&mut self) -> Result<(), Refusal> {
        self.open.push(Open::Array(Vec::new()));
        Ok(())
    }

    fn begin_struct(&mut self) -> Result<(), Refusal> {
        self.open.push(Open::Struct(Vec::new(), None));
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), Refusal> {
        if let Some(Open::Struct(_, slot)) = self.open.last_mut() {
            *slot = Some(name.to_owned());
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        match self.open.pop() {
            Some(Open::Array(items)) => self.put(Value::Array(items)),
            Some(Open::Struct(members, _)) => self.put(Value::Struct(members)),
            None => {}
        }
        Ok(())
    }
}

//! JSON, both ways: values to bodies, and answers to a [`Sink`] without a tree.
//!
//! NaN and the infinities, which Python writes though JSON has none, are malformed here: the
//! value that is one goes to the quarantine. XML-RPC brings them.

mod reader;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::odoo::sink::{Scalar, Sink};
use crate::odoo::value::Value;
use reader::Reader;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Int(int) => serializer.serialize_i64(*int),
            Value::Double(text) => match text.parse::<f64>() {
                Ok(number) => serializer.serialize_f64(number),
                Err(_) => serializer.serialize_str(text),
            },
            Value::Text(text) => serializer.serialize_str(text),
            Value::Array(items) => serializer.collect_seq(items),
            Value::Struct(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// The text of a value.
pub fn encode(value: &Value) -> Vec<u8> {
    // Fails for maps without text as keys alone, which `Value` has not.
    serde_json::to_vec(value).unwrap_or_default()
}

/// What an answer of JSON-RPC was; a result went to the sink.
pub enum Answer {
    Result,
    Error(serde_json::Value),
}

/// Decodes a value, or says what is wrong with it.
pub fn decode_value(body: &[u8], sink: &mut dyn Sink) -> Result<(), String> {
    let mut reader = Reader::new(body)?;
    reader.value(sink)?;
    reader.end()
}

/// Decodes JSON-RPC's answer: `{"jsonrpc": "2.0", "id": …, "result": …}`, or `"error"`. A method
/// that returns nothing has neither.
pub fn decode_answer(body: &[u8], sink: &mut dyn Sink) -> Result<Answer, String> {
    let (mut is_jsonrpc, mut has_result, mut error) = (false, false, None);
    let mut reader = Reader::new(body)?;
    reader.members(|reader| {
        match &*reader.name()? {
            "result" if !has_result => {
                has_result = true;
                return reader.value(sink);
            }
            "error" => error = Some(decode_error(reader.skip()?.as_bytes())?),
            name => {
                is_jsonrpc |= name == "jsonrpc";
                reader.skip()?;
            }
        }
        Ok(())
    })?;
    reader.end()?;
    match error {
        Some(error) => Ok(Answer::Error(error)),
        None if has_result => Ok(Answer::Result),
        None if is_jsonrpc => match sink.scalar(Scalar::Null) {
            Ok(()) => Ok(Answer::Result),
            Err(refusal) => Err(format!("the response holds {}", refusal.0)),
        },
        None => Err("neither a result nor an error".into()),
    }
}

/// The whole of an error's body.
pub fn decode_error(body: &[u8]) -> Result<serde_json::Value, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;

//! JSON, both ways: in, values, and bodies as they come; out, bodies, and what a [`Sink`] is told,
//! without a tree. May call the values and sinks of [`crate::odoo`] alone.

mod reader;
mod source;

use std::io::Read;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::odoo::sink::{Scalar, Sink};
use crate::odoo::value::{Value, ValueSink};
use crate::odoo::wire::http::body::DecodeError;
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

/// Decodes a value.
pub fn decode_value(input: &mut dyn Read, sink: &mut dyn Sink) -> Result<(), DecodeError> {
    let mut reader = Reader::new(input);
    reader.value(sink).and_then(|()| reader.end()).map_err(|failure| *failure)
}

/// Decodes JSON-RPC's answer: `{"jsonrpc": "2.0", "id": …, "result": …}`, or `"error"`. A method
/// that returns nothing has neither.
pub fn decode_answer(input: &mut dyn Read, sink: &mut dyn Sink) -> Result<Answer, DecodeError> {
    let (mut is_jsonrpc, mut has_result, mut error) = (false, false, None);
    let mut reader = Reader::new(input);
    let read = reader.members(|reader| match &*reader.name()? {
        "result" if !has_result => {
            has_result = true;
            reader.value(sink)
        }
        "error" => {
            let mut told = ValueSink::default();
            reader.value(&mut told)?;
            error = Some(told.finish().into_json());
            Ok(())
        }
        name => {
            is_jsonrpc |= name == "jsonrpc";
            reader.value(&mut ())
        }
    });
    read.and_then(|()| reader.end()).map_err(|failure| *failure)?;
    match error {
        Some(error) => Ok(Answer::Error(error)),
        None if has_result => Ok(Answer::Result),
        None if is_jsonrpc => match sink.scalar(Scalar::Null) {
            Ok(()) => Ok(Answer::Result),
            Err(refusal) => Err(DecodeError::Malformed(refusal.into())),
        },
        None => Err(DecodeError::Malformed("neither a result nor an error".into())),
    }
}

/// The whole of an error's body.
pub fn decode_error(input: &mut dyn Read) -> Result<serde_json::Value, DecodeError> {
    let mut error = ValueSink::default();
    decode_value(input, &mut error)?;
    Ok(error.finish().into_json())
}

#[cfg(test)]
mod tests;

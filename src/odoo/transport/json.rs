//! JSON, both ways: values to bodies, and answers to a [`Sink`] without a tree.
//!
//! NaN and the infinities, which Python writes though JSON has none, are malformed here: the
//! value that is one goes to the quarantine. XML-RPC brings them.

use std::fmt::{self, Write};
use std::io::BufRead;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::error::Category;

use super::http::DecodeError;
use crate::odoo::sink::{Refusal, Scalar, Sink};
use crate::odoo::value::Value;

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
pub fn decode_value(input: &mut dyn BufRead, sink: &mut dyn Sink) -> Result<(), DecodeError> {
    decode(&read_all(input)?, Pour { sink, text: &mut String::new() })
}

/// Decodes JSON-RPC's answer, which has a result or an error around it.
pub fn decode_answer(input: &mut dyn BufRead, sink: &mut dyn Sink) -> Result<Answer, DecodeError> {
    decode(&read_all(input)?, Envelope { sink })
}

/// The whole of an error's body.
pub fn decode_error(input: &mut dyn BufRead) -> Result<serde_json::Value, DecodeError> {
    serde_json::from_reader(input).map_err(explain)
}

/// The text is read first: strings are then taken from where they are.
fn read_all(input: &mut dyn BufRead) -> Result<Vec<u8>, DecodeError> {
    let mut body = Vec::new();
    input.read_to_end(&mut body).map_err(DecodeError::Read)?;
    Ok(body)
}

fn decode<'de, S: DeserializeSeed<'de>>(body: &'de [u8], seed: S) -> Result<S::Value, DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = seed.deserialize(&mut deserializer).map_err(explain)?;
    deserializer.end().map_err(explain)?;
    Ok(value)
}

fn explain(error: serde_json::Error) -> DecodeError {
    match error.classify() {
        Category::Io => DecodeError::Read(error.into()),
        _ => DecodeError::Malformed(error.to_string()),
    }
}

fn refused<E: serde::de::Error>(refusal: Refusal) -> E {
    E::custom(format!("the response holds {}", refusal.0))
}

/// Pours a value into a sink.
struct Pour<'s> {
    sink: &'s mut dyn Sink,
    /// Memory for numbers and cleaned texts.
    text: &'s mut String,
}

impl Pour<'_> {
    fn again(&mut self) -> Pour<'_> {
        Pour { sink: self.sink, text: self.text }
    }

    fn scalar<E: serde::de::Error>(self, scalar: Scalar<'_>) -> Result<(), E> {
        self.sink.scalar(scalar).map_err(refused)
    }

    fn double<E: serde::de::Error>(self, number: impl fmt::Debug) -> Result<(), E> {
        self.text.clear();
        write!(self.text, "{number:?}").map_err(E::custom)?;
        self.sink.scalar(Scalar::Double(self.text)).map_err(refused)
    }
}

impl<'de> DeserializeSeed<'de> for Pour<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pour<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.scalar(Scalar::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Scalar::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Scalar::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(int) => self.scalar(Scalar::Int(int)),
            Err(_) => self.double(value),
        }
    }

    /// The shortest text that reads as the same number: what Odoo sent.
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.double(value)
    }

    /// Control characters are dropped, as from XML; NUL could not be stored at all.
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        let forbidden = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
        if !value.contains(forbidden) {
            return self.scalar(Scalar::Text(value));
        }
        self.sink.dropped(value.chars().filter(|c| forbidden(*c)).count());
        self.text.clear();
        self.text.extend(value.chars().filter(|c| !forbidden(*c)));
        self.sink.scalar(Scalar::Text(self.text)).map_err(refused)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.sink.begin_array().map_err(refused)?;
        while items.next_element_seed(self.again())?.is_some() {}
        self.sink.end().map_err(refused)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        self.sink.begin_struct().map_err(refused)?;
        while members.next_key_seed(Name(self.sink))?.is_some() {
            members.next_value_seed(self.again())?;
        }
        self.sink.end().map_err(refused)
    }
}

/// Tells a sink a member's name.
struct Name<'s>(&'s mut dyn Sink);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<(), E> {
        self.0.name(name).map_err(refused)
    }
}

/// JSON-RPC's `{"jsonrpc": "2.0", "id": …, "result": …}`, or `"error"`. A method that returns
/// nothing has neither.
struct Envelope<'s> {
    sink: &'s mut dyn Sink,
}

impl<'de> DeserializeSeed<'de> for Envelope<'_> {
    type Value = Answer;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Answer, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Envelope<'_> {
    type Value = Answer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer of JSON-RPC")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Answer, A::Error> {
        let (mut is_jsonrpc, mut has_result, mut error) = (false, false, None);
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "result" if !has_result => {
                    members.next_value_seed(Pour { sink: self.sink, text: &mut String::new() })?;
                    has_result = true;
                }
                "error" => error = Some(members.next_value()?),
                name => {
                    is_jsonrpc |= name == "jsonrpc";
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        match error {
            Some(error) => Ok(Answer::Error(error)),
            None if has_result => Ok(Answer::Result),
            None if is_jsonrpc => {
                self.sink.scalar(Scalar::Null).map_err(refused)?;
                Ok(Answer::Result)
            }
            None => Err(A::Error::custom("neither a result nor an error")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odoo::value::ValueSink;

    fn value(json: &str) -> Result<Value, String> {
        let mut sink = ValueSink::default();
        match decode_value(&mut json.as_bytes(), &mut sink) {
            Ok(()) => Ok(sink.finish()),
            Err(error) => Err(format!("{error:?}")),
        }
    }

    #[test]
    fn values_of_every_type() {
        assert_eq!(value("-7"), Ok(Value::Int(-7)));
        assert_eq!(value("5000000000"), Ok(Value::Int(5_000_000_000)));
        assert_eq!(value("true"), Ok(Value::Bool(true)));
        assert_eq!(value("null"), Ok(Value::Null));
        assert_eq!(value(r#""a\"b\u00e9\n""#), Ok("a\"bé\n".into()));
        assert_eq!(
            value(r#"[1, [], {"a": {"b": false}}]"#),
            Ok(Value::Array(vec![
                Value::Int(1),
                Value::Array(vec![]),
                Value::Struct(vec![(
                    "a".into(),
                    Value::Struct(vec![("b".into(), Value::Bool(false))])
                )]),
            ]))
        );
    }

    #[test]
    fn numbers_keep_their_value() {
        for (json, text) in [
            ("19.99", "19.99"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("123456789.12345679", "123456789.12345679"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(value(json), Ok(Value::Double(text.into())), "{json}");
        }
        assert_eq!(value("1e-05"), Ok(Value::Double("1e-5".into())));
        assert_eq!(value("5.0"), Ok(Value::Double("5.0".into())));
    }

    #[test]
    fn control_characters_are_dropped() {
        assert_eq!(value(r#""a\u0000b\u000b\tc""#), Ok("ab\tc".into()));
    }

    #[test]
    fn malformed_documents_are_errors() {
        let deep = "[".repeat(100_000);
        for wrong in ["", "<html>", "{", "[1,]", "NaN", "1 2", r#""\ud800""#, "\"\u{1}\"", &deep] {
            assert!(value(wrong).is_err(), "{wrong:.20}");
        }
        let whole = r#"{"a": [1, "b", 2.5, {"c": null}]}"#;
        for cut in 0..whole.len() {
            assert!(value(&whole[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn results_and_errors_of_json_rpc() {
        let answer = |json: &str| {
            let mut sink = ValueSink::default();
            let answer = decode_answer(&mut json.as_bytes(), &mut sink);
            (answer, sink.finish())
        };
        let (done, value) = answer(r#"{"jsonrpc": "2.0", "id": null, "result": [1]}"#);
        assert!(matches!(done, Ok(Answer::Result)) && value == Value::Array(vec![Value::Int(1)]));
        let (done, value) = answer(r#"{"jsonrpc": "2.0", "id": null}"#);
        assert!(matches!(done, Ok(Answer::Result)) && value == Value::Null);
        let (done, _) = answer(r#"{"jsonrpc": "2.0", "error": {"code": 200}}"#);
        assert!(matches!(done, Ok(Answer::Error(error)) if error["code"] == 200));
        assert!(answer("{}").0.is_err() && answer("[]").0.is_err());
    }

    #[test]
    fn every_kind_of_value_is_written() {
        let value = Value::Struct(vec![
            ("a\"".into(), Value::Array(vec![Value::Null, Value::Bool(true), Value::Int(-1)])),
            ("d".into(), Value::Double("19.99".into())),
            ("t".into(), "\r\u{0}é".into()),
        ]);
        let text = String::from_utf8(encode(&value)).unwrap();
        assert_eq!(text, r#"{"a\"":[null,true,-1],"d":19.99,"t":"\r\u0000é"}"#);
    }
}

use super::*;
use crate::odoo::value::ValueSink;

fn words(error: DecodeError) -> String {
    match error {
        DecodeError::Malformed(reason) => reason,
        DecodeError::Read(error) => format!("read: {error}"),
    }
}

fn read(mut json: &[u8]) -> Result<Value, String> {
    let mut sink = ValueSink::default();
    decode_value(&mut json, &mut sink).map(|()| sink.finish()).map_err(words)
}

fn value(json: &str) -> Result<Value, String> {
    read(json.as_bytes())
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
fn numbers_keep_their_text() {
    for text in [
        "19.99",
        "5.0",
        "-0.0",
        "1e-05",
        "1.5E+3",
        "0.30000000000000004",
        "123456789.12345679",
        "18446744073709551615",
    ] {
        assert_eq!(value(text), Ok(Value::Double(text.into())));
    }
    let many = format!("0.{}", "1".repeat(400));
    assert_eq!(value(&many), Ok(Value::Double(many.clone())));
    for wrong in [
        "1e400",
        &"9".repeat(400),
        "Nan",
        "Infinite",
        "-Inf",
        "-NaN",
        "+Infinity",
        "-",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "+1",
    ] {
        assert!(value(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn numbers_that_only_python_writes_are_read() {
    for name in ["NaN", "Infinity", "-Infinity"] {
        assert_eq!(value(name), Ok(Value::Double(name.into())));
        let both = Value::Array(vec![Value::Double(name.into()), Value::Int(1)]);
        assert_eq!(value(&format!("[{name}, 1]")), Ok(both));
    }
}

#[test]
fn control_characters_are_dropped() {
    assert_eq!(value(r#""a\u0000b\u000b\tc""#), Ok("ab\tc".into()));
}

#[test]
fn malformed_documents_are_errors() {
    let deep = "[".repeat(100_000);
    for wrong in ["", "<html>", "{", "[1,]", "NaN1", "1 2", r#""\ud800""#, "\"\u{1}\"", &deep] {
        assert!(value(wrong).is_err(), "{wrong:.20}");
    }
    let whole = r#"{"a": [1, "b", 2.5, {"c": null}]}"#;
    for cut in 0..whole.len() {
        assert!(value(&whole[..cut]).is_err(), "cut at {cut}");
    }
}

/// Whether both parsers take a document, and for the same; controls, of which texts are freed, and
/// the spelling of numbers aside.
fn check_against_serde(json: &[u8]) {
    fn bare(value: serde_json::Value) -> serde_json::Value {
        use serde_json::Value as Json;
        match value {
            Json::Number(number) => number.as_f64().into(),
            Json::String(text) => {
                let kept = |c: &char| *c >= ' ' || matches!(c, '\t' | '\n' | '\r');
                Json::String(text.chars().filter(kept).collect())
            }
            Json::Array(items) => items.into_iter().map(bare).collect(),
            Json::Object(members) => {
                members.into_iter().map(|(name, value)| (name, bare(value))).collect()
            }
            other => other,
        }
    }
    let ours = read(json).map(|value| bare(value.into_json()));
    let theirs = serde_json::from_slice(json).map(bare);
    let shown = String::from_utf8_lossy(json);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{shown}"),
        (Err(_), Err(_)) => {}
        (ours, theirs) => panic!("{ours:?} and {theirs:?} of {shown}"),
    }
}

/// A document with everything that JSON has, each byte of it cut, left out, doubled, replaced.
#[test]
fn every_small_change_is_judged_as_serde_does() {
    let whole = r#" {"a": [1, -2.50, 3e-7, 40, true, false, null, ""],
        "b\u00e9\n": {"c": "x\ud83d\ude00y\"\\\/\t", "d": {}}, "e" :[ [],[0 ] ],
        "of eight bytes and more: é€😀": "of eight bytes and more: é€😀\\"}
        "#;
    // Here each place of it is once the end of a window.
    for before in 0..=source::WINDOW {
        check_against_serde((" ".repeat(before) + whole).as_bytes());
    }
    for at in 0..whole.len() {
        let (before, [byte, after @ ..]) = whole.as_bytes().split_at(at) else { panic!() };
        check_against_serde(before);
        check_against_serde(&[before, after].concat());
        check_against_serde(&[before, &[*byte, *byte], after].concat());
        for other in b"{}[],:\"\\u/be+-.019dDfnrt \n\x00\x1f\x7f\x80\xe9\xff" {
            check_against_serde(&[before, &[*other], after].concat());
        }
    }
}

#[test]
fn the_end_of_a_plain_text_is_found_among_all_bytes() {
    for first in 0..=u8::MAX {
        for second in 0..=u8::MAX {
            let text = [b'a', b'b', first, second, 0xe9, b'"', b'a', b'a', b'a', second, first];
            let is_plain = |byte: &&u8| **byte >= b' ' && **byte != b'"' && **byte != b'\\';
            for begin in 0..text.len() {
                let text = &text[begin..];
                let expected = text.iter().take_while(is_plain).count();
                assert_eq!(reader::plain(text), expected, "{text:?}");
            }
        }
    }
}

#[test]
fn errors_tell_the_place() {
    assert_eq!(value("[1, }").unwrap_err(), "expected a value, at byte 4");
    assert_eq!(value(&(" ".repeat(100) + "x")).unwrap_err(), "expected a value, at byte 100");
    assert_eq!(value(&("[1, ".repeat(100) + "x")).unwrap_err(), "expected a value, at byte 400");
    assert_eq!(value("[1").unwrap_err(), "the document is cut off");
    assert!(value(&"[".repeat(129)).unwrap_err().starts_with("values nested more than 128 deep"));
    let latin = read(b"[\"caf\xe9\"]").unwrap_err();
    assert!(latin.starts_with("cannot decode input using UTF-8"), "{latin}");
}

#[test]
fn results_and_errors_of_json_rpc() {
    let answer = |json: &str| {
        let mut sink = ValueSink::default();
        let answer = decode_answer(&mut json.as_bytes(), &mut sink).map_err(words);
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

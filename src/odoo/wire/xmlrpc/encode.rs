//! Requests: values to `<methodCall>`.

use std::fmt::Write;

use quick_xml::escape::partial_escape;

use crate::odoo::value::Value;

/// A character that XML cannot carry.
#[derive(Debug, PartialEq)]
pub struct Unsendable(pub char);

/// # Errors
/// If a text has a character that XML cannot carry: nothing is sent that is not what was meant.
pub fn method_call(method: &str, params: &[Value]) -> Result<String, Unsendable> {
    let xml = written(method, params);
    match xml.chars().find(|c| !is_sendable(*c)) {
        None => Ok(xml),
        Some(other) => Err(Unsendable(other)),
    }
}

/// `Char` of XML 1.0.
fn is_sendable(c: char) -> bool {
    !matches!(c, ..' ' | '\u{fffe}' | '\u{ffff}') || matches!(c, '\t' | '\n' | '\r')
}

fn written(method: &str, params: &[Value]) -> String {
    let mut xml =
        format!("<?xml version=\"1.0\"?><methodCall><methodName>{method}</methodName><params>");
    for param in params {
        xml.push_str("<param>");
        write_value(&mut xml, param);
        xml.push_str("</param>");
    }
    xml.push_str("</params></methodCall>");
    xml
}

fn write_value(xml: &mut String, value: &Value) {
    xml.push_str("<value>");
    match value {
        Value::Null => xml.push_str("<nil/>"),
        Value::Bool(bool) => element(xml, "boolean", if *bool { "1" } else { "0" }),
        Value::Int(int) => element(xml, "int", &int.to_string()),
        Value::Double(text) => element(xml, "double", text),
        Value::Text(text) => element(xml, "string", text),
        Value::Array(items) => {
            xml.push_str("<array><data>");
            items.iter().for_each(|item| write_value(xml, item));
            xml.push_str("</data></array>");
        }
        Value::Struct(members) => {
            xml.push_str("<struct>");
            for (name, value) in members {
                xml.push_str("<member>");
                element(xml, "name", name);
                write_value(xml, value);
                xml.push_str("</member>");
            }
            xml.push_str("</struct>");
        }
    }
    xml.push_str("</value>");
}

/// A parser turns `\r` into `\n` unless it is written as a reference.
fn element(xml: &mut String, tag: &str, text: &str) {
    xml.push('<');
    xml.push_str(tag);
    xml.push('>');
    for part in partial_escape(text).chars() {
        match part {
            '\r' => xml.push_str("&#13;"),
            c => xml.push(c),
        }
    }
    // Writing to a String cannot fail.
    let _ = write!(xml, "</{tag}>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_written() {
        let value = Value::Struct(vec![
            ("a<".into(), Value::Array(vec![Value::Null, true.into(), 7.into()])),
            ("b".into(), Value::Double("1.5".into())),
        ]);
        assert_eq!(
            method_call("m", &[value]).unwrap(),
            "<?xml version=\"1.0\"?><methodCall><methodName>m</methodName><params><param><value>\
             <struct><member><name>a&lt;</name><value><array><data><value><nil/></value><value>\
             <boolean>1</boolean></value><value><int>7</int></value></data></array></value>\
             </member><member><name>b</name><value><double>1.5</double></value></member></struct>\
             </value></param></params></methodCall>"
        );
    }

    #[test]
    fn texts_cannot_break_out() {
        let xml = method_call("m", &["a</string>&\r\né\u{fffd}\u{1f375}".into()]).unwrap();
        let text = "<string>a&lt;/string&gt;&amp;&#13;\né\u{fffd}\u{1f375}</string>";
        assert!(xml.contains(text), "{xml}");
    }

    #[test]
    fn what_xml_cannot_carry_is_refused() {
        for wrong in ['\0', '\u{1}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
            let text = format!("a{wrong}b");
            assert_eq!(method_call("m", &[text.as_str().into()]), Err(Unsendable(wrong)));
            let named = Value::Struct(vec![(text, Value::Null)]);
            assert_eq!(method_call("m", &[named]), Err(Unsendable(wrong)));
        }
    }
}

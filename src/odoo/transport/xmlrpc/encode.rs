//! Requests: values to `<methodCall>`.

use std::fmt::Write;

use quick_xml::escape::partial_escape;

use crate::odoo::value::Value;

pub fn method_call(method: &str, params: &[Value]) -> String {
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

/// XML cannot carry control characters, and a parser turns `\r` into `\n` unless it is written
/// as a reference.
fn element(xml: &mut String, tag: &str, text: &str) {
    xml.push('<');
    xml.push_str(tag);
    xml.push('>');
    for part in partial_escape(text).chars() {
        match part {
            '\r' => xml.push_str("&#13;"),
            c if c < ' ' && c != '\t' && c != '\n' => {}
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
            method_call("m", &[value]),
            "<?xml version=\"1.0\"?><methodCall><methodName>m</methodName><params><param><value>\
             <struct><member><name>a&lt;</name><value><array><data><value><nil/></value><value>\
             <boolean>1</boolean></value><value><int>7</int></value></data></array></value>\
             </member><member><name>b</name><value><double>1.5</double></value></member></struct>\
             </value></param></params></methodCall>"
        );
    }

    #[test]
    fn texts_cannot_break_out() {
        let xml = method_call("m", &["a</string>&\r\n\u{1}é".into()]);
        assert!(xml.contains("<string>a&lt;/string&gt;&amp;&#13;\né</string>"), "{xml}");
    }
}

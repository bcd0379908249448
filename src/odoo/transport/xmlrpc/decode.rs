//! Answers: `<methodResponse>` to a [`Sink`], from bytes to values without a tree.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::odoo::sink::{Refusal, Scalar, Sink};
use crate::odoo::transport::http::DecodeError;
use crate::odoo::value::{Value, ValueSink};

/// What an answer was; a result went to the sink.
#[derive(Debug, PartialEq)]
pub enum Answer {
    Result,
    Fault { code: i64, text: String },
}

/// Elements inside one another; Odoo's values need a few dozen at most.
const MAX_DEPTH: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Node {
    MethodResponse,
    Params,
    Param,
    Fault,
    Value,
    Array,
    Data,
    Struct,
    Member,
    Name,
    Leaf(Leaf),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Leaf {
    Int,
    Boolean,
    Double,
    Text,
    Nil,
}

/// An element that is open, and how much of its content came already.
struct Open {
    node: Node,
    children: usize,
}

/// Decodes one `<methodResponse>`.
pub fn decode(input: impl BufRead, sink: &mut dyn Sink) -> Result<Answer, DecodeError> {
    let mut reader = Reader::from_reader(input);
    let mut buffer = Vec::new();
    let mut decoder =
        Decoder { sink, open: Vec::new(), text: String::new(), fault: None, done: false };
    loop {
        buffer.clear();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => return decoder.finish(),
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => {
                let kind = error.kind();
                let error = std::sync::Arc::try_unwrap(error);
                return Err(DecodeError::Read(error.unwrap_or_else(|_| kind.into())));
            }
            Err(error) => return Err(DecodeError::Malformed(error.to_string())),
        };
        decoder.event(event).map_err(|reason| {
            let position = reader.buffer_position();
            DecodeError::Malformed(format!("{reason}, at byte {position}"))
        })?;
    }
}

struct Decoder<'s> {
    sink: &'s mut dyn Sink,
    open: Vec<Open>,
    /// The text of the innermost element.
    text: String,
    /// Where a fault's struct goes instead of the sink.
    fault: Option<ValueSink>,
    done: bool,
}

impl From<Refusal> for String {
    fn from(refusal: Refusal) -> String {
        format!("the response holds {}", refusal.0)
    }
}

impl Decoder<'_> {
    fn sink(&mut self) -> &mut dyn Sink {
        match &mut self.fault {
            Some(fault) => fault,
            None => self.sink,
        }
    }

    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::Empty(tag) => {
                self.start(&tag)?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.push_text(&text.into_inner()),
            Event::CData(text) => self.push_text(&text.into_inner()),
            Event::GeneralRef(reference) => self.reference(&reference),
            Event::Decl(declaration) => match declaration.encoding() {
                None => Ok(()),
                Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => Ok(()),
                Some(_) => Err("an encoding other than UTF-8".into()),
            },
            // Odoo sends none; entities are declared there.
            Event::DocType(_) => Err("a document type declaration".into()),
            Event::Comment(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        use Node::*;
        let name = tag.name();
        let node = match name.as_ref() {
            "methodResponse" => MethodResponse,
            "params" => Params,
            "param" => Param,
            "fault" => Fault,
            "value" => Value,
            "array" => Array,
            "data" => Data,
            "struct" => Struct,
            "member" => Member,
            "name" => Name,
            "int" | "i4" | "i8" => Leaf(self::Leaf::Int),
            "boolean" => Leaf(self::Leaf::Boolean),
            "double" => Leaf(self::Leaf::Double),
            "string" | "base64" | "dateTime.iso8601" => Leaf(self::Leaf::Text),
            "nil" => Leaf(self::Leaf::Nil),
            other => return Err(format!("unexpected element <{other}>")),
        };
        let parent = self.open.last().map(|open| (open.node, open.children));
        let allowed = match (parent, node) {
            (None, MethodResponse) => !self.done,
            (Some((MethodResponse, 0)), Params | Fault)
            | (Some((Params, 0)), Param)
            | (Some((Param | Fault, 0)), Value)
            | (Some((Value, 0)), Array | Struct | Leaf(_))
            | (Some((Array, 0)), Data)
            | (Some((Data, _)), Value)
            | (Some((Struct, _)), Member)
            | (Some((Member, 0)), Name)
            | (Some((Member, 1)), Value) => true,
            _ => false,
        };
        if !allowed {
            return Err(format!("misplaced element <{}>", name.as_ref()));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(format!("elements nested more than {MAX_DEPTH} deep"));
        }
        self.end_text()?;
        match node {
            Fault => self.fault = Some(ValueSink::default()),
            Array => self.sink().begin_array()?,
            Struct => self.sink().begin_struct()?,
            _ => {}
        }
        if let Some(parent) = self.open.last_mut() {
            parent.children += 1;
        }
        self.open.push(Open { node, children: 0 });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(Open { node, children }) = self.open.pop() else {
            return Err("an end tag without its start".into());
        };
        match (node, children) {
            (Node::Leaf(leaf), _) => self.leaf(leaf)?,
            (Node::Name, _) => {
                let name = std::mem::take(&mut self.text);
                self.sink().name(&name)?;
                self.reuse(name);
            }
            // A value without a type is a string.
            (Node::Value, 0) => self.leaf(Leaf::Text)?,
            (Node::Array | Node::Struct, _) => {
                self.end_text()?;
                self.sink().end()?;
            }
            (Node::Member, 2) | (Node::Data | Node::Value, _) => self.end_text()?,
            (Node::MethodResponse, 1) => {
                self.end_text()?;
                self.done = true;
            }
            (Node::Params | Node::Param | Node::Fault, 1) => self.end_text()?,
            (node, _) => return Err(format!("an incomplete <{node:?}>")),
        }
        Ok(())
    }

    /// Hands a scalar's text to the sink.
    fn leaf(&mut self, leaf: Leaf) -> Result<(), String> {
        let text = std::mem::take(&mut self.text);
        let scalar = match leaf {
            Leaf::Text => Some(Scalar::Text(&text)),
            Leaf::Nil => text.is_empty().then_some(Scalar::Null),
            Leaf::Int => text.trim().parse().ok().map(Scalar::Int),
            Leaf::Boolean => match text.trim() {
                "0" => Some(Scalar::Bool(false)),
                "1" => Some(Scalar::Bool(true)),
                _ => None,
            },
            Leaf::Double => {
                let number = text.trim();
                number.parse::<f64>().is_ok().then_some(Scalar::Double(number))
            }
        };
        let Some(scalar) = scalar else {
            let shown: String = text.chars().take(40).collect();
            return Err(format!("\"{shown}\" as a value of type {leaf:?}"));
        };
        self.sink().scalar(scalar)?;
        self.reuse(text);
        Ok(())
    }

    /// Keeps the memory of a text that has been handed on.
    fn reuse(&mut self, mut text: String) {
        text.clear();
        self.text = text;
    }

    /// Ends a stretch between elements, where only white space may be.
    fn end_text(&mut self) -> Result<(), String> {
        if !self.text.trim().is_empty() {
            return Err("text between elements".into());
        }
        self.text.clear();
        Ok(())
    }

    /// Control characters, which Odoo 14 lets through, are dropped, as later releases do;
    /// NUL could not be stored at all.
    fn push_text(&mut self, text: &str) -> Result<(), String> {
        if self.open.is_empty()
            && !text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty()
        {
            return Err("text outside of the document".into());
        }
        if self.open.is_empty() {
            return Ok(());
        }
        let forbidden = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
        match text.contains(forbidden) {
            false => self.text.push_str(text),
            true => {
                self.sink().dropped(text.chars().filter(|c| forbidden(*c)).count());
                self.text.extend(text.chars().filter(|c| !forbidden(*c)));
            }
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), String> {
        let character = match reference.borrow().into_inner().as_ref() {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => match reference.resolve_char_ref() {
                Ok(Some(character)) => character,
                Ok(None) => return Err("an unknown entity".into()),
                Err(error) => return Err(error.to_string()),
            },
        };
        self.push_text(character.encode_utf8(&mut [0; 4]))
    }

    fn finish(self) -> Result<Answer, DecodeError> {
        if !self.done {
            return Err(DecodeError::Malformed("the document is cut off".into()));
        }
        match self.fault.map(ValueSink::finish) {
            None => Ok(Answer::Result),
            Some(fault) => Ok(Answer::Fault {
                // Fault codes are integers, but texts on the endpoints without /2.
                code: fault.get("faultCode").and_then(Value::as_int).unwrap_or(1),
                text: fault
                    .get("faultString")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(body: &[u8]) -> Result<(Answer, Value), String> {
        let mut sink = ValueSink::default();
        match decode(body, &mut sink) {
            Ok(answer) => Ok((answer, sink.finish())),
            Err(DecodeError::Malformed(reason)) => Err(reason),
            Err(DecodeError::Read(error)) => Err(format!("read: {error}")),
        }
    }

    fn response(value: &str) -> String {
        format!(
            "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>{value}</value>\n\
             </param>\n</params>\n</methodResponse>\n"
        )
    }

    fn value(xml: &str) -> Result<Value, String> {
        run(response(xml).as_bytes()).map(|(_, value)| value)
    }

    #[test]
    fn values_of_every_type() {
        assert_eq!(value("<int>-7</int>"), Ok(Value::Int(-7)));
        assert_eq!(value("<i8>5000000000</i8>"), Ok(Value::Int(5_000_000_000)));
        assert_eq!(value("<boolean>1</boolean>"), Ok(Value::Bool(true)));
        assert_eq!(value("<double>0.1</double>"), Ok(Value::Double("0.1".into())));
        assert_eq!(value("<nil/>"), Ok(Value::Null));
        assert_eq!(value("<string></string>"), Ok("".into()));
        assert_eq!(value("untyped"), Ok("untyped".into()));
        assert_eq!(value("<string>a&lt;b &amp; &#233;\r\n</string>"), Ok("a<b & é\r\n".into()));
        assert_eq!(value("<string><![CDATA[<b>]]></string>"), Ok("<b>".into()));
        assert_eq!(
            value(
                "<array><data>\n<value><int>1</int></value>\n<value><array><data/></array></value></data></array>"
            ),
            Ok(Value::Array(vec![Value::Int(1), Value::Array(vec![])]))
        );
        assert_eq!(
            value("<struct><member><name>a</name><value><int>1</int></value></member></struct>"),
            Ok(Value::Struct(vec![("a".into(), Value::Int(1))]))
        );
        assert_eq!(value("<struct/>"), Ok(Value::Struct(vec![])));
    }

    #[test]
    fn control_characters_of_odoo_14_are_dropped() {
        assert_eq!(value("<string>a\u{0}b\u{b}\tc\u{fffe}</string>"), Ok("ab\tc\u{fffe}".into()));
    }

    #[test]
    fn faults() {
        let body = "<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>\
                    faultCode</name><value><int>4</int></value></member><member><name>faultString\
                    </name><value><string>no</string></value></member></struct></value></fault>\
                    </methodResponse>";
        let (answer, value) = run(body.as_bytes()).unwrap();
        assert_eq!(answer, Answer::Fault { code: 4, text: "no".into() });
        assert_eq!(value, Value::Null);
    }

    #[test]
    fn every_cut_is_noticed() {
        let whole = response("<array><data><value><int>12</int></value></data></array>");
        for cut in 0..whole.trim_end().len() {
            assert!(run(&whole.as_bytes()[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn malformed_documents_are_errors() {
        for wrong in [
            "<int>x</int>",
            "<int></int>",
            "<int>1.5</int>",
            "<int>99999999999999999999</int>",
            "<double>1,5</double>",
            "<boolean>2</boolean>",
            "<float>1</float>",
            "<int>1</int><int>2</int>",
            "<int>1</int>text",
            "<int>1</string>",
            "<int><int>1</int></int>",
            "<array><value><int>1</int></value></array>",
            "<array><data><int>1</int></data></array>",
            "<struct><member><value><int>1</int></value></member></struct>",
            "<struct><member><name>a</name></member></struct>",
            "<string>&unknown;</string>",
            "<string>&#0;</string>",
            "<string>&#xD800;</string>",
        ] {
            assert!(value(wrong).is_err(), "{wrong}");
        }
        for wrong in [
            &b""[..],
            b"<html><body>502 Bad Gateway</body></html>",
            b"not xml",
            b"<?xml version='1.0' encoding='latin-1'?><methodResponse/>",
            b"<methodResponse/>",
            b"<methodResponse><params/></methodResponse>",
            b"<methodResponse><params><param><value>\xff\xfe</value></param></params></methodResponse>",
        ] {
            assert!(run(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
        let twice = response("<int>1</int>").replace("<?xml version='1.0'?>", "").repeat(2);
        assert!(run(twice.as_bytes()).is_err());
    }

    #[test]
    fn bombs_do_not_go_off() {
        let entities = "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaa'>]><methodResponse/>";
        assert!(run(entities.as_bytes()).unwrap_err().contains("document type"));
        let nested = response(&"<array><data><value>".repeat(100_000));
        assert!(run(nested.as_bytes()).unwrap_err().contains("nested"));
    }
}

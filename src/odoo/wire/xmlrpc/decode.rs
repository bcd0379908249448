//! Answers: `<methodResponse>` to a [`Sink`], from bytes to values without a tree.

use std::borrow::Cow;
use std::io::Read;

use quick_xml::Reader;
use quick_xml::events::{BytesDecl, BytesRef, Event};

use crate::odoo::page::literals::number;
use crate::odoo::sink::{Scalar, Sink, printable};
use crate::odoo::value::{Value, ValueSink};
use crate::odoo::wire::http::body::{DecodeError, fill};

/// What an answer was; a result went to the sink.
#[derive(Debug, PartialEq)]
pub enum Answer {
    Result,
    Fault { code: i64, text: String },
}

/// Elements inside one another; Odoo's values need a few dozen at most.
const MAX_DEPTH: usize = 256;

/// Bytes of an answer that are in memory at once, if no text is longer; few in tests, whose
/// documents are small.
const WINDOW: usize = if cfg!(any(test, fuzzing)) { 16 } else { 128 * 1024 };

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
    name: &'static str,
    children: usize,
}

/// Decodes one `<methodResponse>`.
pub fn decode(input: &mut dyn Read, sink: &mut dyn Sink) -> Result<Answer, DecodeError> {
    let mut decoder =
        Decoder { sink, open: Vec::new(), text: String::new(), fault: None, done: false };
    // The window begins with what was not told of yet.
    let (mut window, mut waiting, mut passed) = (vec![0; WINDOW], 0, 0);
    loop {
        let end = waiting + fill(input, &mut window[waiting..]).map_err(DecodeError::Read)?;
        let is_last = end < window.len();
        let told = decoder.window(&window[..end], is_last).map_err(|wrong| match wrong {
            Wrong::Syntax(reason) => DecodeError::Malformed(reason),
            Wrong::At(reason, at) => {
                DecodeError::Malformed(format!("{reason}, at byte {}", passed + at))
            }
        })?;
        if is_last {
            return decoder.finish();
        }
        window.copy_within(told..end, 0);
        (waiting, passed) = (end - told, passed + told as u64);
        if waiting > window.len() / 2 {
            // An element is longer: twice as much, so that it is not looked for too often.
            window.resize(window.len() * 2, 0);
        }
    }
}

enum Wrong {
    /// In the words of the parser.
    Syntax(String),
    /// In ours, and where in the window.
    At(String, u64),
}

struct Decoder<'s> {
    sink: &'s mut dyn Sink,
    open: Vec<Open>,
    /// The beginning of the innermost element's text, from an earlier window.
    text: String,
    /// Where a fault's struct goes instead of the sink.
    fault: Option<ValueSink>,
    done: bool,
}

impl Decoder<'_> {
    fn sink(&mut self) -> &mut dyn Sink {
        match &mut self.fault {
            Some(fault) => fault,
            None => self.sink,
        }
    }

    /// Decodes a part of the document that begins with a tag, and returns how much of it: what
    /// is behind the last tag's beginning may go on in the next window.
    fn window(&mut self, window: &[u8], is_last: bool) -> Result<usize, Wrong> {
        let last_tag = || window.iter().rposition(|byte| *byte == b'<').unwrap_or(0);
        let end = if is_last { window.len() } else { last_tag() };
        let mut reader = Reader::from_reader(&window[..end]);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        // The start may have been in another window; `end` compares the names.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        let mut text = Cow::Owned(std::mem::take(&mut self.text));
        loop {
            let at = reader.buffer_position();
            match reader.read_event() {
                Ok(Event::Eof) => break,
                Ok(event) => self
                    .event(event, &mut text)
                    .map_err(|reason| Wrong::At(reason, reader.buffer_position()))?,
                // It is whole in the next window, or wrong there.
                Err(quick_xml::Error::Syntax(_)) if !is_last => {
                    self.text = text.into_owned();
                    return Ok(at as usize);
                }
                Err(error) => return Err(Wrong::Syntax(error.to_string())),
            }
        }
        self.text = text.into_owned();
        Ok(end)
    }

    /// `text` is that of the innermost element so far.
    fn event<'w>(&mut self, event: Event<'w>, text: &mut Cow<'w, str>) -> Result<(), String> {
        let part = match event {
            // An empty element is told as a start and an end.
            Event::Start(tag) | Event::Empty(tag) => {
                return self.start(tag.name().as_ref(), text);
            }
            Event::End(tag) => return self.end(tag.name().as_ref(), text),
            Event::Text(text) => text.into_inner(),
            Event::CData(text) => text.into_inner(),
            Event::GeneralRef(reference) => character(&reference)?,
            Event::Decl(declaration) => return check_encoding(&declaration),
            // Odoo sends none; entities are declared there.
            Event::DocType(_) => return Err("a document type declaration".into()),
            Event::Comment(_) | Event::PI(_) | Event::Eof => return Ok(()),
        };
        if self.open.is_empty() {
            return match part.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() {
                true => Ok(()),
                false => Err("text outside of the document".into()),
            };
        }
        match text.is_empty() {
            true => *text = part,
            false => text.to_mut().push_str(&part),
        }
        Ok(())
    }

    fn start(&mut self, name: &str, text: &mut Cow<'_, str>) -> Result<(), String> {
        use Node::*;
        let (node, name) = node_of(name)?;
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
            return Err(format!("misplaced element <{name}>"));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(format!("elements nested more than {MAX_DEPTH} deep"));
        }
        end_blank(text)?;
        match node {
            Fault => self.fault = Some(ValueSink::default()),
            Array => self.sink().begin_array()?,
            Struct => self.sink().begin_struct()?,
            _ => {}
        }
        if let Some(parent) = self.open.last_mut() {
            parent.children += 1;
        }
        self.open.push(Open { node, name, children: 0 });
        Ok(())
    }

    fn end(&mut self, found: &str, text: &mut Cow<'_, str>) -> Result<(), String> {
        let Some(Open { node, name, children }) = self.open.pop() else {
            return Err("an end tag without its start".into());
        };
        if found != name {
            return Err(format!("</{found}> instead of </{name}>"));
        }
        match (node, children) {
            (Node::Leaf(leaf), _) => self.leaf(leaf, std::mem::take(text)),
            (Node::Name, _) => {
                let name = printable(std::mem::take(text), self.sink());
                Ok(self.sink().name(&name)?)
            }
            // A value without a type is a string.
            (Node::Value, 0) => self.leaf(Leaf::Text, std::mem::take(text)),
            (Node::Array | Node::Struct, _) => {
                end_blank(text)?;
                Ok(self.sink().end()?)
            }
            (Node::Member, 2)
            | (Node::Data | Node::Value, _)
            | (Node::Params | Node::Param | Node::Fault, 1) => end_blank(text),
            (Node::MethodResponse, 1) => {
                self.done = true;
                end_blank(text)
            }
            (node, _) => Err(format!("an incomplete <{node:?}>")),
        }
    }

    /// Hands a scalar's text to the sink.
    fn leaf(&mut self, leaf: Leaf, text: Cow<'_, str>) -> Result<(), String> {
        let text = printable(text, self.sink());
        let scalar = match leaf {
            Leaf::Text => Some(Scalar::Text(&text)),
            Leaf::Nil => text.is_empty().then_some(Scalar::Null),
            Leaf::Int => text.trim().parse().ok().map(Scalar::Int),
            Leaf::Boolean => match text.trim() {
                "0" => Some(Scalar::Bool(false)),
                "1" => Some(Scalar::Bool(true)),
                _ => None,
            },
            Leaf::Double => number(text.trim()).map(Scalar::Double),
        };
        match scalar {
            Some(scalar) => Ok(self.sink().scalar(scalar)?),
            None => {
                let shown: String = text.chars().take(40).collect();
                Err(format!("\"{shown}\" as a value of type {leaf:?}"))
            }
        }
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

/// An element, and its name for as long as it is open.
fn node_of(name: &str) -> Result<(Node, &'static str), String> {
    use self::Leaf::*;
    use Node::*;
    Ok(match name {
        "value" => (Value, "value"),
        "member" => (Member, "member"),
        "name" => (Name, "name"),
        "int" => (Leaf(Int), "int"),
        "string" => (Leaf(Text), "string"),
        "double" => (Leaf(Double), "double"),
        "boolean" => (Leaf(Boolean), "boolean"),
        "struct" => (Struct, "struct"),
        "array" => (Array, "array"),
        "data" => (Data, "data"),
        "nil" => (Leaf(Nil), "nil"),
        "i4" => (Leaf(Int), "i4"),
        "i8" => (Leaf(Int), "i8"),
        "base64" => (Leaf(Text), "base64"),
        "dateTime.iso8601" => (Leaf(Text), "dateTime.iso8601"),
        "methodResponse" => (MethodResponse, "methodResponse"),
        "params" => (Params, "params"),
        "param" => (Param, "param"),
        "fault" => (Fault, "fault"),
        other => return Err(format!("unexpected element <{other}>")),
    })
}

/// Ends a stretch between elements, where only white space may be.
fn end_blank(text: &mut Cow<'_, str>) -> Result<(), String> {
    if !text.trim().is_empty() {
        return Err("text between elements".into());
    }
    *text = Cow::Borrowed("");
    Ok(())
}

fn check_encoding(declaration: &BytesDecl<'_>) -> Result<(), String> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(_) => Err("an encoding other than UTF-8".into()),
    }
}

fn character<'w>(reference: &BytesRef<'_>) -> Result<Cow<'w, str>, String> {
    Ok(Cow::Borrowed(match reference.as_ref() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => {
            return match reference.resolve_char_ref() {
                Ok(Some(character)) => Ok(Cow::Owned(character.to_string())),
                Ok(None) => Err("an unknown entity".into()),
                Err(error) => Err(error.to_string()),
            };
        }
    }))
}

#[cfg(test)]
mod tests;

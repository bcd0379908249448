//! Answers: `<methodResponse>` to a [`Sink`], from bytes to values without a tree.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

use crate::odoo::form::is_number;
use crate::odoo::sink::{Refusal, Scalar, Sink, printable};
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

/// Decodes one `<methodResponse>`, or says what is wrong with it.
pub fn decode(body: &[u8], sink: &mut dyn Sink) -> Result<Answer, String> {
    let mut reader = Reader::from_reader(body);
    reader.config_mut().expand_empty_elements = true;
    let mut decoder = Decoder { reader, depth: 0 };
    decoder.answer(sink).map_err(|wrong| match wrong {
        Wrong::Syntax(reason) => reason,
        Wrong::Cut => "the document is cut off".into(),
        Wrong::Here(reason) => format!("{reason}, at byte {}", decoder.reader.buffer_position()),
    })
}

enum Wrong {
    /// In the words of the parser.
    Syntax(String),
    Cut,
    /// Where the parser stands.
    Here(String),
}

impl From<quick_xml::Error> for Wrong {
    fn from(error: quick_xml::Error) -> Wrong {
        Wrong::Syntax(error.to_string())
    }
}

impl From<Refusal> for Wrong {
    fn from(refusal: Refusal) -> Wrong {
        Wrong::Here(format!("the response holds {}", refusal.0))
    }
}

impl From<&str> for Wrong {
    fn from(reason: &str) -> Wrong {
        Wrong::Here(reason.to_owned())
    }
}

/// What comes next, comments and the like left out.
enum Token<'b> {
    Open(Node),
    Close,
    Text(Cow<'b, str>),
    End,
}

/// Walks through an answer, one method for what may stand in one place.
struct Decoder<'b> {
    reader: Reader<&'b [u8]>,
    /// How many elements are open.
    depth: usize,
}

impl<'b> Decoder<'b> {
    fn answer(&mut self, sink: &mut dyn Sink) -> Result<Answer, Wrong> {
        if self.element(|node| node == Node::MethodResponse)?.is_none() {
            return Err(Wrong::Cut);
        }
        let answer = match self.element(|node| matches!(node, Node::Params | Node::Fault))? {
            Some(Node::Fault) => {
                self.inside(Node::Fault, Node::Value)?;
                let mut fault = ValueSink::default();
                self.value(&mut fault)?;
                fault_of(&fault.finish())
            }
            Some(_) => {
                self.inside(Node::Params, Node::Param)?;
                self.inside(Node::Param, Node::Value)?;
                self.value(sink)?;
                self.close()?;
                Answer::Result
            }
            None => return Err(incomplete(Node::MethodResponse)),
        };
        self.close()?;
        self.close()?;
        // Nothing but blanks and comments may follow.
        self.element(|_| false)?;
        Ok(answer)
    }

    /// The content of a `<value>`, and its end.
    fn value(&mut self, sink: &mut dyn Sink) -> Result<(), Wrong> {
        let allowed = |node| matches!(node, Node::Array | Node::Struct | Node::Leaf(_));
        let mut text = Cow::Borrowed("");
        let node = loop {
            match self.token(allowed)? {
                Token::Open(node) => break node,
                Token::Text(part) => append(&mut text, part),
                // A value without a type is a string.
                Token::Close => {
                    let text = printable(text, sink);
                    return Ok(sink.scalar(Scalar::Text(&text))?);
                }
                Token::End => return Err(Wrong::Cut),
            }
        };
        check_blank(&text)?;
        match node {
            Node::Array => {
                sink.begin_array()?;
                if self.element(|node| node == Node::Data)?.is_some() {
                    while self.element(|node| node == Node::Value)?.is_some() {
                        self.value(sink)?;
                    }
                    self.close()?;
                }
                sink.end()?;
            }
            Node::Struct => {
                sink.begin_struct()?;
                while self.element(|node| node == Node::Member)?.is_some() {
                    self.member(sink)?;
                }
                sink.end()?;
            }
            Node::Leaf(leaf) => self.leaf(leaf, sink)?,
            _ => {}
        }
        self.close()
    }

    /// The content of a `<member>`, and its end.
    fn member(&mut self, sink: &mut dyn Sink) -> Result<(), Wrong> {
        self.inside(Node::Member, Node::Name)?;
        let name = self.text(sink)?;
        sink.name(&name)?;
        self.inside(Node::Member, Node::Value)?;
        self.value(sink)?;
        self.close()
    }

    /// The content of a scalar's element, and its end.
    fn leaf(&mut self, leaf: Leaf, sink: &mut dyn Sink) -> Result<(), Wrong> {
        let text = self.text(sink)?;
        let scalar = match leaf {
            Leaf::Text => Some(Scalar::Text(&text)),
            Leaf::Nil => text.is_empty().then_some(Scalar::Null),
            Leaf::Int => text.trim().parse().ok().map(Scalar::Int),
            Leaf::Boolean => match text.trim() {
                "0" => Some(Scalar::Bool(false)),
                "1" => Some(Scalar::Bool(true)),
                _ => None,
            },
            Leaf::Double => Some(text.trim()).filter(|text| is_number(text)).map(Scalar::Double),
        };
        match scalar {
            Some(scalar) => Ok(sink.scalar(scalar)?),
            None => {
                let shown: String = text.chars().take(40).collect();
                Err(Wrong::Here(format!("\"{shown}\" as a value of type {leaf:?}")))
            }
        }
    }

    /// All text of the innermost element, which has nothing else, and its end.
    fn text(&mut self, sink: &mut dyn Sink) -> Result<Cow<'b, str>, Wrong> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.token(|_| false)? {
                Token::Text(part) => append(&mut text, part),
                Token::Close => return Ok(printable(text, sink)),
                Token::Open(_) | Token::End => return Err(Wrong::Cut),
            }
        }
    }

    /// The element that must come inside its parent.
    fn inside(&mut self, parent: Node, node: Node) -> Result<(), Wrong> {
        match self.element(|found| found == node)? {
            Some(_) => Ok(()),
            None => Err(incomplete(parent)),
        }
    }

    /// The end of the innermost element, which has nothing more.
    fn close(&mut self) -> Result<(), Wrong> {
        self.element(|_| false).map(|_| ())
    }

    /// The next element, or none before the end of the innermost one or of the document.
    fn element(&mut self, allowed: impl Fn(Node) -> bool) -> Result<Option<Node>, Wrong> {
        loop {
            match self.token(&allowed)? {
                Token::Open(node) => return Ok(Some(node)),
                Token::Close => return Ok(None),
                Token::Text(text) => check_blank(&text)?,
                Token::End if self.depth == 0 => return Ok(None),
                Token::End => return Err(Wrong::Cut),
            }
        }
    }

    fn token(&mut self, allowed: impl Fn(Node) -> bool) -> Result<Token<'b>, Wrong> {
        loop {
            let text = match self.reader.read_event()? {
                // An empty element is told as a start and an end.
                Event::Start(tag) | Event::Empty(tag) => {
                    return self.open(&tag, allowed).map(Token::Open);
                }
                Event::End(_) => {
                    self.depth -= 1;
                    return Ok(Token::Close);
                }
                Event::Text(text) => text.into_inner(),
                Event::CData(text) => text.into_inner(),
                Event::GeneralRef(reference) => character(&reference)?,
                Event::Eof => return Ok(Token::End),
                Event::Decl(declaration) => {
                    check_encoding(&declaration)?;
                    continue;
                }
                // Odoo sends none; entities are declared there.
                Event::DocType(_) => return Err("a document type declaration".into()),
                Event::Comment(_) | Event::PI(_) => continue,
            };
            if self.depth > 0 {
                return Ok(Token::Text(text));
            }
            if !text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() {
                return Err("text outside of the document".into());
            }
        }
    }

    fn open(
        &mut self,
        tag: &BytesStart<'_>,
        allowed: impl Fn(Node) -> bool,
    ) -> Result<Node, Wrong> {
        use self::Leaf::*;
        use Node::*;
        let name = tag.name();
        let node = match name.as_ref() {
            "value" => Value,
            "member" => Member,
            "name" => Name,
            "int" | "i4" | "i8" => Leaf(Int),
            "string" | "base64" | "dateTime.iso8601" => Leaf(Text),
            "double" => Leaf(Double),
            "boolean" => Leaf(Boolean),
            "struct" => Struct,
            "array" => Array,
            "data" => Data,
            "nil" => Leaf(Nil),
            "methodResponse" => MethodResponse,
            "params" => Params,
            "param" => Param,
            "fault" => Fault,
            other => return Err(Wrong::Here(format!("unexpected element <{other}>"))),
        };
        if !allowed(node) {
            return Err(Wrong::Here(format!("misplaced element <{}>", name.as_ref())));
        }
        if self.depth == MAX_DEPTH {
            return Err(Wrong::Here(format!("elements nested more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        Ok(node)
    }
}

fn append<'b>(text: &mut Cow<'b, str>, part: Cow<'b, str>) {
    match text.is_empty() {
        true => *text = part,
        false => text.to_mut().push_str(&part),
    }
}

/// Between elements there may be white space only.
fn check_blank(text: &str) -> Result<(), Wrong> {
    match text.trim().is_empty() {
        true => Ok(()),
        false => Err("text between elements".into()),
    }
}

fn check_encoding(declaration: &BytesDecl<'_>) -> Result<(), Wrong> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(_) => Err("an encoding other than UTF-8".into()),
    }
}

fn character<'b>(reference: &BytesRef<'_>) -> Result<Cow<'b, str>, Wrong> {
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
                Err(error) => Err(Wrong::Here(error.to_string())),
            };
        }
    }))
}

fn incomplete(node: Node) -> Wrong {
    Wrong::Here(format!("an incomplete <{node:?}>"))
}

fn fault_of(fault: &Value) -> Answer {
    Answer::Fault {
        // Fault codes are integers, but texts on the endpoints without /2.
        code: fault.get("faultCode").and_then(Value::as_int).unwrap_or(1),
        text: fault.get("faultString").and_then(Value::as_str).unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests;

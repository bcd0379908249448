//! What a decoder tells while it reads a response, in the order of the wire.

use std::borrow::Cow;

/// A value without parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// The text of a floating-point number, checked to be one.
    Double(&'a str),
    Text(&'a str),
}

/// A value that the sink cannot take, in words that follow "the response holds".
#[derive(Debug)]
pub struct Refusal(pub Box<str>);

impl From<Refusal> for String {
    fn from(refusal: Refusal) -> String {
        format!("the response holds {}", refusal.0)
    }
}

/// Takes a response's value piece by piece, so that no tree of it is ever built.
///
/// Decoders promise balanced calls: each `begin_…` has its `end`, and inside a struct each
/// value follows its `name`.
pub trait Sink {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Refusal>;
    fn begin_array(&mut self) -> Result<(), Refusal>;
    fn begin_struct(&mut self) -> Result<(), Refusal>;
    fn name(&mut self, name: &str) -> Result<(), Refusal>;
    fn end(&mut self) -> Result<(), Refusal>;

    /// Takes the name that is expected next, if `text` begins with it and a quote, and returns
    /// its length. With 0 nothing is done, and [`Sink::name`] has to be told the name.
    fn expected(&mut self, _text: &[u8]) -> usize {
        0
    }

    /// Told when control characters were left out of the text that comes next.
    fn dropped(&mut self, _characters: usize) {}
}

/// Takes everything and keeps nothing.
impl Sink for () {
    fn scalar(&mut self, _scalar: Scalar<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn begin_array(&mut self) -> Result<(), Refusal> {
        Ok(())
    }

    fn begin_struct(&mut self) -> Result<(), Refusal> {
        Ok(())
    }

    fn name(&mut self, _name: &str) -> Result<(), Refusal> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        Ok(())
    }
}

/// A text without its control characters, which are dropped as releases after Odoo 14 do it; NUL
/// could not be stored at all.
pub fn printable<'t>(text: Cow<'t, str>, sink: &mut dyn Sink) -> Cow<'t, str> {
    // Without an end before the last byte this is done for many bytes at once.
    if !text.bytes().fold(false, |found, byte| found | (byte < b' ')) {
        return text;
    }
    let forbidden = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    match text.chars().filter(|c| forbidden(*c)).count() {
        0 => text,
        found => {
            sink.dropped(found);
            Cow::Owned(text.chars().filter(|c| !forbidden(*c)).collect())
        }
    }
}

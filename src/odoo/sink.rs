//! What a decoder tells while it reads a response, in the order of the wire.

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
pub struct Refusal(pub String);

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

    /// Told when control characters were left out of the text that comes next.
    fn dropped(&mut self, _characters: usize) {}
}

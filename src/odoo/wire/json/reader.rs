//! JSON from where it stands in a body to a [`Sink`], without a tree and without a copy.

use std::io::Read;
use std::ops::Range;

use crate::odoo::sink::{Refusal, Scalar, Sink, printable};
use crate::odoo::wire::json::source::{Failure, Source};

/// Values inside one another; Odoo's need a few at most.
const MAX_DEPTH: usize = 128;

/// Reads one text of JSON (RFC 8259) from its beginning to its end. NaN and the infinities, which
/// JSON lacks and Python writes, are numbers.
pub struct Reader<'r> {
    source: Source<'r>,
    depth: usize,
}

/// A string of the document.
enum Str {
    /// Where it is, if it has no escapes.
    Plain(Range<usize>),
    Unescaped(String),
}

impl<'r> Reader<'r> {
    pub fn new(input: &'r mut dyn Read) -> Reader<'r> {
        Reader { source: Source::new(input), depth: 0 }
    }

    /// Tells a sink of the next value.
    pub fn value(&mut self, sink: &mut dyn Sink) -> Result<(), Failure> {
        self.part(sink)
    }

    /// The value of a member or an item: most have no parts and come without a call.
    #[inline(always)]
    fn part(&mut self, sink: &mut dyn Sink) -> Result<(), Failure> {
        match self.source.peek() {
            b'"' => {
                self.source.at += 1;
                let told = match self.string()? {
                    // Without escapes there are no control characters either.
                    Str::Plain(range) => sink.scalar(Scalar::Text(self.source.get(range))),
                    Str::Unescaped(text) => {
                        let text = printable(text.into(), sink);
                        sink.scalar(Scalar::Text(&text))
                    }
                };
                told.map_err(|refusal| self.refused(refusal))
            }
            b'-' | b'0'..=b'9' => self.number(sink),
            b'f' => {
                self.word("false")?;
                self.tell(sink, Scalar::Bool(false))
            }
            b't' => {
                self.word("true")?;
                self.tell(sink, Scalar::Bool(true))
            }
            b'n' => {
                self.word("null")?;
                self.tell(sink, Scalar::Null)
            }
            b'N' => {
                self.word("NaN")?;
                self.tell(sink, Scalar::Double("NaN"))
            }
            b'I' => {
                self.word("Infinity")?;
                self.tell(sink, Scalar::Double("Infinity"))
            }
            b'[' => self.array(sink),
            b'{' => self.object(sink),
            _ => Err(self.source.wrong("expected a value")),
        }
    }

    fn tell(&self, sink: &mut dyn Sink, scalar: Scalar<'_>) -> Result<(), Failure> {
        sink.scalar(scalar).map_err(|refusal| self.refused(refusal))
    }

    #[inline(never)]
    fn array(&mut self, sink: &mut dyn Sink) -> Result<(), Failure> {
        sink.begin_array().map_err(|refusal| self.refused(refusal))?;
        self.open(b'[')?;
        let mut first = true;
        while self.another(first, b']')? {
            first = false;
            self.part(sink)?;
        }
        sink.end().map_err(|refusal| self.refused(refusal))
    }

    #[inline(never)]
    fn object(&mut self, sink: &mut dyn Sink) -> Result<(), Failure> {
        sink.begin_struct().map_err(|refusal| self.refused(refusal))?;
        self.members(|reader| {
            match sink.expected(reader.source.rest()) {
                0 => {
                    let name = reader.string()?;
                    sink.name(reader.get(&name)).map_err(|refusal| reader.refused(refusal))?;
                }
                length => reader.source.at += length + 1,
            }
            reader.colon()?;
            reader.part(sink)
        })?;
        sink.end().map_err(|refusal| self.refused(refusal))
    }

    /// Reads an object, each member of which `member` reads from behind its name's first quote.
    pub fn members(
        &mut self,
        mut member: impl FnMut(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.open(b'{')?;
        let mut first = true;
        while self.another(first, b'}')? {
            first = false;
            if self.source.peek() != b'"' {
                return Err(self.source.wrong("expected the name of a member"));
            }
            self.source.at += 1;
            member(self)?;
        }
        Ok(())
    }

    /// The name of a member, whose value comes next.
    pub fn name(&mut self) -> Result<String, Failure> {
        let name = match self.string()? {
            Str::Plain(range) => self.source.get(range).to_owned(),
            Str::Unescaped(name) => name,
        };
        self.colon()?;
        Ok(name)
    }

    /// Nothing but white space may follow.
    pub fn end(self) -> Result<(), Failure> {
        self.source.end()
    }

    fn open(&mut self, bracket: u8) -> Result<(), Failure> {
        if self.source.peek() != bracket {
            return Err(self.source.wrong(&format!("expected \"{}\"", char::from(bracket))));
        }
        if self.depth == MAX_DEPTH {
            return Err(self.source.wrong(&format!("values nested more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        self.source.at += 1;
        Ok(())
    }

    /// Whether a part follows, or the bracket that closes them all.
    #[inline]
    fn another(&mut self, first: bool, close: u8) -> Result<bool, Failure> {
        // No string or number is half read here.
        if self.source.is_full() {
            self.source.forget();
        }
        match self.source.peek() {
            byte if byte == close => {
                self.depth -= 1;
                self.source.at += 1;
                Ok(false)
            }
            _ if first => Ok(true),
            // A bracket behind it is then no part.
            b',' => {
                self.source.at += 1;
                Ok(true)
            }
            _ => Err(self.source.wrong("expected a comma")),
        }
    }

    #[inline]
    fn colon(&mut self) -> Result<(), Failure> {
        match self.source.peek() {
            b':' => {
                self.source.at += 1;
                Ok(())
            }
            _ => Err(self.source.wrong("expected a colon")),
        }
    }

    #[inline]
    fn word(&mut self, word: &str) -> Result<(), Failure> {
        if self.source.rest().starts_with(word.as_bytes()) {
            self.source.at += word.len();
            return Ok(());
        }
        // The rest of it may come yet.
        for byte in word.bytes() {
            if !self.source.pass(|found| found == byte) {
                return Err(self.source.wrong("expected a value"));
            }
        }
        Ok(())
    }

    /// A number that is no integer keeps its text: Odoo sends the shortest that is exact.
    #[inline]
    fn number(&mut self, sink: &mut dyn Sink) -> Result<(), Failure> {
        let is_part = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
        let begin = self.source.at;
        loop {
            let rest = self.source.rest();
            self.source.at += rest.iter().take_while(|byte| is_part(**byte)).count();
            // More of it may come.
            if !is_part(self.source.byte()) {
                break;
            }
        }
        let text = self.source.get(begin..self.source.at);
        let form = Form::of(text);
        if form == Some(Form::Integer)
            && let Ok(int) = text.parse()
        {
            return self.tell(sink, Scalar::Int(int));
        }
        let is_finite = match form {
            // A double can hold what is written with so few digits.
            Some(Form::Integer | Form::Decimal) if text.len() < 300 => true,
            Some(_) => text.parse().is_ok_and(f64::is_finite),
            None if text == "-" && self.source.byte() == b'I' => {
                self.word("Infinity")?;
                return self.tell(sink, Scalar::Double("-Infinity"));
            }
            None => return Err(self.source.wrong_before("expected a number")),
        };
        match is_finite {
            true => self.tell(sink, Scalar::Double(text)),
            false => Err(self.source.wrong_before("a number out of range")),
        }
    }

    /// The rest of a string, whose quote was read.
    #[inline]
    fn string(&mut self) -> Result<Str, Failure> {
        let begin = self.source.at;
        loop {
            self.source.at += plain(self.source.rest());
            match self.source.byte() {
                b'"' => {
                    self.source.at += 1;
                    return Ok(Str::Plain(begin..self.source.at - 1));
                }
                b'\\' | ..b' ' => return self.escaped(begin),
                // More of it has come.
                _ => {}
            }
        }
    }

    /// A string that stands at its first escape.
    fn escaped(&mut self, begin: usize) -> Result<Str, Failure> {
        let mut text = self.source.get(begin..self.source.at).to_owned();
        loop {
            match self.source.byte() {
                b'"' => {
                    self.source.at += 1;
                    return Ok(Str::Unescaped(text));
                }
                b'\\' => {
                    self.source.at += 1;
                    text.push(self.escape()?);
                }
                ..b' ' => return Err(self.source.wrong("a control character in a text")),
                _ => {
                    let begin = self.source.at;
                    self.source.at += plain(self.source.rest());
                    text.push_str(self.source.get(begin..self.source.at));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Failure> {
        let escape = self.source.byte();
        self.source.at += 1;
        Ok(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.code_point()?,
            _ => return Err(self.source.wrong("an unknown escape")),
        })
    }

    fn code_point(&mut self) -> Result<char, Failure> {
        let mut code = self.code()?;
        // Characters beyond U+FFFF are two escapes.
        if (0xd800..0xdc00).contains(&code) && self.source.pass(|byte| byte == b'\\') {
            let low = match self.source.pass(|byte| byte == b'u') {
                true => self.code()?.wrapping_sub(0xdc00),
                false => u32::MAX,
            };
            code = if low < 0x400 { 0x10000 + ((code - 0xd800) << 10) + low } else { code };
        }
        char::from_u32(code).ok_or_else(|| self.source.wrong_before("half a character"))
    }

    /// Four hexadecimal digits.
    fn code(&mut self) -> Result<u32, Failure> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = char::from(self.source.byte()).to_digit(16);
            code = code * 16 + digit.ok_or_else(|| self.source.wrong("an unknown escape"))?;
            self.source.at += 1;
        }
        Ok(code)
    }

    fn get<'s>(&'s self, string: &'s Str) -> &'s str {
        match string {
            Str::Plain(range) => self.source.get(range.clone()),
            Str::Unescaped(text) => text,
        }
    }

    #[cold]
    fn refused(&self, refusal: Refusal) -> Failure {
        self.source.wrong_before(&String::from(refusal))
    }
}

/// How a number is written.
#[derive(PartialEq)]
enum Form {
    Integer,
    Decimal,
    /// With an exponent.
    Scientific,
}

impl Form {
    #[inline]
    fn of(text: &str) -> Option<Form> {
        let count = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = text.strip_prefix('-').unwrap_or(text).as_bytes();
        let (whole, mut rest) = text.split_at(count(text));
        if whole.is_empty() || whole.len() > 1 && whole[0] == b'0' {
            return None;
        }
        if rest.is_empty() {
            return Some(Form::Integer);
        }
        if let [b'.', fraction @ ..] = rest {
            let digits = count(fraction);
            if digits == 0 {
                return None;
            }
            rest = &fraction[digits..];
        }
        match rest {
            [] => Some(Form::Decimal),
            [b'e' | b'E', b'+' | b'-', digits @ ..] | [b'e' | b'E', digits @ ..] => {
                (!digits.is_empty() && count(digits) == digits.len()).then_some(Form::Scientific)
            }
            _ => None,
        }
    }
}

/// How many bytes come before the first quote, backslash or control character.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::MAX / 255;
    // The highest bit of each byte that is below a limit. A byte that is not may get it too, but
    // only behind one that is.
    let below = |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word;
    let (words, rest) = bytes.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = below(word ^ (EACH * u64::from(b'"')), 1);
        let backslash = below(word ^ (EACH * u64::from(b'\\')), 1);
        let found = (below(word, b' ') | quote | backslash) & (EACH << 7);
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &&u8| !matches!(byte, ..b' ' | b'"' | b'\\');
    words.len() * 8 + rest.iter().take_while(is_plain).count()
}

//! JSON from where it stands in a body to a [`Sink`], without a tree and without a copy.

use std::borrow::Cow;

use crate::odoo::sink::{Refusal, Scalar, Sink, printable};

/// Values inside one another; Odoo's need a few at most.
const MAX_DEPTH: usize = 128;

/// Reads one text of JSON (RFC 8259) from its beginning to its end.
pub struct Reader<'b> {
    text: &'b str,
    at: usize,
    depth: usize,
}

impl<'b> Reader<'b> {
    pub fn new(body: &'b [u8]) -> Result<Reader<'b>, String> {
        match str::from_utf8(body) {
            Ok(text) => Ok(Reader { text, at: 0, depth: 0 }),
            Err(error) => Err(format!("cannot decode input using UTF-8: {error}")),
        }
    }

    /// Tells a sink of the next value.
    pub fn value(&mut self, sink: &mut dyn Sink) -> Result<(), String> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                match self.string()? {
                    // Without escapes there are no control characters either.
                    Cow::Borrowed(text) => self.tell(sink, Scalar::Text(text)),
                    text => {
                        let text = printable(text, sink);
                        self.tell(sink, Scalar::Text(&text))
                    }
                }
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
            b'[' => self.array(sink),
            b'{' => self.object(sink),
            _ => Err(self.wrong("expected a value")),
        }
    }

    fn tell(&self, sink: &mut dyn Sink, scalar: Scalar<'_>) -> Result<(), String> {
        sink.scalar(scalar).map_err(|refusal| self.refused(refusal))
    }

    fn array(&mut self, sink: &mut dyn Sink) -> Result<(), String> {
        sink.begin_array().map_err(|refusal| self.refused(refusal))?;
        self.open(b'[')?;
        let mut first = true;
        while self.another(first, b']')? {
            first = false;
            self.value(sink)?;
        }
        sink.end().map_err(|refusal| self.refused(refusal))
    }

    fn object(&mut self, sink: &mut dyn Sink) -> Result<(), String> {
        sink.begin_struct().map_err(|refusal| self.refused(refusal))?;
        self.members(|reader| {
            match sink.expected(&reader.text.as_bytes()[reader.at..]) {
                0 => {
                    let name = reader.string()?;
                    sink.name(&name).map_err(|refusal| reader.refused(refusal))?;
                }
                length => reader.at += length + 1,
            }
            reader.colon()?;
            reader.value(sink)
        })?;
        sink.end().map_err(|refusal| self.refused(refusal))
    }

    /// Reads an object, each member of which `member` reads from behind its name's first quote.
    pub fn members(
        &mut self,
        mut member: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.open(b'{')?;
        let mut first = true;
        while self.another(first, b'}')? {
            first = false;
            if self.peek()? != b'"' {
                return Err(self.wrong("expected the name of a member"));
            }
            self.at += 1;
            member(self)?;
        }
        Ok(())
    }

    /// The name of a member, whose value comes next.
    pub fn name(&mut self) -> Result<Cow<'b, str>, String> {
        let name = self.string()?;
        self.colon()?;
        Ok(name)
    }

    /// Passes over the next value and returns its text.
    pub fn skip(&mut self) -> Result<&'b str, String> {
        self.peek()?;
        let begin = self.at;
        self.value(&mut ())?;
        Ok(&self.text[begin..self.at])
    }

    /// Nothing but white space may follow.
    pub fn end(mut self) -> Result<(), String> {
        match self.peek() {
            Err(_) => Ok(()),
            Ok(_) => Err(self.wrong("text after the end")),
        }
    }

    fn open(&mut self, bracket: u8) -> Result<(), String> {
        if self.peek()? != bracket {
            return Err(self.wrong(&format!("expected \"{}\"", char::from(bracket))));
        }
        if self.depth == MAX_DEPTH {
            return Err(self.wrong(&format!("values nested more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Whether a part follows, or the bracket that closes them all.
    #[inline]
    fn another(&mut self, first: bool, close: u8) -> Result<bool, String> {
        match self.peek()? {
            byte if byte == close => {
                self.depth -= 1;
                self.at += 1;
                Ok(false)
            }
            _ if first => Ok(true),
            // A bracket behind it is then no part.
            b',' => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.wrong("expected a comma")),
        }
    }

    #[inline]
    fn colon(&mut self) -> Result<(), String> {
        match self.peek()? {
            b':' => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.wrong("expected a colon")),
        }
    }

    #[inline]
    fn word(&mut self, word: &str) -> Result<(), String> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.wrong("expected a value"));
        }
        self.at += word.len();
        Ok(())
    }

    /// A number that is no integer keeps its text: Odoo sends the shortest that is exact.
    #[inline]
    fn number(&mut self, sink: &mut dyn Sink) -> Result<(), String> {
        let begin = self.at;
        self.pass(|byte| byte == b'-');
        let leading_zero = self.byte() == Some(b'0');
        if self.digits()? > 1 && leading_zero {
            return Err(self.wrong("a number that begins with a zero"));
        }
        let is_integer = !self.pass(|byte| byte == b'.');
        if !is_integer {
            self.digits()?;
        }
        let has_exponent = self.pass(|byte| matches!(byte, b'e' | b'E'));
        if has_exponent {
            self.pass(|byte| matches!(byte, b'+' | b'-'));
            self.digits()?;
        }
        let text = &self.text[begin..self.at];
        if is_integer
            && !has_exponent
            && let Ok(int) = text.parse()
        {
            return self.tell(sink, Scalar::Int(int));
        }
        // A double can hold what is written with so few digits.
        let is_small = !has_exponent && text.len() < 300;
        match is_small || text.parse::<f64>().is_ok_and(f64::is_finite) {
            true => self.tell(sink, Scalar::Double(text)),
            false => Err(self.wrong("a number out of range")),
        }
    }

    /// Passes over the next byte if it is such a one.
    #[inline]
    fn pass(&mut self, is_such: impl Fn(u8) -> bool) -> bool {
        let passed = self.byte().is_some_and(is_such);
        self.at += usize::from(passed);
        passed
    }

    /// Passes over one digit or more and returns how many.
    #[inline]
    fn digits(&mut self) -> Result<usize, String> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        match count {
            0 => Err(self.wrong("an incomplete number")),
            count => Ok(count),
        }
    }

    /// The rest of a string, whose quote was read.
    #[inline]
    fn string(&mut self) -> Result<Cow<'b, str>, String> {
        let begin = self.at;
        self.at += plain(&self.text.as_bytes()[begin..]);
        let text = &self.text[begin..self.at];
        match self.byte() {
            Some(b'"') => {
                self.at += 1;
                Ok(Cow::Borrowed(text))
            }
            _ => self.escaped(text).map(Cow::Owned),
        }
    }

    /// A string from its first escape on.
    fn escaped(&mut self, before: &str) -> Result<String, String> {
        let mut text = before.to_owned();
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                Some(_) => return Err(self.wrong("a control character in a text")),
                None => return Err(CUT.to_owned()),
            }
            let begin = self.at;
            self.at += plain(&self.text.as_bytes()[begin..]);
            text.push_str(&self.text[begin..self.at]);
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let escape = self.byte().ok_or(CUT)?;
        self.at += 1;
        Ok(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.code()?;
                // Characters beyond U+FFFF are two escapes.
                if (0xd800..0xdc00).contains(&code) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    let low = self.code()?.wrapping_sub(0xdc00);
                    code = if low < 0x400 { 0x10000 + ((code - 0xd800) << 10) + low } else { code };
                }
                char::from_u32(code).ok_or_else(|| self.wrong("half a character"))?
            }
            _ => return Err(self.wrong("an unknown escape")),
        })
    }

    /// Four hexadecimal digits.
    fn code(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = char::from(self.byte().ok_or(CUT)?).to_digit(16);
            code = code * 16 + digit.ok_or_else(|| self.wrong("an unknown escape"))?;
            self.at += 1;
        }
        Ok(code)
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space.
    #[inline]
    fn peek(&mut self) -> Result<u8, String> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(byte) => return Ok(byte),
                None => return Err(CUT.to_owned()),
            }
        }
    }

    #[cold]
    fn wrong(&self, reason: &str) -> String {
        format!("{reason}, at byte {}", self.at)
    }

    #[cold]
    fn refused(&self, refusal: Refusal) -> String {
        self.wrong(&format!("the response holds {}", refusal.0))
    }
}

const CUT: &str = "the document is cut off";

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

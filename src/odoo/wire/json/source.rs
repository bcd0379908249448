//! Where the bytes of a JSON text come from: a window of the body at a time.

use std::io::Read;
use std::ops::Range;

use crate::odoo::wire::http::body::{DecodeError, fill};

/// Bytes that are read at once; few in tests, whose documents are small.
pub const WINDOW: usize = if cfg!(any(test, fuzzing)) { 16 } else { 32 * 1024 };

/// Stands for a byte where there is none; JSON has none like it.
const END: u8 = 0;

/// Small, as the results of all steps are.
pub type Failure = Box<DecodeError>;

fn malformed(reason: String) -> Failure {
    Box::new(DecodeError::Malformed(reason))
}

pub struct Source<'r> {
    input: &'r mut dyn Read,
    window: Vec<u8>,
    /// How many bytes at the beginning of the window are those of a character whose rest has not
    /// come.
    partial: usize,
    /// What has come. Places in it are good until [`Source::forget`].
    text: String,
    /// The place of the next byte.
    pub at: usize,
    /// How much was forgotten.
    passed: usize,
    /// Why no more could be read.
    failure: Option<Failure>,
}

impl<'r> Source<'r> {
    pub fn new(input: &'r mut dyn Read) -> Source<'r> {
        let (window, text) = (vec![0; WINDOW], String::new());
        Source { input, window, partial: 0, text, at: 0, passed: 0, failure: None }
    }

    #[inline]
    pub fn get(&self, range: Range<usize>) -> &str {
        &self.text[range]
    }

    /// What has come and was not passed.
    #[inline]
    pub fn rest(&self) -> &[u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// The next byte, which is not passed, or [`END`].
    #[inline]
    pub fn byte(&mut self) -> u8 {
        match self.text.as_bytes().get(self.at) {
            Some(byte) => *byte,
            None => self.more(),
        }
    }

    /// Passes over the next byte if it is such a one.
    #[inline]
    pub fn pass(&mut self, is_such: impl Fn(u8) -> bool) -> bool {
        let passed = is_such(self.byte());
        self.at += usize::from(passed);
        passed
    }

    /// The next byte that is no white space.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        loop {
            match self.byte() {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return byte,
            }
        }
    }

    /// Nothing but white space may follow.
    pub fn end(mut self) -> Result<(), Failure> {
        self.peek();
        match self.failure {
            None if self.at == self.text.len() => Ok(()),
            _ => Err(self.wrong("text after the end")),
        }
    }

    /// Whether so much was passed that it should be forgotten. Not for each window: what has come
    /// but was not passed has to move.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.at > 4 * WINDOW
    }

    /// Frees what was passed.
    #[cold]
    pub fn forget(&mut self) {
        self.text.drain(..self.at);
        self.passed += self.at;
        self.at = 0;
    }

    /// Reads on, and returns the first byte that came.
    #[cold]
    fn more(&mut self) -> u8 {
        let begin = self.text.len();
        if self.failure.is_none() {
            self.failure = self.read().err();
        }
        self.text.as_bytes().get(begin).copied().unwrap_or(END)
    }

    fn read(&mut self) -> Result<(), Failure> {
        let free = &mut self.window[self.partial..];
        let read = fill(self.input, free).map_err(|error| Box::new(DecodeError::Read(error)))?;
        let end = self.partial + read;
        let whole = match str::from_utf8(&self.window[..end]) {
            Ok(text) => {
                self.text.push_str(text);
                end
            }
            // Of the last character more may come.
            Err(error) if error.error_len().is_none() && read > 0 => {
                let whole = error.valid_up_to();
                self.text.push_str(&String::from_utf8_lossy(&self.window[..whole]));
                whole
            }
            Err(error) => {
                return Err(malformed(format!("cannot decode input using UTF-8: {error}")));
            }
        };
        self.window.copy_within(whole..end, 0);
        self.partial = end - whole;
        Ok(())
    }

    /// What is wrong with the next byte, or why there is none.
    #[cold]
    pub fn wrong(&mut self, reason: &str) -> Failure {
        match self.failure.take() {
            Some(failure) => failure,
            None if self.at < self.text.len() => self.wrong_before(reason),
            None => malformed("the document is cut off".into()),
        }
    }

    /// What is wrong with what was passed last.
    #[cold]
    pub fn wrong_before(&self, reason: &str) -> Failure {
        malformed(format!("{reason}, at byte {}", self.passed + self.at))
    }
}

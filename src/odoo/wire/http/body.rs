//! The body of an answer, on its way to a decoder.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// How much of an unexpected answer errors show.
pub const BEGINNING: usize = 200;

/// Why an answer could not be decoded.
#[derive(Debug)]
pub enum DecodeError {
    /// Its bytes did not come.
    Read(io::Error),
    /// They are not what was promised.
    Malformed(String),
}

/// Reads until the buffer is full or the input ends, and returns how much came.
pub fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(amount) => filled += amount,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A reader that remembers how the answer began, for errors, and how much came in what time.
pub struct Witness<R> {
    reader: R,
    beginning: Vec<u8>,
    pub bytes: u64,
    pub waited: Duration,
}

impl<R: Read> Witness<R> {
    pub fn new(reader: R) -> Witness<R> {
        Witness { reader, beginning: Vec::new(), bytes: 0, waited: Duration::ZERO }
    }

    /// The first bytes that were read, as one line of text.
    pub fn beginning(&self) -> String {
        String::from_utf8_lossy(&self.beginning)
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect()
    }
}

impl<R: Read> Read for Witness<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let begin = Instant::now();
        let amount = self.reader.read(out)?;
        self.waited += begin.elapsed();
        self.bytes += amount as u64;
        let missing = BEGINNING - self.beginning.len();
        self.beginning.extend_from_slice(&out[..amount.min(missing)]);
        Ok(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odoo::wire::{json, xmlrpc};

    /// Gives a byte at a time, between interruptions, and then an error or an end.
    struct Drip(&'static [u8], bool, Option<io::ErrorKind>);

    impl Read for Drip {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match (self.0, self.2) {
                ([], Some(kind)) => Err(kind.into()),
                (bytes, _) => {
                    let amount = bytes.len().min(1);
                    out[..amount].copy_from_slice(&bytes[..amount]);
                    self.0 = &bytes[amount..];
                    Ok(amount)
                }
            }
        }
    }

    #[test]
    fn a_buffer_is_filled_from_small_pieces() {
        let (mut input, mut buffer) = (Drip(b"abcde", false, None), [0; 3]);
        assert_eq!(fill(&mut input, &mut buffer).unwrap(), 3);
        assert_eq!(buffer, *b"abc");
        assert_eq!(fill(&mut input, &mut buffer).unwrap(), 2);
        assert_eq!(buffer[..2], *b"de");
        assert_eq!(fill(&mut input, &mut buffer).unwrap(), 0);
    }

    #[test]
    fn answers_that_break_off_are_no_malformed_ones() {
        let kind = io::ErrorKind::ConnectionReset;
        let broken = |bytes| Drip(bytes, false, Some(kind));
        let is_told = |error| matches!(error, DecodeError::Read(error) if error.kind() == kind);
        for body in
            [&b""[..], b"[", b"[1, 2", b"[\"a text longer than a window", b"[1]", b"[\"\xc3"]
        {
            assert!(is_told(json::decode_value(&mut broken(body), &mut ()).unwrap_err()));
        }
        for body in [&b""[..], b"<methodResponse>", b"<methodResponse><params><param>", b"<meth"] {
            assert!(is_told(xmlrpc::decode(&mut broken(body), &mut ()).unwrap_err()));
        }
    }
}

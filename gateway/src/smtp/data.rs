//! The content of a message (RFC 5321, sections 4.1.1.4 and 4.5.2): found, dot-unstuffed, otherwise kept byte for byte.
//!
//! Lines end with CR LF and nothing else, the end is CR LF . CR LF and nothing else: whatever another server might take
//! for a line end is refused (SMTP smuggling), never repaired. Content over the limit is read to its end and dropped.
//! Memory is taken only after the caller agreed to it.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr2;

/// What is reserved before the size is known, in bytes.
const FIRST_SLICE: u64 = 64 * 1024;

/// How far the content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The input is used up.
    NeedsInput,
    /// The input does not fit: reserve [`DataReader::wanted`] bytes and call [`DataReader::make_room`].
    NeedsRoom,
    /// The final dot is there: take [`DataReader::into_content`].
    Whole,
    /// The final dot is there, and the content was over the limit.
    TooBig,
    /// A CR without LF or an LF without CR: nothing behind it can be trusted.
    BareLineEnd,
}

/// Where in a line the next byte stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    LineStart,
    Middle,
    AfterCr,
    AfterDot,
    AfterDotCr,
}

/// Collects the content.
#[derive(Debug)]
pub struct DataReader {
    content: BytesMut,
    place: Place,
    limit: u64,
    wanted: u64,
    is_over: bool,
}

impl DataReader {
    /// A reader just behind 354. `limit` is the largest content, `size` what the client announced, both in bytes.
    #[must_use]
    pub fn new(limit: u64, size: Option<u64>) -> Self {
        Self {
            content: BytesMut::new(),
            place: Place::LineStart,
            limit,
            wanted: size
                .filter(|size| *size > 0)
                .unwrap_or(FIRST_SLICE)
                .min(limit),
            is_over: false,
        }
    }

    /// How many bytes the content wants to hold in all.
    #[must_use]
    pub const fn wanted(&self) -> u64 {
        self.wanted
    }

    /// Allocates what [`DataReader::wanted`] says.
    pub fn make_room(&mut self) {
        let wanted = usize::try_from(self.wanted).unwrap_or(usize::MAX);
        self.content
            .reserve(wanted.saturating_sub(self.content.len()));
    }

    /// Takes bytes off `input`, up to the final dot at most.
    pub fn read(&mut self, input: &mut BytesMut) -> Progress {
        let after = (self.content.len() as u64)
            .saturating_add(input.len() as u64)
            .min(self.limit);
        if !self.is_over && after > self.wanted {
            self.wanted = self.wanted.saturating_mul(2).max(after).min(self.limit);
            return Progress::NeedsRoom;
        }
        let (progress, taken) = self.scan(input);
        input.advance(taken);
        progress
    }

    /// The content, without a copy.
    #[must_use]
    pub fn into_content(self) -> Bytes {
        self.content.freeze()
    }

    /// Walks over `input` line by line, and keeps it in runs as long as possible: a run ends only at a dot that is
    /// dropped. Gives how many bytes were used.
    fn scan(&mut self, input: &[u8]) -> (Progress, usize) {
        let mut rest = Rest {
            input,
            kept: 0,
            at: 0,
        };
        loop {
            let Some(byte) = rest.peek() else {
                self.keep(rest.run());
                return (Progress::NeedsInput, rest.at);
            };
            self.place = match (self.place, byte) {
                (Place::LineStart, b'.') => {
                    self.keep(rest.run());
                    rest.drop_byte();
                    Place::AfterDot
                }
                (Place::AfterCr, b'\n') => {
                    rest.at += 1;
                    Place::LineStart
                }
                (Place::AfterDot, b'\r') => {
                    rest.drop_byte();
                    Place::AfterDotCr
                }
                (Place::AfterDotCr, b'\n') => {
                    rest.drop_byte();
                    return (self.end(), rest.at);
                }
                (Place::AfterCr | Place::AfterDotCr, _) => return (Progress::BareLineEnd, rest.at),
                (Place::LineStart | Place::Middle | Place::AfterDot, _) => {
                    match rest.skip_to_line_end() {
                        None => Place::Middle,
                        Some(b'\r') => Place::AfterCr,
                        Some(_) => return (Progress::BareLineEnd, rest.at),
                    }
                }
            };
        }
    }

    fn keep(&mut self, run: &[u8]) {
        if (self.content.len() as u64).saturating_add(run.len() as u64) > self.limit {
            self.is_over = true;
            self.content = BytesMut::new();
        }
        if !self.is_over {
            self.content.extend_from_slice(run);
        }
    }

    const fn end(&self) -> Progress {
        if self.is_over {
            Progress::TooBig
        } else {
            Progress::Whole
        }
    }
}

/// Input that is being walked over: `kept..at` is a run that goes into the content.
struct Rest<'a> {
    input: &'a [u8],
    kept: usize,
    at: usize,
}

impl<'a> Rest<'a> {
    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    fn run(&self) -> &'a [u8] {
        self.input.get(self.kept..self.at).unwrap_or_default()
    }

    /// Passes over a byte that does not go into the content.
    const fn drop_byte(&mut self) {
        self.at += 1;
        self.kept = self.at;
    }

    /// Passes over the line's bytes and the CR or LF behind them, and gives that one.
    fn skip_to_line_end(&mut self) -> Option<u8> {
        let line = self.input.get(self.at..).unwrap_or_default();
        let length = memchr2(b'\r', b'\n', line);
        self.at += length.map_or(line.len(), |length| length + 1);
        length.and_then(|length| line.get(length)).copied()
    }
}

#[cfg(test)]
#[path = "data/tests.rs"]
mod tests;

//! Command lines, cut out of the input at CR LF and nowhere else.
//!
//! Every split of the input gives the same lines. A bare CR or LF is a mistake that ends the session, since another
//! server may see a line end there (SMTP smuggling). What a line means is not known here.

use bytes::{Buf, BytesMut};
use memchr::memchr2;

use super::mistake::Mistake;

/// Longest line, in bytes with its CR LF: room for long UTF-8 paths and parameters.
pub(super) const LONGEST: usize = 4096;

/// Reads lines; remembers only whether the present one is too long already.
#[derive(Debug, Default)]
pub(super) struct LineReader {
    too_long: bool,
}

impl LineReader {
    /// Takes one line off the front of `input`; none if its end is not there yet.
    ///
    /// A line over [`LONGEST`] is dropped as it comes, and reported at its end.
    pub(super) fn read(&mut self, input: &mut BytesMut) -> Option<Result<String, Mistake>> {
        let Some(length) = memchr2(b'\r', b'\n', input) else {
            if input.len() + 2 > LONGEST {
                self.too_long = true;
                input.clear();
            }
            return None;
        };
        let is_strict = input.get(length) == Some(&b'\r');
        match input.get(length + 1) {
            Some(b'\n') if is_strict => {}
            None if is_strict => return None,
            _ => return Some(Err(Mistake::BareLineEnd)),
        }
        let line = input.split_to(length);
        input.advance(2);
        if std::mem::take(&mut self.too_long) || length + 2 > LONGEST {
            return Some(Err(Mistake::LineTooLong));
        }
        Some(text(line))
    }
}

fn text(line: BytesMut) -> Result<String, Mistake> {
    if line.contains(&0) {
        return Err(Mistake::NulByte);
    }
    String::from_utf8(line.into()).map_err(|_| Mistake::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], chunk: usize) -> Vec<Result<String, Mistake>> {
        let mut reader = LineReader::default();
        let mut buffer = BytesMut::new();
        let mut found = Vec::new();
        for piece in input.chunks(chunk) {
            buffer.extend_from_slice(piece);
            while let Some(line) = reader.read(&mut buffer) {
                let ends = line == Err(Mistake::BareLineEnd);
                found.push(line);
                if ends {
                    return found;
                }
            }
        }
        found
    }

    #[test]
    fn every_split_gives_the_same_lines() {
        let long = vec![b'x'; LONGEST - 1];
        let fits = vec![b'x'; LONGEST - 2];
        let ok = |text: &str| Ok(text.to_owned());
        for (input, expected) in [
            (&b""[..], vec![]),
            (b"NOOP", vec![]),
            (b"NOOP\r", vec![]),
            (b"NOOP\r\n", vec![ok("NOOP")]),
            (b"\r\n\r\n", vec![ok(""), ok("")]),
            (b"A\r\nB\r\nC", vec![ok("A"), ok("B")]),
            (b"A\nB\r\n", vec![Err(Mistake::BareLineEnd)]),
            (b"A\rB\r\n", vec![Err(Mistake::BareLineEnd)]),
            (b"A\r\r\n", vec![Err(Mistake::BareLineEnd)]),
            (b"\n", vec![Err(Mistake::BareLineEnd)]),
            (b"A\0B\r\nC\r\n", vec![Err(Mistake::NulByte), ok("C")]),
            (b"\xff\xfe\r\nC\r\n", vec![Err(Mistake::NotUtf8), ok("C")]),
            ("ö\r\n".as_bytes(), vec![ok("ö")]),
            (
                &[&long[..], b"\r\nC\r\n"].concat(),
                vec![Err(Mistake::LineTooLong), ok("C")],
            ),
            (
                &[&long[..], b"\nC\r\n"].concat(),
                vec![Err(Mistake::BareLineEnd)],
            ),
            (
                &[&long[..], &long, &long, b"\r\n"].concat(),
                vec![Err(Mistake::LineTooLong)],
            ),
            (
                &[&fits[..], b"\r\n"].concat(),
                vec![Ok("x".repeat(LONGEST - 2))],
            ),
        ] {
            for chunk in [1, 2, 3, 7, 1000, 100_000] {
                let shown = input.escape_ascii().to_string();
                assert_eq!(lines(input, chunk), expected, "{chunk}: {shown:.40}");
            }
        }
    }
}

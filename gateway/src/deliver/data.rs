//! The content after DATA (RFC 5321, section 4.5.2): what arrives is what was given, byte for byte.
//!
//! Dots at the beginning of lines are doubled, and the final line end is not: only a content without one gets one. Content
//! comes in pieces, so that a large one is never in memory as a whole.

use memchr::memmem;

/// A content on its way, piece by piece.
#[derive(Debug)]
pub(super) struct Stuffing {
    place: Place,
    wire: Vec<u8>,
}

/// Where in a line the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    Middle,
    AfterCr,
}

impl Stuffing {
    pub(super) const fn new() -> Self {
        Self {
            place: Place::LineStart,
            wire: Vec::new(),
        }
    }

    /// The next piece as it is written.
    pub(super) fn piece(&mut self, content: &[u8]) -> &[u8] {
        self.wire.clear();
        self.wire.reserve(content.len() + content.len() / 64 + 8);
        let mut rest = content;
        if self.place == Place::AfterCr
            && let Some(after) = rest.strip_prefix(b"\n")
        {
            self.wire.push(b'\n');
            self.place = Place::LineStart;
            rest = after;
        }
        while !rest.is_empty() {
            if self.place == Place::LineStart && rest.starts_with(b".") {
                self.wire.push(b'.');
            }
            // Up to the next line that begins with a dot, in one go.
            let end = memmem::find(rest, b"\r\n.").map_or(rest.len(), |found| found + 2);
            let (run, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            self.wire.extend_from_slice(run);
            self.place = Place::behind(run);
            rest = after;
        }
        &self.wire
    }

    /// What follows the last piece: the final dot.
    pub(super) const fn end(&self) -> &'static [u8] {
        match self.place {
            Place::LineStart => b".\r\n",
            Place::Middle | Place::AfterCr => b"\r\n.\r\n",
        }
    }
}

impl Place {
    fn behind(run: &[u8]) -> Self {
        match run {
            [.., b'\r', b'\n'] => Self::LineStart,
            [.., b'\r'] => Self::AfterCr,
            _ => Self::Middle,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stuff<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut stuffing = Stuffing::new();
        let mut all = Vec::new();
        for piece in pieces {
            all.extend_from_slice(stuffing.piece(piece));
        }
        all.extend_from_slice(stuffing.end());
        all
    }

    /// What a server makes of it, by the letter of section 4.5.2.
    fn unstuff(wire: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        let mut rest = wire;
        while rest != b".\r\n" {
            let end = memmem::find(rest, b"\r\n").expect("a line end") + 2;
            let (line, after) = rest.split_at(end);
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
            rest = after;
        }
        content
    }

    #[test]
    fn dots_are_doubled_and_nothing_else_changes() {
        for (content, wire) in [
            (&b""[..], &b".\r\n"[..]),
            (b"\r\n", b"\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b"a\r\n\r\n", b"a\r\n\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b".\r\n", b"..\r\n.\r\n"),
            (b"..\r\n", b"...\r\n.\r\n"),
            (b"a.b\r\n", b"a.b\r\n.\r\n"),
            (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\n.\r\n.\r\n", b"a\r\n..\r\n..\r\n.\r\n"),
            (b"\r\n.\r\n.", b"\r\n..\r\n..\r\n.\r\n"),
            (b"a\n.\r\n", b"a\n.\r\n.\r\n"),
        ] {
            assert_eq!(stuff([content]), wire, "{content:?}");
            assert_eq!(stuff(content.chunks(1)), wire, "{content:?} byte by byte");
        }
    }

    proptest! {
        #[test]
        fn what_is_stuffed_comes_back_wherever_it_is_cut(
            lines in prop::collection::vec("[.a]{0,4}", 0..40),
            size in 1_usize..20,
        ) {
            let content: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\r\n").into_bytes()).collect();
            prop_assert_eq!(unstuff(&stuff(content.chunks(size))), content);
        }
    }
}

//! The content after DATA (RFC 5321, section 4.5.2): what arrives is what was given, byte for byte.
//!
//! Dots at the beginning of lines are doubled, and the final line end is not: only a content without one gets one. Lines end
//! in CRLF and nothing else; [`has_bare_line_end`] tells content that some server would see other lines in.

use memchr::memmem;

/// Length of the pieces that are written, in bytes: few and large.
pub(super) const PIECE: usize = 256 * 1024;

/// A content on its way, piece by piece.
#[derive(Debug)]
pub(super) struct Stuffed<'a> {
    content: &'a [u8],
    at: usize,
    ended: bool,
    piece: Vec<u8>,
}

impl<'a> Stuffed<'a> {
    pub(super) fn new(content: &'a [u8]) -> Self {
        Self {
            content,
            at: 0,
            ended: false,
            piece: Vec::with_capacity(PIECE.min(content.len() + content.len() / 32 + 64)),
        }
    }

    /// The next piece to write; none after the final dot.
    pub(super) fn next_piece(&mut self) -> Option<&[u8]> {
        if self.ended {
            return None;
        }
        self.piece.clear();
        while self.piece.len() < PIECE {
            let run = self.next_run(PIECE - self.piece.len());
            if run.is_empty() {
                self.end();
                break;
            }
            if self.at_line_start() && run.starts_with(b".") {
                self.piece.push(b'.');
            }
            self.piece.extend_from_slice(run);
            self.at += run.len();
        }
        Some(&self.piece)
    }

    /// What can be copied as it is: up to the next line that begins with a dot, or about `limit` bytes.
    fn next_run(&self, limit: usize) -> &'a [u8] {
        let (_, rest) = self.content.split_at_checked(self.at).unwrap_or_default();
        let (window, beyond) = rest.split_at_checked(limit).unwrap_or((rest, &[]));
        // A CR is not parted from its LF: the search below would not see the line end.
        let cut = window.len() + usize::from(window.ends_with(b"\r") && beyond.starts_with(b"\n"));
        let window = rest.get(..cut).unwrap_or(rest);
        let end = memmem::find(window, b"\r\n.").map_or(window.len(), |found| found + 2);
        window.get(..end).unwrap_or(window)
    }

    fn at_line_start(&self) -> bool {
        let (before, _) = self.content.split_at_checked(self.at).unwrap_or_default();
        before.is_empty() || before.ends_with(b"\r\n")
    }

    fn end(&mut self) {
        if !self.at_line_start() {
            self.piece.extend_from_slice(b"\r\n");
        }
        self.piece.extend_from_slice(b".\r\n");
        self.ended = true;
    }
}

/// Whether the content has a CR or an LF outside of CRLF. Such content is never sent: servers that take either for a line end
/// would see commands of a stranger's in it (SMTP smuggling).
pub(super) fn has_bare_line_end(content: &[u8]) -> bool {
    let mut expected = 0;
    for place in memchr::memchr2_iter(b'\r', b'\n', content) {
        let is_feed = content.get(place) == Some(&b'\n');
        match (is_feed, expected == place && place > 0) {
            // The LF right after a CR.
            (true, true) => expected = 0,
            // A CR, when no other waits for its LF.
            (false, _) if expected == 0 => expected = place + 1,
            _ => return true,
        }
    }
    expected != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stuff(content: &[u8]) -> Vec<u8> {
        let mut stuffed = Stuffed::new(content);
        let mut all = Vec::new();
        while let Some(piece) = stuffed.next_piece() {
            assert!(piece.len() <= PIECE + 8);
            all.extend_from_slice(piece);
        }
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
            assert_eq!(stuff(content), wire, "{content:?}");
        }
    }

    #[test]
    fn dots_at_the_seams_of_pieces_are_doubled() {
        for shift in 0..8 {
            let mut content = vec![b'x'; PIECE - shift];
            content.extend_from_slice(b"\r\n.\r\n.x\r\n");
            assert_eq!(unstuff(&stuff(&content)), content, "{shift}");
        }
        let content = b".\r\n".repeat(PIECE);
        assert_eq!(unstuff(&stuff(&content)), content);
    }

    #[test]
    fn bare_line_ends_are_seen() {
        for (content, bare) in [
            (&b""[..], false),
            (b"a\r\nb\r\n\r\n", false),
            (b"\r\n", false),
            (b"\n", true),
            (b"\r", true),
            (b"a\nb", true),
            (b"a\rb", true),
            (b"\r\r\n", true),
            (b"\r\n\n", true),
            (b"\r\n\r", true),
            (b"\n\r\n", true),
            (b"a\r\n.\n", true),
        ] {
            assert_eq!(has_bare_line_end(content), bare, "{content:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_stuffed_comes_back(lines in prop::collection::vec("[.a]{0,4}", 0..40)) {
            let content: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\r\n").into_bytes()).collect();
            prop_assert!(!has_bare_line_end(&content));
            prop_assert_eq!(unstuff(&stuff(&content)), content);
        }

        #[test]
        fn bare_line_ends_are_those_that_remain_without_crlf(text in "[\r\na]{0,12}") {
            let rest = text.replace("\r\n", "");
            prop_assert_eq!(has_bare_line_end(text.as_bytes()), rest.contains(['\r', '\n']));
        }
    }
}

//! Line ends of content that did not come by SMTP: out of an encrypted part, say.

use std::borrow::Cow;

use memchr::memchr2_iter;

/// The same lines, each ended by CRLF (RFC 5322, section 2.3); borrowed where they are so already.
#[must_use]
pub fn with_crlf(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = first_bare(bytes) else {
        return Cow::Borrowed(bytes);
    };
    let (good, rest) = bytes.split_at_checked(first).unwrap_or((bytes, &[]));
    let mut lines = Vec::with_capacity(bytes.len() + bytes.len() / 32 + 2);
    lines.extend_from_slice(good);
    let mut copied = 0;
    for place in memchr2_iter(b'\r', b'\n', rest) {
        if place < copied {
            continue;
        }
        lines.extend_from_slice(rest.get(copied..place).unwrap_or_default());
        lines.extend_from_slice(b"\r\n");
        copied = place
            + if rest
                .get(place..)
                .is_some_and(|end| end.starts_with(b"\r\n"))
            {
                2
            } else {
                1
            };
    }
    lines.extend_from_slice(rest.get(copied..).unwrap_or_default());
    Cow::Owned(lines)
}

/// Whether a CR or an LF stands outside of CRLF. Such content is never sent: servers that take either for a line end would see
/// commands of a stranger's in it (SMTP smuggling).
#[must_use]
pub fn has_bare_line_end(bytes: &[u8]) -> bool {
    first_bare(bytes).is_some()
}

/// Where the first CR or LF stands that is not part of a CRLF.
pub(super) fn first_bare(bytes: &[u8]) -> Option<usize> {
    let mut paired = None;
    memchr2_iter(b'\r', b'\n', bytes).find(|place| {
        if paired.take() == Some(*place) {
            return false;
        }
        let is_pair = bytes
            .get(*place..)
            .is_some_and(|end| end.starts_with(b"\r\n"));
        paired = is_pair.then_some(place + 1);
        !is_pair
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_line_ends_in_crlf() {
        for (input, expected) in [
            (&b""[..], &b""[..]),
            (b"a\r\nb\r\n", b"a\r\nb\r\n"),
            (b"a\nb\n", b"a\r\nb\r\n"),
            (b"a\rb", b"a\r\nb"),
            (b"a\r\n\n\r\r\nb", b"a\r\n\r\n\r\n\r\nb"),
            (b"\n\r", b"\r\n\r\n"),
            (b"a\r\nb\n", b"a\r\nb\r\n"),
        ] {
            assert_eq!(*with_crlf(input), *expected, "{}", input.escape_ascii());
        }
        assert!(matches!(with_crlf(b"a\r\nb\r\n"), Cow::Borrowed(_)));
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
        fn bare_line_ends_are_those_that_remain_without_crlf(text in "[\r\na]{0,12}") {
            let rest = text.replace("\r\n", "");
            prop_assert_eq!(has_bare_line_end(text.as_bytes()), rest.contains(['\r', '\n']));
        }
    }
}

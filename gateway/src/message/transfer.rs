//! Which transfer encoding a body needs to pass a 7-bit hop unchanged (RFC 8551, section 3.1.3).

use encodify::{base64, qp};
use memchr::{memchr, memchr_iter, memmem};

use super::line_ends::first_bare;
use super::structure::UNWRITTEN;
use super::{ContentType, Part, PartKind, TransferEncoding};

/// Longest line that every hop takes, without its line end (RFC 5321, section 4.5.3.1.6).
const LONGEST_LINE: usize = 998;

/// A body that was encoded anew.
pub(super) struct Encoded {
    /// The value of its Content-Transfer-Encoding.
    pub(super) name: &'static str,
    pub(super) body: Vec<u8>,
}

/// The body of the leaf `part` of `content` in an encoding that passes every hop; none where it does so as it is.
///
/// None as well where there is no right encoding: see [`is_fixed`].
pub(super) fn encoded(part: &Part, content: &[u8]) -> Option<Encoded> {
    let body = content.get(part.body.clone()).unwrap_or_default();
    if is_fixed(part) || is_safe(body, &part.content_type) {
        return None;
    }
    let decoded = part.decoded(content);
    let is_text = part.content_type.is_text() || part.content_type.main == "message";
    let is_lines = is_text && memchr(0, &decoded).is_none() && first_bare(&decoded).is_none();
    Some(if is_lines && part.encoding != TransferEncoding::Base64 {
        quoted_printable(&decoded)
    } else {
        in_base64(&decoded)
    })
}

/// Whether the body has to stay as it is written: a type that may not be encoded (RFC 2045, section 6.4), an encoding
/// that we do not know, a part that holds other parts.
pub(super) fn is_fixed(part: &Part) -> bool {
    part.kind != PartKind::Leaf
        || part.content_type.main == "multipart"
        || part.content_type.is("message", "rfc822")
        || part.encoding == TransferEncoding::Unknown
}

/// Whether bytes outside any part (a preamble, an epilogue) pass every hop as they are.
pub(super) fn is_safe_padding(bytes: &[u8]) -> bool {
    is_safe(bytes, &UNWRITTEN)
}

/// The charset to declare for a text whose header says nothing.
pub(super) fn charset_of(body: &[u8]) -> &'static str {
    if body.is_ascii() {
        "us-ascii"
    } else if std::str::from_utf8(body).is_ok() {
        "utf-8"
    } else {
        // RFC 1428, section 3: eight bits of which nobody knows more.
        "unknown-8bit"
    }
}

/// Seven bits, no NUL, no bare CR or LF, short lines; and no line that a mailbox file would take for the start of a
/// message (a report or another message/* may not be encoded for that alone).
fn is_safe(body: &[u8], content_type: &ContentType) -> bool {
    if !body.is_ascii() || memchr(0, body).is_some() {
        return false;
    }
    let mut rest = body;
    let mut lines = 0;
    while let Some(newline) = memchr(b'\n', rest) {
        let Some((line, after)) = rest.split_at_checked(newline + 1) else {
            return false;
        };
        if !line.ends_with(b"\r\n") || line.len() > LONGEST_LINE + 2 || is_from(line, content_type)
        {
            return false;
        }
        lines += 1;
        rest = after;
    }
    // Each line has its CR, and there is no other.
    rest.len() <= LONGEST_LINE
        && !is_from(rest, content_type)
        && memchr_iter(b'\r', body).count() == lines
}

fn is_from(line: &[u8], content_type: &ContentType) -> bool {
    line.starts_with(b"From ") && content_type.main != "message"
}

pub(super) fn in_base64(decoded: &[u8]) -> Encoded {
    let mut body = Vec::with_capacity(base64::MIME.encoded_len(decoded.len()));
    base64::MIME.encode_append(decoded, &mut body);
    Encoded {
        name: "base64",
        body,
    }
}

/// Quoted-printable, in which a line that begins with "From " is broken softly after its F.
pub(super) fn quoted_printable(decoded: &[u8]) -> Encoded {
    let encoded = qp::BODY.encode(decoded).into_bytes();
    let starts_line = |place: &usize| {
        encoded
            .get(..*place)
            .is_some_and(|before| before.is_empty() || before.ends_with(b"\n"))
    };
    let places: Vec<usize> = memmem::find_iter(&encoded, b"From ")
        .filter(starts_line)
        .collect();
    if places.is_empty() {
        return Encoded {
            name: "quoted-printable",
            body: encoded,
        };
    }
    let mut body = Vec::with_capacity(encoded.len() + 3 * places.len());
    let mut copied = 0;
    for place in places {
        body.extend_from_slice(encoded.get(copied..=place).unwrap_or_default());
        body.extend_from_slice(b"=\r\n");
        copied = place + 1;
    }
    body.extend_from_slice(encoded.get(copied..).unwrap_or_default());
    Encoded {
        name: "quoted-printable",
        body,
    }
}

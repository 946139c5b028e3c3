//! multipart bodies as RFC 4387 stores send several certificates (RFC 2046, section 5.1): bodies of the parts, as they
//! came. Headers of parts are passed over, since a certificate tells its own encoding.

use memchr::memmem;

use crate::source::MOST_CERTIFICATES;

/// Longest boundary (RFC 2046, section 5.1.1).
const LONGEST_BOUNDARY: usize = 70;

/// The boundary that a multipart Content-Type names; none for other types.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let mut pieces = content_type.split(';').map(str::trim);
    let kind = pieces.next()?.to_ascii_lowercase();
    if !kind.starts_with("multipart/") {
        return None;
    }
    let value = pieces.find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim())
    })?;
    let value = value.trim_matches('"');
    (!value.is_empty() && value.len() <= LONGEST_BOUNDARY).then(|| value.to_owned())
}

/// The bodies of the parts between the lines `--boundary`.
#[must_use]
pub fn split<'b>(body: &'b [u8], boundary: &str) -> Vec<&'b [u8]> {
    let delimiter = format!("--{boundary}");
    let starts: Vec<usize> = memmem::find_iter(body, delimiter.as_bytes())
        .filter(|&at| at == 0 || body.get(at - 1) == Some(&b'\n'))
        .take(MOST_CERTIFICATES + 1)
        .collect();
    let ends = starts.iter().skip(1).copied();
    starts
        .iter()
        .zip(ends)
        .filter_map(|(&start, end)| part_body(body.get(start + delimiter.len()..end)?))
        .collect()
}

/// What comes after the blank line, without the line end that belongs to the next delimiter.
fn part_body(part: &[u8]) -> Option<&[u8]> {
    let (at, length) = match (memmem::find(part, b"\r\n\r\n"), memmem::find(part, b"\n\n")) {
        (Some(at), other) if other.is_none_or(|other| at < other) => (at, 4),
        (_, Some(at)) => (at, 2),
        _ => return None,
    };
    let body = part.get(at + length..)?;
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    Some(body.strip_suffix(b"\r").unwrap_or(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_found() {
        for (content_type, expected) in [
            ("multipart/mixed; boundary=abc", Some("abc")),
            ("Multipart/Mixed; charset=x; BOUNDARY=\"a b\"", Some("a b")),
            ("multipart/mixed", None),
            ("multipart/mixed; boundary=", None),
            ("multipart/mixed; boundary=\"\"", None),
            ("application/pkix-cert; boundary=abc", None),
            ("", None),
        ] {
            assert_eq!(
                boundary(content_type).as_deref(),
                expected,
                "{content_type}"
            );
        }
        let long = format!("multipart/mixed; boundary={}", "x".repeat(71));
        assert_eq!(boundary(&long), None);
    }

    #[test]
    fn bodies_are_cut_out_as_they_are() {
        for (body, expected) in [
            (
                &b"--x\r\nA: b\r\n\r\n\x30\x0d\n\r\n--x--\r\n"[..],
                vec![&b"\x30\x0d\n"[..]],
            ),
            (b"--x\n\none\n--x\n\ntwo\n--x--", vec![b"one", b"two"]),
            (b"preamble\r\n--x\r\n\r\none\r\n--x--", vec![b"one"]),
            (b"--x\r\n\r\none--x\r\n--x--", vec![b"one--x"]),
            (b"--x\r\n\r\nnever closed", vec![]),
            (b"--x\r\nA: b\r\n--x--", vec![]),
            (b"--x--", vec![]),
            (b"", vec![]),
        ] {
            assert_eq!(split(body, "x"), expected, "{}", body.escape_ascii());
        }
    }
}

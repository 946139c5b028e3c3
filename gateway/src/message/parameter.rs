//! A parameter of a Content-Type field, set or taken out; every other byte stays.

use memchr::memchr;

/// The field `raw` with the parameter `name` (in lower case) set to `value`, once; its line ends are kept.
pub(super) fn with_parameter(raw: &[u8], name: &str, value: &str) -> Vec<u8> {
    let mut field = without_parameter(raw, name);
    field.truncate(field.trim_ascii_end().len());
    field.extend_from_slice(format!(";\r\n\t{name}=\"{value}\"\r\n").as_bytes());
    field
}

/// The field `raw` without the parameter `name` (in lower case), in whichever of the forms of RFC 2231.
pub(super) fn without_parameter(raw: &[u8], name: &str) -> Vec<u8> {
    let colon = memchr(b':', raw).map_or(raw.len(), |colon| colon + 1);
    let (start, value) = raw.split_at_checked(colon).unwrap_or((raw, &[]));
    let mut field = Vec::with_capacity(raw.len() + 32);
    field.extend_from_slice(start);
    for (number, piece) in pieces(value.trim_ascii_end()).into_iter().enumerate() {
        if number > 0 && (is_parameter(piece, name) || piece.trim_ascii().is_empty()) {
            continue;
        }
        if number > 0 {
            field.push(b';');
        }
        field.extend_from_slice(piece);
    }
    field.extend_from_slice(b"\r\n");
    field
}

fn is_parameter(piece: &[u8], name: &str) -> bool {
    let end = piece
        .iter()
        .position(|byte| matches!(byte, b'=' | b'*'))
        .unwrap_or(piece.len());
    let found = piece.get(..end).unwrap_or_default().trim_ascii();
    found.eq_ignore_ascii_case(name.as_bytes())
}

/// The value taken apart at each semicolon that stands neither in quotes nor in a comment.
fn pieces(value: &[u8]) -> Vec<&[u8]> {
    let (mut is_quoted, mut depth, mut is_escaped) = (false, 0_usize, false);
    value
        .split(move |byte| {
            if std::mem::take(&mut is_escaped) {
                return false;
            }
            match byte {
                b'\\' if is_quoted || depth > 0 => is_escaped = true,
                b'"' if depth == 0 => is_quoted = !is_quoted,
                b'(' if !is_quoted => depth += 1,
                b')' if !is_quoted => depth = depth.saturating_sub(1),
                b';' => return !is_quoted && depth == 0,
                _ => {}
            }
            false
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_set_once() {
        for (input, expected) in [
            ("Content-Type: a/b\r\n", "Content-Type: a/b"),
            ("content-type :a/b;\r\n", "content-type :a/b"),
            ("Content-Type: a/b; hp=clear\r\n", "Content-Type: a/b"),
            (
                "Content-Type: a/b;\r\n HP = \"x;y\" ; charset=c\r\n",
                "Content-Type: a/b; charset=c",
            ),
            (
                "Content-Type: a/b; hp*0=x; hp*1*=y; hpx=1\r\n",
                "Content-Type: a/b; hpx=1",
            ),
            (
                "Content-Type: a/b; name=\"; hp=1\"; (; hp=2) z=\"\\\"; hp=3\"\r\n",
                "Content-Type: a/b; name=\"; hp=1\"; (; hp=2) z=\"\\\"; hp=3\"",
            ),
            ("Content-Type", "Content-Type"),
        ] {
            let set = with_parameter(input.as_bytes(), "hp", "cipher");
            let set = String::from_utf8(set).unwrap();
            assert_eq!(
                set,
                format!("{expected};\r\n\thp=\"cipher\"\r\n"),
                "{input}"
            );
            let out = without_parameter(input.as_bytes(), "hp");
            assert_eq!(out, format!("{expected}\r\n").as_bytes(), "{input}");
        }
    }
}

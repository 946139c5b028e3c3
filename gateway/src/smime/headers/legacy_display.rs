//! Hidden header fields at the top of the text, for mail programs that do not know of header protection (RFC 9788,
//! sections 5.2.2, 5.2.3 and 4.5.3).
//!
//! Only main bodies get one, of a bounded length. Text in a charset that is not written in ASCII gets none.

use bytes::Bytes;
use memchr::memmem;

use crate::message::{BodyEdit, Field, Message, MessageError, Part, TransferEncoding};

/// The Content-Type parameter of a part that has one.
const PARAMETER: &str = "hp-legacy-display";
/// So many main bodies get one: more alternatives of one text are no mail.
const MOST_BODIES: usize = 4;
/// Longest text that is shown, in bytes.
const LONGEST: usize = 4_096;
/// The class of the element that it is in HTML.
const CLASS: &str = "header-protection-legacy-display";

/// The message with `hidden` shown at the top of its main bodies.
///
/// # Errors
/// [`MessageError`] where it exceeds a bound.
pub(super) fn added(message: &Message, hidden: &[Field<'_>]) -> Result<Message, MessageError> {
    let edits = message
        .main_bodies()
        .filter(|part| is_written_in_ascii(part) && has_blank_line(message, part))
        .take(MOST_BODIES);
    let edits: Vec<BodyEdit<'_>> = edits
        .map(|part| BodyEdit {
            part,
            content: with_display(message, part, hidden),
            parameter: (PARAMETER, Some("1")),
        })
        .collect();
    if edits.is_empty() {
        return Ok(message.clone());
    }
    Message::parse(message.with_bodies(edits))
}

/// The message without what [`added`] or somebody like it put into its main bodies; None where there is nothing.
pub(super) fn removed(message: &Message) -> Option<Bytes> {
    let edits: Vec<BodyEdit<'_>> = message
        .main_bodies()
        .filter(|part| part.content_type.parameter(PARAMETER) == Some("1"))
        .filter_map(|part| {
            let content = part.decoded(message.content());
            Some(BodyEdit {
                part,
                content: without_display(&content, part)?,
                parameter: (PARAMETER, None),
            })
        })
        .collect();
    (!edits.is_empty()).then(|| message.with_bodies(edits))
}

fn is_written_in_ascii(part: &Part) -> bool {
    let charset = part.content_type.parameter("charset").unwrap_or("us-ascii");
    let charset = charset.to_ascii_lowercase();
    !charset.starts_with("utf-16") && !charset.starts_with("utf-32") && charset != "utf-7"
}

/// Whether the header of the part is ended: a message of header fields alone has no place for text.
fn has_blank_line(message: &Message, part: &Part) -> bool {
    let header = message.slice(&part.header);
    header.ends_with(b"\n\r\n") || header.ends_with(b"\n\n") || header == b"\r\n"
}

fn with_display(message: &Message, part: &Part, hidden: &[Field<'_>]) -> Vec<u8> {
    let content = part.decoded(message.content());
    let mut text = lines(part, hidden);
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push_str("\r\n");
    }
    if part.content_type.is("text", "plain") {
        return [text.as_bytes(), b"\r\n", &content].concat();
    }
    let text = text.trim_end();
    let display = format!(
        "<div class=\"{CLASS}\">\r\n<pre>{}</pre></div>\r\n",
        escaped(text)
    );
    let place = after_body_tag(&content);
    let (before, after) = content.split_at_checked(place).unwrap_or((&content, &[]));
    [before, display.as_bytes(), after].concat()
}

/// One line for each field, as people read it; as it is written where the part has no room for more than ASCII.
fn lines(part: &Part, hidden: &[Field<'_>]) -> String {
    let charset = part.content_type.parameter("charset").unwrap_or_default();
    let has_room = charset.eq_ignore_ascii_case("utf-8")
        && !matches!(part.encoding, TransferEncoding::SevenBit);
    hidden
        .iter()
        .map(|field| {
            let name = field.name.escape_ascii();
            let decoded = field.decoded();
            if has_room || decoded.is_ascii() {
                format!("{name}: {}\r\n", decoded.replace(['\r', '\n'], " "))
            } else {
                format!("{name}: {}\r\n", field.value().escape_ascii())
            }
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Where the content of the body element begins; the start where there is no such element.
fn after_body_tag(html: &[u8]) -> usize {
    let lower = html.to_ascii_lowercase();
    let is_tag = |place: &usize| {
        let next = lower.get(place + b"<body".len());
        next.is_some_and(|byte| *byte == b'>' || byte.is_ascii_whitespace())
    };
    let Some(tag) = memmem::find_iter(&lower, b"<body").find(is_tag) else {
        return 0;
    };
    let rest = lower.get(tag..).unwrap_or_default();
    memchr::memchr(b'>', rest).map_or(0, |end| tag + end + 1)
}

fn without_display(content: &[u8], part: &Part) -> Option<Vec<u8>> {
    if part.content_type.is("text", "plain") {
        let mut rest = content;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
            let (line, after) = rest.split_at_checked(end)?;
            rest = after;
            if line.trim_ascii().is_empty() {
                return Some(rest.to_vec());
            }
        }
        return None;
    }
    let start = memmem::find(content, format!("<div class=\"{CLASS}\"").as_bytes())?;
    let rest = content.get(start..)?;
    let end = memmem::find(rest, b"</div>")? + b"</div>".len();
    // An element within it would be cut in two: then it stays.
    let is_plain = memmem::find_iter(rest.get(..end)?, b"<div").count() == 1;
    let after = rest.get(end..)?;
    let after = after.strip_prefix(b"\r\n").unwrap_or(after);
    is_plain.then(|| [content.get(..start).unwrap_or_default(), after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::message;

    fn shown(content: &str) -> (String, Option<String>) {
        let header = message("Subject: =?utf-8?q?K=C3=B6ln_<1>?=\r\nCc: a@b.example\r\n\r\n");
        let hidden: Vec<Field<'_>> = header.fields().collect();
        let added = added(&message(content), &hidden).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let removed = removed(&added).map(|bytes| text(&bytes));
        (text(added.content()), removed)
    }

    #[test]
    fn hidden_fields_are_shown_and_taken_out_again() {
        let utf8 = "text/plain; charset=utf-8";
        for (head, body, expected) in [
            (
                format!("Content-Type: {utf8}\r\nContent-Transfer-Encoding: 8bit\r\n"),
                "Hi\r\n",
                "Subject: Köln <1>\r\nCc: a@b.example\r\n\r\nHi\r\n",
            ),
            (
                format!("Content-Type: {utf8}\r\n"),
                "Hi\r\n",
                "Subject: =?utf-8?q?K=C3=B6ln_<1>?=\r\nCc: a@b.example\r\n\r\nHi\r\n",
            ),
            (
                format!("Content-Type: {utf8}\r\nContent-Transfer-Encoding: quoted-printable\r\n"),
                "Hi=20\r\n",
                "Subject: K=C3=B6ln <1>\r\nCc: a@b.example\r\n\r\nHi=20\r\n",
            ),
            (
                "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
                    .to_owned(),
                "<BODY lang=de>Hi</BODY>",
                "<BODY lang=de><div class=\"header-protection-legacy-display\">\r\n\
                 <pre>Subject: Köln &lt;1&gt;\r\nCc: a@b.example</pre></div>\r\nHi</BODY>",
            ),
        ] {
            let original = format!("{head}\r\n{body}");
            let (added, removed) = shown(&original);
            assert!(added.ends_with(expected), "{added}");
            assert!(added.contains("hp-legacy-display=\"1\"\r\n"), "{added}");
            assert_eq!(removed, Some(original));
        }
    }

    #[test]
    fn what_has_no_place_for_it_stays() {
        for content in [
            "Subject: x\r\n",
            "Content-Type: text/plain; charset=UTF-16\r\n\r\nH\0i\0",
            "Content-Type: application/pdf\r\n\r\n%PDF",
        ] {
            assert_eq!(shown(content), (content.to_owned(), None));
        }
    }

    #[test]
    fn only_a_whole_display_is_taken_out() {
        for (content, expected) in [
            ("Content-Type: text/plain\r\n\r\nA: 1\r\n\r\nHi", None),
            (
                "Content-Type: text/plain; hp-legacy-display=1\r\n\r\nno blank line",
                None,
            ),
            (
                "Content-Type: text/plain; hp-legacy-display=1\r\n\r\nA: 1\r\n \t\r\nHi",
                Some("Content-Type: text/plain\r\n\r\nHi"),
            ),
            (
                "Content-Type: text/html; hp-legacy-display=1\r\n\r\n<div class=\"header-protection-legacy-display\"><div>",
                None,
            ),
            (
                "Content-Type: text/html; hp-legacy-display=1\r\n\r\n\
                 <div class=\"header-protection-legacy-display\"><div></div>x</div>",
                None,
            ),
        ] {
            let removed = removed(&message(content));
            assert_eq!(removed.as_deref(), expected.map(str::as_bytes), "{content}");
        }
    }
}

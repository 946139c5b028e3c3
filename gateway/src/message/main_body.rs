//! The parts that people read first (RFC 9787, section 7.1), and messages with other text in them.
//!
//! A part keeps its transfer encoding and its place; every byte outside the parts that change stays.

use std::ops::Range;

use bytes::Bytes;

use super::lookalike::spliced;
use super::parameter::{with_parameter, without_parameter};
use super::transfer::{charset_of, in_base64, quoted_printable};
use super::{Message, Part, PartKind, TransferEncoding, fields};

/// What becomes of one part.
#[derive(Debug)]
pub struct BodyEdit<'m> {
    /// Which part.
    pub part: &'m Part,
    /// Its new content, without transfer encoding.
    pub content: Vec<u8>,
    /// A parameter of its Content-Type: its name in lower case, and its value; None takes it out.
    pub parameter: (&'static str, Option<&'static str>),
}

impl Message {
    /// The text/plain and text/html parts that are the message's text: no attachment, and reached by the first child of
    /// every multipart but alternatives. Nothing within a part that somebody signed or encrypted.
    pub fn main_bodies(&self) -> impl Iterator<Item = &Part> {
        self.parts().iter().filter(|part| {
            let is_text =
                part.content_type.is("text", "plain") || part.content_type.is("text", "html");
            is_text
                && part.kind == PartKind::Leaf
                && !part.is_damaged
                && part.encoding != TransferEncoding::Unknown
                && !self.is_attachment(part)
                && self.is_reached_first(part)
        })
    }

    fn is_attachment(&self, part: &Part) -> bool {
        let header = self.slice(&part.header);
        fields::split(header).is_ok_and(|block| {
            let mut dispositions = block
                .fields(header)
                .filter(|field| field.is("Content-Disposition"));
            dispositions.any(|field| {
                let value = field.value().to_ascii_lowercase();
                value.starts_with(b"attachment")
            })
        })
    }

    fn is_reached_first(&self, part: &Part) -> bool {
        let around = |part: &&Part| self.parts().get(part.parent?);
        std::iter::successors(Some(part), around).all(|inner| {
            let Some(outer) = inner.parent.and_then(|index| self.parts().get(index)) else {
                return true;
            };
            let is_first = || {
                let mut children = self.children(inner.parent.unwrap_or_default());
                children.next().is_some_and(|first| first == inner)
            };
            let kind = &outer.content_type;
            kind.is("multipart", "alternative")
                || ((kind.is("multipart", "mixed") || kind.is("multipart", "related"))
                    && is_first())
        })
    }

    /// The message with these parts changed.
    #[must_use]
    pub fn with_bodies(&self, edits: Vec<BodyEdit<'_>>) -> Bytes {
        let mut splices: Vec<(Range<usize>, Vec<u8>)> = Vec::with_capacity(2 * edits.len());
        for edit in edits {
            let (name, value) = edit.parameter;
            splices.extend(self.parameter_splice(edit.part, name, value));
            let body = encoded(edit.part.encoding, edit.content);
            splices.push((edit.part.body.clone(), body));
        }
        splices.sort_by_key(|(range, _)| range.start);
        spliced(self.content(), &splices)
    }

    /// How the part's Content-Type field gets or loses a parameter.
    fn parameter_splice(
        &self,
        part: &Part,
        name: &str,
        value: Option<&str>,
    ) -> Option<(Range<usize>, Vec<u8>)> {
        let header = self.slice(&part.header);
        let block = fields::split(header).ok()?;
        let at = |place: usize| part.header.start + place;
        let written = block.ranges_of(header, "Content-Type").next();
        match (written, value) {
            (Some(range), value) => {
                let raw = header.get(range.clone()).unwrap_or_default();
                let field = match value {
                    Some(value) => with_parameter(raw, name, value),
                    None => without_parameter(raw, name),
                };
                Some((at(range.start)..at(range.end), field))
            }
            (None, Some(value)) => {
                let charset = charset_of(self.slice(&part.body));
                let field = format!(
                    "Content-Type: text/plain; charset={charset};\r\n\t{name}=\"{value}\"\r\n"
                );
                Some((at(block.end)..at(block.end), field.into_bytes()))
            }
            (None, None) => None,
        }
    }
}

fn encoded(encoding: TransferEncoding, content: Vec<u8>) -> Vec<u8> {
    match encoding {
        TransferEncoding::Base64 => in_base64(&content).body,
        TransferEncoding::QuotedPrintable => quoted_printable(&content).body,
        TransferEncoding::SevenBit
        | TransferEncoding::EightBit
        | TransferEncoding::Binary
        | TransferEncoding::Unknown => content,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::message;
    use super::*;

    fn text(entity: &str) -> String {
        format!("Content-Type: text/{entity}\r\n\r\nx\r\n")
    }

    fn multipart(kind: &str, boundary: &str, parts: &[String]) -> String {
        let mut whole = format!("Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n");
        for part in parts {
            whole.push_str(&format!("--{boundary}\r\n{part}\r\n"));
        }
        whole + &format!("--{boundary}--\r\n")
    }

    #[test]
    fn main_bodies_are_what_is_read_first() {
        let both = || [text("plain; n=1"), text("html; n=2")];
        let attached =
            "Content-Type: text/plain\r\nContent-Disposition: ATTACHMENT\r\n\r\nx".to_owned();
        let letter = format!("Content-Type: message/rfc822\r\n\r\n{}", text("plain"));
        for (content, expected) in [
            ("\r\nHi\r\n".to_owned(), 1),
            (text("plain"), 1),
            (text("calendar"), 0),
            (multipart("alternative", "a", &both()), 2),
            (multipart("mixed", "a", &both()), 1),
            (multipart("related", "a", &both()), 1),
            (multipart("signed", "a", &both()), 0),
            (multipart("report", "a", &both()), 0),
            (
                multipart(
                    "mixed",
                    "m",
                    &[multipart("alternative", "a", &both()), text("html")],
                ),
                2,
            ),
            (multipart("mixed", "m", &[attached, text("plain")]), 0),
            (letter, 0),
        ] {
            assert_eq!(
                message(content.clone()).main_bodies().count(),
                expected,
                "{content}"
            );
        }
    }

    #[test]
    fn a_changed_part_keeps_its_encoding() {
        for (head, expected) in [
            (
                "",
                "Content-Type: text/plain; charset=us-ascii;\r\n\tp=\"1\"\r\n\r\nB=é",
            ),
            (
                "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n",
                "Content-Type: text/plain;\r\n\tp=\"1\"\r\nContent-Transfer-Encoding: base64\r\n\r\nQj3DqQ==\r\n",
            ),
            (
                "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n",
                "Content-Type: text/plain;\r\n\tp=\"1\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nB=3D=C3=A9",
            ),
        ] {
            let mail = message(format!("{head}\r\nAAAA"));
            let edit = BodyEdit {
                part: mail.main_bodies().next().unwrap(),
                content: "B=é".into(),
                parameter: ("p", Some("1")),
            };
            let changed = mail.with_bodies(vec![edit]);
            assert_eq!(*changed, *expected.as_bytes(), "{}", changed.escape_ascii());
        }
    }
}

//! The MIME entity of a message: what is signed and encrypted (RFC 8551, section 3.1).
//!
//! It is made of the Content-* fields and the body; all other fields stay outside, but for those that are to be protected
//! with it ([`Inside`]). For a signature it is written so that
//! no hop has a reason to change it: seven bits, short lines, no line that begins with "From ". Parts that are so already
//! keep their bytes, and so do parts that somebody signed or encrypted. An entity is a list of pieces, most of them
//! borrowed: it is copied once, where it is written.

use std::borrow::Cow;
use std::ops::Range;

use super::parameter::with_parameter;
use super::transfer::{self, charset_of, is_safe_padding};
use super::{Message, Part, PartKind, TransferEncoding, fields};

/// A MIME entity: header fields, a blank line, a body.
#[derive(Debug, Clone)]
pub struct Entity<'m> {
    pieces: Vec<Cow<'m, [u8]>>,
}

/// What goes into an entity beside the content: header fields that are protected with it (RFC 9788).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inside<'m> {
    /// Whole header fields with their line ends; they come first.
    pub(crate) fields: &'m [u8],
    /// The `hp` parameter of the Content-Type: `clear` or `cipher`.
    pub(crate) hp: &'static str,
}

impl<'m> Entity<'m> {
    /// The entity as it is written, for encryption; a Content-Type is added where there is none.
    #[must_use]
    pub fn as_written(message: &'m Message) -> Self {
        Self::written(message, None)
    }

    /// The entity in a form that passes every hop unchanged, for a signature.
    #[must_use]
    pub fn for_transport(message: &'m Message) -> Self {
        Self::transportable(message, None)
    }

    /// [`Entity::as_written`], with header fields inside.
    pub(crate) fn written(message: &'m Message, inside: Option<Inside<'m>>) -> Self {
        let mut pieces = header(message, inside, None);
        pieces.push(Cow::Borrowed(message.body()));
        Self { pieces }
    }

    /// [`Entity::for_transport`], with header fields inside.
    pub(crate) fn transportable(message: &'m Message, inside: Option<Inside<'m>>) -> Self {
        let Some(root) = message.parts().first().filter(|root| !is_protected(root)) else {
            return Self::written(message, inside);
        };
        if let Some(encoded) = transfer::encoded(root, message.content()) {
            let mut pieces = header(message, inside, Some(encoded.name));
            pieces.push(Cow::Owned(encoded.body));
            return Self { pieces };
        }
        let mut splice = Splice::new(message);
        splice.convert_parts();
        let relabelled = splice.needs_label(root).then_some("7bit");
        let mut pieces = header(message, inside, relabelled);
        splice.finish(&mut pieces);
        Self { pieces }
    }

    /// An entity that is in such a form already.
    #[must_use]
    pub fn ready(entity: Vec<u8>) -> Entity<'static> {
        Entity {
            pieces: vec![Cow::Owned(entity)],
        }
    }

    /// The same with bytes before and behind it.
    pub(crate) fn within(mut self, head: Vec<u8>, tail: Vec<u8>) -> Self {
        self.pieces.insert(0, Cow::Owned(head));
        self.pieces.push(Cow::Owned(tail));
        self
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(AsRef::as_ref)
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces().map(<[u8]>::len).sum()
    }

    /// Whether it has no bytes; it never is so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes it to the end of `out`.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.len());
        for piece in self.pieces() {
            out.extend_from_slice(piece);
        }
    }
}

/// What goes inside, the Content-* fields and the blank line, with another transfer encoding where one is given.
fn header<'m>(
    message: &'m Message,
    inside: Option<Inside<'m>>,
    encoding: Option<&str>,
) -> Vec<Cow<'m, [u8]>> {
    let mut pieces = Vec::with_capacity(8);
    pieces.extend(inside.map(|inside| Cow::Borrowed(inside.fields)));
    for field in message.fields().filter(super::Field::is_content) {
        match inside {
            _ if encoding.is_some() && field.is("Content-Transfer-Encoding") => {}
            Some(inside) if field.is("Content-Type") => {
                pieces.push(Cow::Owned(with_parameter(field.raw, "hp", inside.hp)));
            }
            _ => {
                pieces.push(Cow::Borrowed(field.raw));
                if !field.raw.ends_with(b"\n") {
                    pieces.push(Cow::Borrowed(b"\r\n".as_slice()));
                }
            }
        }
    }
    if message.fields_named("Content-Type").next().is_none() {
        let charset = charset_of(message.body());
        let mut field = format!("Content-Type: text/plain; charset={charset}\r\n").into_bytes();
        if let Some(inside) = inside {
            field = with_parameter(&field, "hp", inside.hp);
        }
        pieces.push(Cow::Owned(field));
    }
    if let Some(encoding) = encoding {
        pieces.push(Cow::Owned(encoding_field(encoding).into_bytes()));
    }
    pieces.push(Cow::Borrowed(b"\r\n"));
    pieces
}

fn encoding_field(value: &str) -> String {
    format!("Content-Transfer-Encoding: {value}\r\n")
}

/// A part whose bytes somebody's signature covers, or that only its recipient can read.
fn is_protected(part: &Part) -> bool {
    part.content_type.is("multipart", "signed") || part.content_type.is("multipart", "encrypted")
}

/// The body of a message, some ranges of which are replaced.
struct Splice<'m> {
    message: &'m Message,
    edits: Vec<(Range<usize>, Vec<u8>)>,
    /// Whether eight bits remain somewhere, so that a container's 8bit label has to stay.
    keeps_eight_bits: bool,
}

impl<'m> Splice<'m> {
    const fn new(message: &'m Message) -> Self {
        Self {
            message,
            edits: Vec::new(),
            keeps_eight_bits: false,
        }
    }

    /// Encodes every part that needs it, and labels the parts around them.
    fn convert_parts(&mut self) {
        let message = self.message;
        let mut protected = 0;
        let mut containers = Vec::new();
        for (index, part) in message.parts().iter().enumerate() {
            if part.header.start < protected {
                continue;
            }
            if is_protected(part) {
                protected = part.body.end;
                self.keep(part);
            } else if part.kind != PartKind::Leaf {
                self.drop_unsafe_padding(index, part);
                containers.push(part);
            } else if let Some(encoded) = transfer::encoded(part, message.content()) {
                self.label(part, encoded.name);
                self.edits.push((part.body.clone(), encoded.body));
            } else {
                self.keep(part);
            }
        }
        for part in containers.into_iter().skip(1) {
            if self.needs_label(part) {
                self.label(part, "7bit");
            }
        }
    }

    fn keep(&mut self, part: &Part) {
        self.keeps_eight_bits |= !self.message.slice(&part.body).is_ascii();
    }

    /// Whether a container says that it has eight bits, and no longer does.
    const fn needs_label(&self, part: &Part) -> bool {
        let says_eight = matches!(
            part.encoding,
            TransferEncoding::EightBit | TransferEncoding::Binary
        );
        says_eight && !matches!(part.kind, PartKind::Leaf) && !self.keeps_eight_bits
    }

    /// Replaces the part's Content-Transfer-Encoding, or adds one.
    fn label(&mut self, part: &Part, encoding: &str) {
        let header = self.message.slice(&part.header);
        // A block that exceeds a bound has no field that we could tell apart: it keeps what it has.
        let Ok(block) = fields::split(header) else {
            return;
        };
        let at = |place: usize| part.header.start + place;
        let mut label = encoding_field(encoding).into_bytes();
        for range in block.ranges_of(header, "Content-Transfer-Encoding") {
            self.edits
                .push((at(range.start)..at(range.end), std::mem::take(&mut label)));
        }
        // The header of an attached message means nothing about MIME without this (RFC 2045, section 4).
        let is_message = part
            .parent
            .and_then(|parent| self.message.parts().get(parent));
        let is_message = is_message.is_some_and(|parent| parent.kind == PartKind::Message);
        if is_message && block.ranges_of(header, "MIME-Version").next().is_none() {
            label.extend_from_slice(b"MIME-Version: 1.0\r\n");
        }
        if !label.is_empty() {
            self.edits.push((at(block.end)..at(block.end), label));
        }
    }

    /// Takes out a preamble or epilogue that a hop might change; nobody reads them (RFC 2046, section 5.1.1).
    fn drop_unsafe_padding(&mut self, index: usize, part: &Part) {
        if part.kind != PartKind::Multipart || part.is_damaged {
            return;
        }
        let content = self.message.content();
        let mut children = self.message.children(index);
        let Some(first) = children.next() else {
            return;
        };
        let last = children.last().unwrap_or(first);
        let before = content
            .get(part.body.start..first.header.start)
            .unwrap_or_default();
        let delimiter = before.strip_suffix(b"\n").unwrap_or(before);
        let preamble = memchr::memrchr(b'\n', delimiter).map_or(0, |newline| newline + 1);
        let after = content
            .get(last.body.end..part.body.end)
            .unwrap_or_default();
        let closing = after.strip_prefix(b"\r\n").unwrap_or(after);
        let epilogue = fields::next_line(closing).map_or(0, |(_, rest)| rest.len());
        for range in [
            part.body.start..part.body.start + preamble,
            part.body.end.saturating_sub(epilogue)..part.body.end,
        ] {
            if !is_safe_padding(self.message.slice(&range)) {
                self.edits.push((range, Vec::new()));
            }
        }
    }

    /// The body with its edits.
    fn finish(mut self, pieces: &mut Vec<Cow<'m, [u8]>>) {
        self.edits.sort_by_key(|(range, _)| range.start);
        let mut copied = self.message.body_range().start;
        for (range, replacement) in self.edits {
            pieces.push(Cow::Borrowed(self.message.slice(&(copied..range.start))));
            pieces.push(Cow::Owned(replacement));
            copied = range.end;
        }
        pieces.push(Cow::Borrowed(
            self.message.slice(&(copied..self.message.content().len())),
        ));
    }
}

#[cfg(test)]
mod tests;

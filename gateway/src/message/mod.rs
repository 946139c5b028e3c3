//! A message as bytes and ranges: read once, never written again.
//!
//! [`Message`] keeps the content as it came and knows where its header fields, its body and its MIME parts lie. What is
//! changed (a trace field, a look-alike taken out, a part encoded for a 7-bit hop) is a splice of these bytes; everything
//! else stays as it was. Addresses are read by [`policy::address`] alone, MIME structure by mail-parser. Where those two
//! readings of a header could differ, the message is ambiguous and says so.

mod canonical;
mod confusable;
mod fields;
mod headers;
mod line_ends;
mod lookalike;
mod main_body;
mod parameter;
mod parsed;
mod structure;
mod subject;
mod trace;
mod transfer;

use std::ops::Range;

use bytes::Bytes;

pub use canonical::Entity;
pub(crate) use canonical::Inside;
pub use fields::Field;
pub use headers::FromError;
pub use line_ends::{has_bare_line_end, with_crlf};
pub(crate) use lookalike::spliced;
pub use lookalike::{Cleaned, without_lookalikes};
pub use main_body::BodyEdit;
pub use parsed::{Origin, Parsed, parse};
pub use structure::{ContentType, Part, PartKind, TransferEncoding};
pub use subject::with_subject;
pub use trace::received_field;

/// Longest header block that is read, in bytes.
pub const MAX_HEADER_BYTES: usize = 256 * 1024;
/// Most header fields of one header block.
pub const MAX_FIELDS: usize = 2_000;
/// Most multiparts and attached messages around one part.
pub const MAX_DEPTH: usize = 32;
/// Most MIME parts of one message, attached messages included.
pub const MAX_PARTS: usize = 1_000;

/// Why a message is not read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The header block is longer than [`MAX_HEADER_BYTES`].
    #[error("the header block is longer than {MAX_HEADER_BYTES} bytes")]
    HeaderTooLong,
    /// There are more header fields than [`MAX_FIELDS`].
    #[error("the message has more than {MAX_FIELDS} header fields")]
    TooManyFields,
    /// There are more parts than [`MAX_PARTS`].
    #[error("the message has more than {MAX_PARTS} MIME parts")]
    TooManyParts,
    /// Parts are nested deeper than [`MAX_DEPTH`].
    #[error("the message nests MIME parts deeper than {MAX_DEPTH}")]
    TooDeep,
}

/// A message (RFC 5322) with its MIME structure (RFC 2045).
#[derive(Debug, Clone)]
pub struct Message {
    content: Bytes,
    header: fields::HeaderBlock,
    parts: Vec<Part>,
    is_ambiguous: bool,
}

impl Message {
    /// Reads `content`. Anything is a message: without header fields, without a blank line, without a body.
    ///
    /// # Errors
    /// [`MessageError`] where it exceeds a bound.
    pub fn parse(content: Bytes) -> Result<Self, MessageError> {
        let header = fields::split(&content)?;
        let structure = structure::read(&content, &header)?;
        let mut message = Self {
            content,
            header,
            parts: structure.parts,
            is_ambiguous: structure.is_contested,
        };
        message.is_ambiguous |= !message.header.is_clean || message.repeats_a_mime_field();
        Ok(message)
    }

    /// All bytes, as they came.
    #[must_use]
    pub const fn content(&self) -> &Bytes {
        &self.content
    }

    /// Where the header fields lie, without the blank line after them.
    #[must_use]
    pub const fn header_range(&self) -> Range<usize> {
        0..self.header.end
    }

    /// The header fields, without the blank line after them.
    #[must_use]
    pub fn header_block(&self) -> &[u8] {
        self.slice(&self.header_range())
    }

    /// Where the body lies.
    #[must_use]
    pub fn body_range(&self) -> Range<usize> {
        self.header.body..self.content.len()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.slice(&self.body_range())
    }

    /// The header fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.header.fields(&self.content)
    }

    /// The header fields of this name; its case does not count.
    pub fn fields_named<'m>(&'m self, name: &'m str) -> impl Iterator<Item = Field<'m>> {
        self.fields().filter(move |field| field.is(name))
    }

    /// The MIME parts in document order, the message itself first.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The parts directly within the part with this index.
    pub fn children(&self, of: usize) -> impl Iterator<Item = &Part> {
        self.parts
            .iter()
            .filter(move |part| part.parent == Some(of))
    }

    /// The Content-Type of the message itself; `text/plain` where there is none.
    #[must_use]
    pub fn content_type(&self) -> &ContentType {
        self.parts
            .first()
            .map_or(&structure::UNWRITTEN, |part| &part.content_type)
    }

    /// The bytes of a range; none where it lies outside.
    #[must_use]
    pub fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.content.get(range.clone()).unwrap_or_default()
    }

    /// Whether two readers may see two messages here: a header line that is no field, a repeated Content-Type,
    /// Content-Transfer-Encoding or MIME-Version, a repeated parameter. Such a message is never verified as anybody's.
    #[must_use]
    pub const fn is_ambiguous(&self) -> bool {
        self.is_ambiguous
    }

    /// Whether everybody agrees on where the header fields end and the body begins.
    #[must_use]
    pub const fn has_clean_header(&self) -> bool {
        self.header.is_clean
    }

    /// Whether the content begins with a line that is neither a header field nor empty, so that all of it is body.
    #[must_use]
    pub const fn lacks_header(&self) -> bool {
        !self.header.is_clean && self.header.body == 0
    }

    fn repeats_a_mime_field(&self) -> bool {
        self.content_type().repeats_a_parameter()
            || ["Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
                .into_iter()
                .any(|name| self.fields_named(name).nth(1).is_some())
    }
}

#[cfg(test)]
pub(crate) mod tests;

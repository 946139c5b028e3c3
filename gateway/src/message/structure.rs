//! The MIME structure of a message, as mail-parser reads it, kept as ranges.
//!
//! Attached messages are followed where they are written plainly; one within base64 or quoted-printable stays a leaf,
//! since its bytes are not those of the message.

use std::ops::Range;

use mail_parser::{Encoding, MessageParser, MessagePart, PartFlags};

use super::fields::HeaderBlock;
use super::{MAX_DEPTH, MAX_PARTS, MessageError};

/// A Content-Type (RFC 2045, section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// The type, in lower case; empty where nothing was written.
    pub main: String,
    /// The subtype, in lower case.
    pub subtype: String,
    /// Names in lower case, and decoded values (RFC 2231), in order.
    pub parameters: Vec<(String, String)>,
}

/// What stands for a Content-Type that is not there.
pub(super) static UNWRITTEN: ContentType = ContentType {
    main: String::new(),
    subtype: String::new(),
    parameters: Vec::new(),
};

impl ContentType {
    /// Whether it is this type and subtype, given in lower case.
    #[must_use]
    pub fn is(&self, main: &str, subtype: &str) -> bool {
        if self.is_default() {
            return main == "text" && subtype == "plain";
        }
        self.main == main && self.subtype == subtype
    }

    /// Whether its type is `text`.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.is_default() || self.main == "text"
    }

    /// Whether nothing was written that can be read; then it is text/plain (RFC 2045, section 5.2).
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.main.is_empty()
    }

    /// The first parameter of this name, given in lower case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut named = self.parameters.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is there twice, of which readers take the first or the last.
    #[must_use]
    pub fn repeats_a_parameter(&self) -> bool {
        let mut names = self.parameters.iter().enumerate();
        names.any(|(index, (name, _))| {
            self.parameters
                .iter()
                .skip(index + 1)
                .any(|(other, _)| other == name)
        })
    }
}

/// What a part contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// Content.
    Leaf,
    /// Other parts.
    Multipart,
    /// A message, attached without a transfer encoding.
    Message,
}

/// How the body of a part is written (RFC 2045, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferEncoding {
    /// `7bit`, or nothing said.
    SevenBit,
    /// `8bit`.
    EightBit,
    /// `binary`.
    Binary,
    /// `quoted-printable`.
    QuotedPrintable,
    /// `base64`.
    Base64,
    /// Something else.
    Unknown,
}

/// One MIME part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where its header block lies, with the blank line.
    pub header: Range<usize>,
    /// Where its body lies, without the line end that belongs to the next delimiter (RFC 2046, section 5.1.1).
    pub body: Range<usize>,
    /// Index of the part that it lies in.
    pub parent: Option<usize>,
    /// What it contains.
    pub kind: PartKind,
    /// Its Content-Type.
    pub content_type: ContentType,
    /// How its body is written.
    pub encoding: TransferEncoding,
    /// The file name that its Content-Disposition or Content-Type gives.
    pub file_name: Option<String>,
    /// Whether its ends were guessed: a delimiter is missing or stands within a line.
    pub is_damaged: bool,
}

impl Part {
    /// Header block and body.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.header.start..self.body.end
    }

    /// Its body within the message's `content`, decoded as far as it can be.
    #[must_use]
    pub fn decoded<'m>(&self, content: &'m [u8]) -> std::borrow::Cow<'m, [u8]> {
        let encoding = match self.encoding {
            TransferEncoding::Base64 => Encoding::Base64,
            TransferEncoding::QuotedPrintable => Encoding::QuotedPrintable,
            TransferEncoding::SevenBit
            | TransferEncoding::EightBit
            | TransferEncoding::Binary
            | TransferEncoding::Unknown => Encoding::None,
        };
        encoding.decode(content.get(self.body.clone()).unwrap_or_default())
    }
}

/// The parts, and whether the readers agreed.
pub(super) struct Structure {
    pub(super) parts: Vec<Part>,
    /// Whether mail-parser sees another header block than we do; then the body is left as one part.
    pub(super) is_contested: bool,
}

/// Reads the parts of `content`, whose header block is `header`.
///
/// # Errors
/// [`MessageError::TooManyParts`], [`MessageError::TooDeep`].
pub(super) fn read(content: &[u8], header: &HeaderBlock) -> Result<Structure, MessageError> {
    let parser = MessageParser::new()
        .max_depth(MAX_DEPTH + 1)
        .max_parts(MAX_PARTS)
        .max_encoded_nesting(0);
    let Some(message) = parser.parse(content) else {
        return Ok(single(content, header, header.len() > 0));
    };
    let root = message.root_part();
    let agreed = root.headers().len() == header.len()
        && usize::try_from(root.offset_body()) == Ok(header.body);
    if !agreed {
        return Ok(single(content, header, true));
    }
    let limited = |part: &MessagePart<'_>| part.flags().contains(PartFlags::LIMIT_REACHED);
    if message.parts().any(|part| limited(&part)) {
        let is_full = message.parts().len() >= MAX_PARTS;
        return Err(if is_full {
            MessageError::TooManyParts
        } else {
            MessageError::TooDeep
        });
    }
    Ok(Structure {
        parts: message.parts().map(|part| ranges(&part)).collect(),
        is_contested: false,
    })
}

/// The body as one part of no particular type.
fn single(content: &[u8], header: &HeaderBlock, is_contested: bool) -> Structure {
    let part = Part {
        header: 0..header.body,
        body: header.body..content.len(),
        parent: None,
        kind: PartKind::Leaf,
        content_type: UNWRITTEN.clone(),
        encoding: TransferEncoding::Unknown,
        file_name: None,
        is_damaged: is_contested,
    };
    Structure {
        parts: vec![part],
        is_contested,
    }
}

fn ranges(part: &MessagePart<'_>) -> Part {
    let place = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    let damage = [
        PartFlags::MISSING_DELIMITER,
        PartFlags::FALLBACK_DELIMITER,
        PartFlags::UNTERMINATED,
        PartFlags::NESTING_LIMIT,
    ];
    let around = part.parent().or_else(|| part.message().container());
    let kind = if part.is_multipart() {
        PartKind::Multipart
    } else if part.is_message() {
        PartKind::Message
    } else {
        PartKind::Leaf
    };
    Part {
        header: place(part.offset_header())..place(part.offset_body()),
        body: place(part.offset_body())..place(part.offset_end()),
        parent: around.map(|parent| place(parent.id())),
        kind,
        content_type: content_type(part, kind),
        encoding: transfer_encoding(part),
        file_name: part.attachment_name().map(str::to_owned),
        is_damaged: damage.into_iter().any(|flag| part.flags().contains(flag)),
    }
}

fn content_type(part: &MessagePart<'_>, kind: PartKind) -> ContentType {
    let written = part
        .content_type()
        .and_then(|written| Some((written, written.subtype()?)));
    match written {
        Some((written, subtype)) => ContentType {
            main: written.ctype().to_ascii_lowercase(),
            subtype: subtype.to_ascii_lowercase(),
            parameters: written
                .attributes()
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
        },
        // Only within multipart/digest (RFC 2046, section 5.1.5).
        None if kind == PartKind::Message => ContentType {
            main: "message".to_owned(),
            subtype: "rfc822".to_owned(),
            parameters: Vec::new(),
        },
        None => UNWRITTEN.clone(),
    }
}

fn transfer_encoding(part: &MessagePart<'_>) -> TransferEncoding {
    match part.encoding() {
        Encoding::Base64 => return TransferEncoding::Base64,
        Encoding::QuotedPrintable => return TransferEncoding::QuotedPrintable,
        Encoding::None => {}
    }
    let named = part
        .content_transfer_encoding()
        .map(str::to_ascii_lowercase);
    match named.as_deref() {
        None | Some("" | "7bit") => TransferEncoding::SevenBit,
        Some("8bit") => TransferEncoding::EightBit,
        Some("binary") => TransferEncoding::Binary,
        Some(_) => TransferEncoding::Unknown,
    }
}

//! A pull reader for BER (X.690): elements as slices of the input, nothing decoded before it is asked for.
//!
//! It reads what mailers really send: indefinite lengths, strings in pieces, lengths in more octets than needed. It
//! never loses the constructed bit, never copies but to join a string that came in pieces, and never recurses deeper
//! than [`MAX_DEPTH`]. It does not know any schema, and it does not write.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;

/// Elements nested deeper than this are refused.
pub(crate) const MAX_DEPTH: u8 = 32;

/// Why bytes are not the BER that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BerError {
    /// The input ends inside an element.
    #[error("the data is cut off")]
    Truncated,
    /// Elements are nested too deep.
    #[error("elements are nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A length or tag number takes more octets than any real one.
    #[error("a length or tag number is out of range")]
    OutOfRange,
    /// A primitive element of indefinite length.
    #[error("a primitive element has no length")]
    IndefinitePrimitive,
    /// Another element stands where this one was expected.
    #[error("another element than expected")]
    UnexpectedTag,
    /// An element that must be there is not.
    #[error("an element is missing")]
    Missing,
    /// Bytes after the last element that belongs there.
    #[error("more data than expected")]
    TrailingData,
    /// The contents octets do not make a value of this type.
    #[error("a value that its type does not allow")]
    InvalidValue,
}

/// Class and number of a tag, as in an identifier octet whose constructed bit is clear (X.690, section 8.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u8);

impl Tag {
    pub(crate) const BOOLEAN: Self = Self(0x01);
    pub(crate) const INTEGER: Self = Self(0x02);
    pub(crate) const BIT_STRING: Self = Self(0x03);
    pub(crate) const OCTET_STRING: Self = Self(0x04);
    pub(crate) const OBJECT_IDENTIFIER: Self = Self(0x06);
    pub(crate) const ENUMERATED: Self = Self(0x0a);
    pub(crate) const SEQUENCE: Self = Self(0x10);
    pub(crate) const SET: Self = Self(0x11);

    /// An application tag; `number` is below 31.
    pub(crate) const fn application(number: u8) -> Self {
        Self(0x40 | (number & LOW_NUMBER))
    }

    /// A context-specific tag; `number` is below 31.
    pub(crate) const fn context(number: u8) -> Self {
        Self(0x80 | (number & LOW_NUMBER))
    }
}

const CONSTRUCTED: u8 = 0x20;
const LOW_NUMBER: u8 = 0x1f;
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// One element: tag, length and contents, borrowed from the input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    tag: Tag,
    constructed: bool,
    depth: u8,
    encoded: &'a [u8],
    contents: &'a [u8],
}

impl<'a> Element<'a> {
    /// Reads the one element that `bytes` consist of.
    pub(crate) fn only(bytes: &'a [u8]) -> Result<Self, BerError> {
        let mut reader = Reader::new(bytes);
        let element = reader.element()?;
        reader.finish()?;
        Ok(element)
    }

    pub(crate) fn tag(&self) -> Tag {
        self.tag
    }

    /// The whole element as it was received.
    pub(crate) fn encoded(&self) -> &'a [u8] {
        self.encoded
    }

    /// The contents octets as they were received, without an end-of-contents mark.
    pub(crate) fn contents(&self) -> &'a [u8] {
        self.contents
    }

    /// The elements inside a constructed one.
    pub(crate) fn children(&self) -> Result<Reader<'a>, BerError> {
        if !self.constructed {
            return Err(BerError::UnexpectedTag);
        }
        Reader::at(self.contents, self.depth + 1)
    }

    /// The one element inside an explicitly tagged one.
    pub(crate) fn only_child(&self) -> Result<Self, BerError> {
        let mut children = self.children()?;
        let child = children.element()?;
        children.finish()?;
        Ok(child)
    }

    /// The octets of an OCTET STRING, whatever its tag; pieces are joined (X.690, section 8.7.3).
    pub(crate) fn octets(&self) -> Result<Cow<'a, [u8]>, BerError> {
        if !self.constructed {
            return Ok(Cow::Borrowed(self.contents));
        }
        let mut pieces = self.children()?;
        if let Some(first) = pieces.next_element()?
            && first.tag == Tag::OCTET_STRING
            && !first.constructed
            && pieces.is_empty()
        {
            return Ok(Cow::Borrowed(first.contents));
        }
        let mut joined = Vec::with_capacity(self.contents.len());
        self.join_into(&mut joined)?;
        Ok(Cow::Owned(joined))
    }

    fn join_into(&self, joined: &mut Vec<u8>) -> Result<(), BerError> {
        if !self.constructed {
            joined.extend_from_slice(self.contents);
            return Ok(());
        }
        let mut pieces = self.children()?;
        while let Some(piece) = pieces.next_element()? {
            if piece.tag != Tag::OCTET_STRING {
                return Err(BerError::UnexpectedTag);
            }
            piece.join_into(joined)?;
        }
        Ok(())
    }

    /// The octets of a BIT STRING that has no unused bits, as keys have none.
    pub(crate) fn bit_string(&self) -> Result<&'a [u8], BerError> {
        match self.primitive()?.split_first() {
            Some((0, octets)) => Ok(octets),
            Some(_) | None => Err(BerError::InvalidValue),
        }
    }

    pub(crate) fn object_identifier(&self) -> Result<ObjectIdentifier, BerError> {
        ObjectIdentifier::from_bytes(self.primitive()?).map_err(|_| BerError::InvalidValue)
    }

    /// An INTEGER between 0 and 2^31 - 1.
    pub(crate) fn small_integer(&self) -> Result<u32, BerError> {
        let octets = self.primitive()?;
        match octets.first() {
            Some(0..0x80) if octets.len() <= 4 => Ok(octets
                .iter()
                .fold(0, |value, &octet| value << 8 | u32::from(octet))),
            Some(_) | None => Err(BerError::InvalidValue),
        }
    }

    /// Whether all that is inside, to any depth that is allowed, is made of elements.
    pub(crate) fn check_inside(&self) -> Result<(), BerError> {
        if !self.constructed {
            return Ok(());
        }
        let mut children = self.children()?;
        while let Some(child) = children.next_element()? {
            child.check_inside()?;
        }
        Ok(())
    }

    /// The contents of an element that must not be constructed.
    pub(crate) fn primitive(&self) -> Result<&'a [u8], BerError> {
        if self.constructed {
            return Err(BerError::UnexpectedTag);
        }
        Ok(self.contents)
    }
}

/// Elements one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    depth: u8,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            depth: 0,
        }
    }

    fn at(bytes: &'a [u8], depth: u8) -> Result<Self, BerError> {
        if depth > MAX_DEPTH {
            return Err(BerError::TooDeep);
        }
        Ok(Self { rest: bytes, depth })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Fails if anything is left.
    pub(crate) fn finish(&self) -> Result<(), BerError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(BerError::TrailingData)
        }
    }

    /// The next element, which must be there.
    pub(crate) fn element(&mut self) -> Result<Element<'a>, BerError> {
        let header = Header::read(self.rest)?;
        let (_, body) = split(self.rest, header.length)?;
        let (contents, trailer) = match header.contents {
            Some(length) => (split(body, length)?.0, 0),
            None => (
                indefinite_contents(body, self.depth)?,
                END_OF_CONTENTS.len(),
            ),
        };
        let (encoded, rest) = split(self.rest, header.length + contents.len() + trailer)?;
        self.rest = rest;
        Ok(Element {
            tag: header.tag,
            constructed: header.constructed,
            depth: self.depth,
            encoded,
            contents,
        })
    }

    /// The next element, or None at the end.
    pub(crate) fn next_element(&mut self) -> Result<Option<Element<'a>>, BerError> {
        if self.is_empty() {
            return Ok(None);
        }
        self.element().map(Some)
    }

    /// The next element, which must be there and have this tag.
    pub(crate) fn expect(&mut self, tag: Tag) -> Result<Element<'a>, BerError> {
        if self.is_empty() {
            return Err(BerError::Missing);
        }
        self.optional(tag)?.ok_or(BerError::UnexpectedTag)
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: Tag) -> Result<Option<Element<'a>>, BerError> {
        if self.is_empty() || Header::read(self.rest)?.tag != tag {
            return Ok(None);
        }
        self.element().map(Some)
    }
}

/// Identifier and length octets of an element.
struct Header {
    tag: Tag,
    constructed: bool,
    /// Of the header itself.
    length: usize,
    /// Length of the contents; None for the indefinite form.
    contents: Option<usize>,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, BerError> {
        let mut octets = bytes.iter().copied();
        let mut next = || octets.next().ok_or(BerError::Truncated);
        let identifier = next()?;
        if identifier & LOW_NUMBER == LOW_NUMBER {
            skip_high_number(&mut next)?;
        }
        let first = next()?;
        let contents = match first {
            0..0x80 => Some(usize::from(first)),
            0x80 => None,
            0xff => return Err(BerError::OutOfRange),
            _ => Some(long_length(first & 0x7f, &mut next)?),
        };
        let constructed = identifier & CONSTRUCTED != 0;
        if contents.is_none() && !constructed {
            return Err(BerError::IndefinitePrimitive);
        }
        Ok(Self {
            tag: Tag(identifier & !CONSTRUCTED),
            constructed,
            length: bytes.len() - octets.len(),
            contents,
        })
    }
}

/// No type that CMS uses has a tag number of 31 or more: such elements can be skipped, but match no [`Tag`].
fn skip_high_number(next: &mut impl FnMut() -> Result<u8, BerError>) -> Result<(), BerError> {
    for _ in 0..4 {
        if next()? & 0x80 == 0 {
            return Ok(());
        }
    }
    Err(BerError::OutOfRange)
}

fn long_length(
    octets: u8,
    next: &mut impl FnMut() -> Result<u8, BerError>,
) -> Result<usize, BerError> {
    let mut length = 0_usize;
    for _ in 0..octets {
        length = length
            .checked_mul(256)
            .ok_or(BerError::OutOfRange)?
            .saturating_add(usize::from(next()?));
    }
    Ok(length)
}

/// The contents of an element of indefinite length, given everything behind its header.
///
/// Goes over nested elements without recursion, so that hostile nesting costs no stack.
fn indefinite_contents(body: &[u8], depth: u8) -> Result<&[u8], BerError> {
    let mut open = 1_u8;
    let mut rest = body;
    loop {
        if let Some(after) = rest.strip_prefix(&END_OF_CONTENTS) {
            open -= 1;
            if open == 0 {
                return split(body, body.len() - rest.len()).map(|(contents, _)| contents);
            }
            rest = after;
            continue;
        }
        let header = Header::read(rest)?;
        rest = split(rest, header.length)?.1;
        match header.contents {
            Some(length) => rest = split(rest, length)?.1,
            None if open + depth >= MAX_DEPTH => return Err(BerError::TooDeep),
            None => open += 1,
        }
    }
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), BerError> {
    bytes.split_at_checked(at).ok_or(BerError::Truncated)
}

#[cfg(test)]
mod tests;

//! Search filters (RFC 4511, section 4.5.1.7).

use crate::cms::BerError;
use crate::cms::ber::{Element, Tag};

/// Most parts of a filter, over all levels.
const MOST_PARTS: usize = 64;

/// What entries a search is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of these.
    And(Vec<Self>),
    /// At least one of these.
    Or(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// The attribute has this value.
    Equal {
        /// The attribute's name, in lower case.
        attribute: String,
        /// The value, as sent.
        value: Vec<u8>,
    },
    /// The attribute is there; its name, in lower case.
    Present(String),
    /// A comparison that searching by address does not need: substrings, ordering, approximate, extensible.
    Other,
}

impl Filter {
    /// Reads a filter of at most 64 parts, nested as deep as BER may be.
    pub(super) fn read(element: &Element<'_>) -> Result<Self, BerError> {
        let mut parts = MOST_PARTS;
        Self::read_within(element, &mut parts)
    }

    fn read_within(element: &Element<'_>, parts: &mut usize) -> Result<Self, BerError> {
        *parts = parts.checked_sub(1).ok_or(BerError::OutOfRange)?;
        let tag = element.tag();
        if tag == Tag::context(0) {
            Ok(Self::And(Self::read_all(element, parts)?))
        } else if tag == Tag::context(1) {
            Ok(Self::Or(Self::read_all(element, parts)?))
        } else if tag == Tag::context(2) {
            let inner = Self::read_within(&element.only_child()?, parts)?;
            Ok(Self::Not(Box::new(inner)))
        } else if tag == Tag::context(3) {
            let mut assertion = element.children()?;
            let attribute = name(assertion.expect(Tag::OCTET_STRING)?.primitive()?)?;
            let value = assertion.expect(Tag::OCTET_STRING)?.primitive()?.to_vec();
            assertion.finish()?;
            Ok(Self::Equal { attribute, value })
        } else if tag == Tag::context(7) {
            Ok(Self::Present(name(element.primitive()?)?))
        } else {
            element.check_inside()?;
            Ok(Self::Other)
        }
    }

    fn read_all(element: &Element<'_>, parts: &mut usize) -> Result<Vec<Self>, BerError> {
        let mut children = element.children()?;
        let mut all = Vec::new();
        while let Some(child) = children.next_element()? {
            all.push(Self::read_within(&child, parts)?);
        }
        Ok(all)
    }
}

/// An attribute's name in lower case.
pub(super) fn name(octets: &[u8]) -> Result<String, BerError> {
    let text = std::str::from_utf8(octets).map_err(|_| BerError::InvalidValue)?;
    Ok(text.to_ascii_lowercase())
}

//! AlgorithmIdentifiers as they are read.

use der::asn1::ObjectIdentifier;

use super::ber::{BerError, Element, Reader, Tag};
use super::{Digest, Unsupported};

/// Why an AlgorithmIdentifier is of no use to us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AlgorithmError {
    #[error("an AlgorithmIdentifier cannot be read: {0}")]
    Malformed(#[from] BerError),
    #[error("{0}")]
    Unsupported(Unsupported),
}

impl From<Unsupported> for AlgorithmError {
    fn from(unsupported: Unsupported) -> Self {
        Self::Unsupported(unsupported)
    }
}

/// ecdsa-with-SHA1 (RFC 3279, section 2.2.3).
pub(super) const ECDSA_WITH_SHA_1: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");

/// An AlgorithmIdentifier (RFC 5280, section 4.1.1.2), its parameters not looked at yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Algorithm<'a> {
    pub(super) oid: ObjectIdentifier,
    pub(super) parameters: Option<Element<'a>>,
    /// The whole AlgorithmIdentifier as it was received.
    pub(super) encoded: &'a [u8],
}

impl<'a> Algorithm<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, BerError> {
        Self::from_element(&reader.expect(Tag::SEQUENCE)?)
    }

    /// Reads an AlgorithmIdentifier whatever its tag, since some are tagged implicitly.
    pub(super) fn from_element(element: &Element<'a>) -> Result<Self, BerError> {
        let mut fields = element.children()?;
        let oid = fields.expect(Tag::OBJECT_IDENTIFIER)?.object_identifier()?;
        let parameters = fields.next_element()?;
        fields.finish()?;
        Ok(Self {
            oid,
            parameters,
            encoded: element.encoded(),
        })
    }

    /// The parameters, which must be there and a SEQUENCE.
    fn sequence(&self) -> Result<Element<'a>, BerError> {
        let parameters = self.parameters.ok_or(BerError::Missing)?;
        if parameters.tag() != Tag::SEQUENCE {
            return Err(BerError::UnexpectedTag);
        }
        Ok(parameters)
    }

    /// The fields of the parameters.
    pub(super) fn fields(&self) -> Result<Reader<'a>, BerError> {
        self.sequence()?.children()
    }

    /// The AlgorithmIdentifier that stands as parameter in this one, as MGF1 and key agreement have it.
    pub(super) fn inner(&self) -> Result<Self, BerError> {
        Self::from_element(&self.sequence()?)
    }

    /// The digest that this names.
    pub(super) fn digest(&self) -> Result<Digest, AlgorithmError> {
        Digest::from_oid(self.oid).ok_or_else(|| self.unsupported())
    }

    pub(super) fn unsupported(&self) -> AlgorithmError {
        AlgorithmError::Unsupported(Unsupported::of(self.oid))
    }
}

//! AlgorithmIdentifiers as they are read, and names for object identifiers.

use const_oid::db::DB;
use der::asn1::ObjectIdentifier;

use super::Digest;
use super::ber::{BerError, Element, Reader, Tag};

/// Why an AlgorithmIdentifier is of no use to us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AlgorithmError {
    #[error("an AlgorithmIdentifier cannot be read: {0}")]
    Malformed(#[from] BerError),
    /// "unsupported: 1.2.3 name".
    #[error("{0}")]
    Unsupported(String),
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
        AlgorithmError::Unsupported(unsupported(self.oid))
    }
}

/// "unsupported: 1.2.840.113549.3.2 rc2-cbc".
pub(super) fn unsupported(oid: ObjectIdentifier) -> String {
    match name(oid) {
        Some(name) => format!("unsupported: {oid} {name}"),
        None => format!("unsupported: {oid}"),
    }
}

fn name(oid: ObjectIdentifier) -> Option<&'static str> {
    // Found in mail, but not in the registry that the database was made of.
    const OTHERS: [(ObjectIdentifier, &str); 5] = [
        (ECDSA_WITH_SHA_1, "ecdsa-with-SHA1"),
        (ObjectIdentifier::new_unwrap("1.3.14.3.2.7"), "des-cbc"),
        (ObjectIdentifier::new_unwrap("1.2.840.113549.3.4"), "rc4"),
        (
            ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.9"),
            "id-ct-compressedData",
        ),
        (ObjectIdentifier::new_unwrap("1.3.101.110"), "id-X25519"),
    ];
    DB.by_oid(&oid).or_else(|| {
        OTHERS
            .into_iter()
            .find(|(known, _)| *known == oid)
            .map(|(_, name)| name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unsupported_is_named() {
        for (oid, expected) in [
            (
                "1.2.840.113549.3.2",
                "unsupported: 1.2.840.113549.3.2 rc2-cbc",
            ),
            ("1.3.14.3.2.7", "unsupported: 1.3.14.3.2.7 des-cbc"),
            ("1.2.3.4", "unsupported: 1.2.3.4"),
        ] {
            assert_eq!(unsupported(ObjectIdentifier::new_unwrap(oid)), expected);
        }
    }
}

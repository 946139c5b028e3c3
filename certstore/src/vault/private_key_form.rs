//! The private keys of ML-KEM and ML-DSA as PKCS#8 has them: a seed, an expanded key, or both (RFC 9881, section 6; RFC
//! 9935, section 6).
//!
//! Only the form is read here. Whether the two belong together, and what else makes a good key, is for those who use it.

use const_oid::ObjectIdentifier;
use der::asn1::{ContextSpecific, OctetStringRef};
use der::{Encode, Sequence, TagMode, TagNumber};
use spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use crate::cms::ber::{BerError, Element, Tag};

/// What is known of a private key; one of the two at least.
pub(super) struct PrivateKeyForm {
    pub(super) seed: Option<Zeroizing<Vec<u8>>>,
    pub(super) expanded: Option<Zeroizing<Vec<u8>>>,
}

impl PrivateKeyForm {
    /// A key that is its seed.
    pub(super) fn of_seed(seed: Zeroizing<Vec<u8>>) -> Self {
        Self {
            seed: Some(seed),
            expanded: None,
        }
    }

    /// A key whose seed nobody knows.
    pub(super) fn of_expanded(expanded: Zeroizing<Vec<u8>>) -> Self {
        Self {
            seed: None,
            expanded: Some(expanded),
        }
    }

    /// Reads the octets of the PKCS#8 field privateKey.
    pub(super) fn read(private_key: &[u8]) -> Result<Self, BerError> {
        let choice = Element::only(private_key)?;
        if choice.tag() == Tag::context(0) {
            return Ok(Self::of_seed(octets(&choice)?));
        }
        if choice.tag() == Tag::OCTET_STRING {
            return Ok(Self::of_expanded(octets(&choice)?));
        }
        if choice.tag() != Tag::SEQUENCE {
            return Err(BerError::UnexpectedTag);
        }
        let mut both = choice.children()?;
        let seed = octets(&both.expect(Tag::OCTET_STRING)?)?;
        let expanded = octets(&both.expect(Tag::OCTET_STRING)?)?;
        both.finish()?;
        Ok(Self {
            seed: Some(seed),
            expanded: Some(expanded),
        })
    }

    /// The key in PKCS#8, as its seed if that is known.
    pub(super) fn to_pkcs8(&self, algorithm: ObjectIdentifier) -> der::Result<Zeroizing<Vec<u8>>> {
        let private_key = match (&self.seed, &self.expanded) {
            (Some(seed), _) => ContextSpecific {
                tag_number: TagNumber(0),
                tag_mode: TagMode::Implicit,
                value: OctetStringRef::new(seed)?,
            }
            .to_der(),
            (None, expanded) => {
                OctetStringRef::new(expanded.as_deref().map_or(&[], Vec::as_slice))?.to_der()
            }
        };
        let private_key = Zeroizing::new(private_key?);
        let private_key_info = PrivateKeyInfo {
            version: 0,
            algorithm: AlgorithmIdentifierOwned {
                oid: algorithm,
                parameters: None,
            },
            private_key: OctetStringRef::new(&private_key)?,
        };
        private_key_info.to_der().map(Zeroizing::new)
    }
}

fn octets(element: &Element<'_>) -> Result<Zeroizing<Vec<u8>>, BerError> {
    Ok(Zeroizing::new(element.octets()?.into_owned()))
}

/// PrivateKeyInfo (RFC 5958, section 2), with nothing that is optional.
#[derive(Sequence)]
struct PrivateKeyInfo<'a> {
    version: u8,
    algorithm: AlgorithmIdentifierOwned,
    private_key: &'a OctetStringRef,
}

//! Content-encryption keys by key encapsulation: KEMRecipientInfo (RFC 9629) with ML-KEM (RFC 9936), read and built.
//!
//! HKDF makes a key-encryption key of the shared secret, and that wraps the content-encryption key. Other KEMs and other
//! key derivation functions are named as unsupported.

use std::borrow::Cow;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{self, HKDF_SHA256, HKDF_SHA384, HKDF_SHA512};
use aws_lc_rs::kem::EncapsulationKey;
use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::{Any, AnyRef, Encode, Sequence};
use spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, AlgorithmError};
use super::ber::{BerError, Element, Tag};
use super::encode;
use super::key_agreement::{self, KeyWrapAlgorithm};
use super::{Decryptor, KeyFailure, MlKem, RecipientId};

/// id-alg-hkdf-with-sha256, -sha384 and -sha512 (RFC 8619, section 2).
const HKDF_WITH_SHA_256: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.3.28");
const HKDF_WITH_SHA_384: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.3.29");
const HKDF_WITH_SHA_512: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.3.30");

/// What a KEMRecipientInfo has beside the recipient's name and the encrypted key.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyEncapsulation<'a> {
    kem: Algorithm<'a>,
    ciphertext: Element<'a>,
    derivation: Algorithm<'a>,
    /// Length of the key-encryption key, in bytes.
    key_length: u32,
    user_keying_material: Option<Element<'a>>,
    wrap: Algorithm<'a>,
}

impl<'a> KeyEncapsulation<'a> {
    /// Reads a KEMRecipientInfo (RFC 9629, section 3): the recipient, how the key was encrypted, and the encrypted key.
    pub(super) fn read(info: &Element<'a>) -> Result<(RecipientId, Self, Cow<'a, [u8]>), BerError> {
        let mut fields = info.children()?;
        fields.expect(Tag::INTEGER)?;
        let id = RecipientId::read(&mut fields)?;
        let encapsulation = Self {
            kem: Algorithm::read(&mut fields)?,
            ciphertext: fields.expect(Tag::OCTET_STRING)?,
            derivation: Algorithm::read(&mut fields)?,
            key_length: fields.expect(Tag::INTEGER)?.small_integer()?,
            user_keying_material: match fields.optional(Tag::context(0))? {
                Some(explicit) => Some(explicit.only_child()?),
                None => None,
            },
            wrap: Algorithm::read(&mut fields)?,
        };
        let encrypted_key = fields.expect(Tag::OCTET_STRING)?.octets()?;
        fields.finish()?;
        Ok((id, encapsulation, encrypted_key))
    }

    /// Opens the encrypted key. The outer failure is about the message, the inner one about the key.
    pub(super) fn open(
        &self,
        encrypted_key: &[u8],
        decryptor: &dyn Decryptor,
    ) -> Result<Result<Zeroizing<Vec<u8>>, KeyFailure>, AlgorithmError> {
        let kem = MlKem::from_oid(self.kem.oid).ok_or_else(|| self.kem.unsupported())?;
        let hkdf = hkdf(self.derivation.oid).ok_or_else(|| self.derivation.unsupported())?;
        let wrap =
            KeyWrapAlgorithm::from_oid(self.wrap.oid).ok_or_else(|| self.wrap.unsupported())?;
        if usize::try_from(self.key_length) != Ok(wrap.key_length()) {
            return Err(BerError::InvalidValue.into());
        }
        let material = self.user_keying_material.map(|material| material.octets());
        let material = material.transpose()?;
        let info = other_info(self.wrap.encoded, self.key_length, material.as_deref())
            .map_err(|_| BerError::InvalidValue)?;
        let ciphertext = self.ciphertext.octets()?;
        Ok(decryptor.decapsulate(kem, &ciphertext).and_then(|secret| {
            key_encryption_key(hkdf, &secret, &info, wrap)
                .and_then(|key| wrap.unwrap(&key, encrypted_key))
                .map_err(|_| KeyFailure::Failed)
        }))
    }
}

/// Why there is no RecipientInfo for a key.
#[derive(Debug)]
pub(super) struct InvalidKey;

impl From<Unspecified> for InvalidKey {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

impl From<der::Error> for InvalidKey {
    fn from(_: der::Error) -> Self {
        Self
    }
}

/// A RecipientInfo with the content-encryption key for the holder of `public_key`, who is named by `recipient_id`: HKDF with SHA-256, and the key wrap
/// that goes with the parameter set (RFC 9936, section 2.2.2).
pub(super) fn recipient_info(
    recipient_id: Any,
    kem: MlKem,
    public_key: &[u8],
    content_key: &[u8],
) -> Result<Any, InvalidKey> {
    let wrap = match kem {
        MlKem::MlKem512 => KeyWrapAlgorithm::Aes128,
        MlKem::MlKem768 | MlKem::MlKem1024 => KeyWrapAlgorithm::Aes256,
    };
    let key_length = u16::try_from(wrap.key_length()).unwrap_or(u16::MAX);
    let wrap_algorithm = without_parameters(wrap.oid());
    let info = other_info(&wrap_algorithm.to_der()?, key_length.into(), None)?;
    let (ciphertext, secret) = EncapsulationKey::new(kem.algorithm(), public_key)
        .map_err(|_| InvalidKey)?
        .encapsulate()?;
    let key = key_encryption_key(HKDF_SHA256, secret.as_ref(), &info, wrap)?;
    let encrypted_key = wrap.wrap(&key, content_key)?;
    let recipient_info = encode::KemRecipientInfo {
        version: 0,
        rid: recipient_id,
        kem: without_parameters(kem.oid()),
        kemct: OctetStringRef::new(ciphertext.as_ref())?,
        kdf: without_parameters(HKDF_WITH_SHA_256),
        kek_length: key_length,
        wrap: wrap_algorithm,
        encrypted_key: OctetStringRef::new(&encrypted_key)?,
    };
    Ok(recipient_info.into_recipient_info()?)
}

fn without_parameters(oid: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned {
        oid,
        parameters: None,
    }
}

fn hkdf(oid: ObjectIdentifier) -> Option<hkdf::Algorithm> {
    match oid {
        HKDF_WITH_SHA_256 => Some(HKDF_SHA256),
        HKDF_WITH_SHA_384 => Some(HKDF_SHA384),
        HKDF_WITH_SHA_512 => Some(HKDF_SHA512),
        _ => None,
    }
}

/// HKDF with the empty salt (RFC 9936, section 2.2.1).
fn key_encryption_key(
    algorithm: hkdf::Algorithm,
    secret: &[u8],
    info: &[u8],
    wrap: KeyWrapAlgorithm,
) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    key_agreement::hkdf(algorithm, &[], secret, info, wrap.key_length())
}

/// CMSORIforKEMOtherInfo (RFC 9629, section 5).
#[derive(Sequence)]
struct OtherInfo<'a> {
    wrap: AnyRef<'a>,
    kek_length: u32,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    ukm: Option<&'a OctetStringRef>,
}

/// `wrap` is the AlgorithmIdentifier of the key wrap as it stands in the message.
fn other_info(
    wrap: &[u8],
    key_length: u32,
    user_keying_material: Option<&[u8]>,
) -> der::Result<Vec<u8>> {
    OtherInfo {
        wrap: AnyRef::try_from(wrap)?,
        kek_length: key_length,
        ukm: user_keying_material.map(OctetStringRef::new).transpose()?,
    }
    .to_der()
}

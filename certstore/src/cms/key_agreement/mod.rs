//! Content-encryption keys by key agreement: ECDH on the NIST curves (RFC 5753) and X25519 (RFC 8418).
//!
//! A scheme names how a key-encryption key is derived from the shared secret; its parameter names the key wrap.

mod wrap;

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{digest, hkdf};
use const_oid::db::{rfc5753, rfc5912, rfc8410};
use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::{AnyRef, Encode, Sequence};
use zeroize::Zeroizing;

pub(super) use self::wrap::KeyWrapAlgorithm;
use super::{Curve, Digest, KeyDerivation};

const STD_DH_HKDF_SHA_256: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.3.19");
const STD_DH_HKDF_SHA_384: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.3.20");
const STD_DH_HKDF_SHA_512: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.3.21");

impl KeyDerivation {
    /// Every scheme that can be written, best first.
    pub const ALL: [Self; 7] = [
        Self::Hkdf(Digest::Sha256),
        Self::Hkdf(Digest::Sha384),
        Self::Hkdf(Digest::Sha512),
        Self::X963(Digest::Sha256),
        Self::X963(Digest::Sha384),
        Self::X963(Digest::Sha512),
        Self::X963(Digest::Sha1),
    ];

    /// dhSinglePass-stdDH with this key derivation (RFC 5753, section 7.1.4; RFC 8418, section 7); None: there is none.
    pub(super) const fn oid(self) -> Option<ObjectIdentifier> {
        match self {
            Self::X963(Digest::Sha1) => Some(rfc5753::DH_SINGLE_PASS_STD_DH_SHA_1_KDF_SCHEME),
            Self::X963(Digest::Sha256) => Some(rfc5753::DH_SINGLE_PASS_STD_DH_SHA_256_KDF_SCHEME),
            Self::X963(Digest::Sha384) => Some(rfc5753::DH_SINGLE_PASS_STD_DH_SHA_384_KDF_SCHEME),
            Self::X963(Digest::Sha512) => Some(rfc5753::DH_SINGLE_PASS_STD_DH_SHA_512_KDF_SCHEME),
            Self::Hkdf(Digest::Sha1) => None,
            Self::Hkdf(Digest::Sha256) => Some(STD_DH_HKDF_SHA_256),
            Self::Hkdf(Digest::Sha384) => Some(STD_DH_HKDF_SHA_384),
            Self::Hkdf(Digest::Sha512) => Some(STD_DH_HKDF_SHA_512),
        }
    }

    pub(super) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|derivation| derivation.oid() == Some(oid))
    }

    pub(super) fn function(self) -> DerivationFunction {
        match self {
            Self::X963(digest) => DerivationFunction::X963(digest.implementation()),
            Self::Hkdf(digest) => DerivationFunction::Hkdf(match digest {
                Digest::Sha1 => hkdf::HKDF_SHA1_FOR_LEGACY_USE_ONLY,
                Digest::Sha256 => hkdf::HKDF_SHA256,
                Digest::Sha384 => hkdf::HKDF_SHA384,
                Digest::Sha512 => hkdf::HKDF_SHA512,
            }),
        }
    }
}

/// A function from a shared secret to a key-encryption key.
#[derive(Debug, Clone, Copy)]
pub(super) enum DerivationFunction {
    /// ANSI X9.63, as in SEC 1, section 3.6.1.
    X963(&'static digest::Algorithm),
    /// RFC 5869.
    Hkdf(hkdf::Algorithm),
}

impl DerivationFunction {
    /// That of a scheme. On our curves, whose cofactor is 1, the schemes with cofactor multiplication give the same
    /// secret; SHA-224 is read and never written.
    pub(super) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        if let Some(known) = KeyDerivation::from_oid(oid) {
            return Some(known.function());
        }
        Some(Self::X963(match oid {
            rfc5753::DH_SINGLE_PASS_STD_DH_SHA_224_KDF_SCHEME
            | rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_224_KDF_SCHEME => &digest::SHA224,
            rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_1_KDF_SCHEME => {
                &digest::SHA1_FOR_LEGACY_USE_ONLY
            }
            rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_256_KDF_SCHEME => &digest::SHA256,
            rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_384_KDF_SCHEME => &digest::SHA384,
            rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_512_KDF_SCHEME => &digest::SHA512,
            _ => return None,
        }))
    }

    /// The key-encryption key for a shared secret.
    ///
    /// `wrap_algorithm` is the AlgorithmIdentifier of the key wrap as it stands in the message, `user_keying_material`
    /// the octets of the field of that name.
    pub(super) fn derive(
        self,
        secret: &[u8],
        wrap: KeyWrapAlgorithm,
        wrap_algorithm: &[u8],
        user_keying_material: Option<&[u8]>,
    ) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let length = wrap.key_length();
        let info =
            shared_info(wrap_algorithm, user_keying_material, length).map_err(|_| Unspecified)?;
        match self {
            Self::X963(digest) => Ok(x963(digest, secret, &info, length)),
            Self::Hkdf(algorithm) => {
                let salt = user_keying_material.unwrap_or_default();
                hkdf(algorithm, salt, secret, &info, length)
            }
        }
    }
}

fn x963(
    digest: &'static digest::Algorithm,
    secret: &[u8],
    shared_info: &[u8],
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length + digest::MAX_OUTPUT_LEN));
    for counter in 1_u32.. {
        if key.len() >= length {
            break;
        }
        let mut context = digest::Context::new(digest);
        context.update(secret);
        context.update(&counter.to_be_bytes());
        context.update(shared_info);
        key.extend_from_slice(context.finish().as_ref());
    }
    key.truncate(length);
    key
}

/// A key of `length` bytes by HKDF (RFC 5869).
pub(super) fn hkdf(
    algorithm: hkdf::Algorithm,
    salt: &[u8],
    secret: &[u8],
    info: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let mut key = Zeroizing::new(vec![0; length]);
    hkdf::Salt::new(algorithm, salt)
        .extract(secret)
        .expand(&[info], Length(length))?
        .fill(&mut key)?;
    Ok(key)
}

/// How much HKDF is asked for, in bytes.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// ECC-CMS-SharedInfo (RFC 5753, section 7.2; RFC 8418, section 2).
#[derive(Sequence)]
struct SharedInfo<'a> {
    key_info: AnyRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    entity_u_info: Option<&'a OctetStringRef>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT")]
    supp_pub_info: &'a OctetStringRef,
}

fn shared_info(
    wrap_algorithm: &[u8],
    user_keying_material: Option<&[u8]>,
    key_length: usize,
) -> der::Result<Vec<u8>> {
    let bits = u32::try_from(key_length * 8)
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    SharedInfo {
        key_info: AnyRef::try_from(wrap_algorithm)?,
        entity_u_info: user_keying_material.map(OctetStringRef::new).transpose()?,
        supp_pub_info: OctetStringRef::new(&bits)?,
    }
    .to_der()
}

/// Where two keys can agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AgreementGroup {
    Nist(Curve),
    X25519,
}

impl AgreementGroup {
    /// What an OriginatorPublicKey of this group is called there (RFC 5753, section 3.1.1; RFC 8418, section 3.2).
    pub(super) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Nist(_) => rfc5912::ID_EC_PUBLIC_KEY,
            Self::X25519 => rfc8410::ID_X_25519,
        }
    }

    /// The scheme that fits (RFC 5753, section 7.1.4; RFC 8418, section 6), with this digest if one is asked for.
    pub(super) fn derivation(self, digest: Option<Digest>) -> KeyDerivation {
        match (self, digest) {
            (Self::Nist(_), Some(digest)) => KeyDerivation::X963(digest),
            (Self::Nist(Curve::P256), None) => KeyDerivation::X963(Digest::Sha256),
            (Self::Nist(Curve::P384), None) => KeyDerivation::X963(Digest::Sha384),
            (Self::Nist(Curve::P521), None) => KeyDerivation::X963(Digest::Sha512),
            // There is no HKDF with SHA-1 in CMS.
            (Self::X25519, None | Some(Digest::Sha1)) => KeyDerivation::Hkdf(Digest::Sha256),
            (Self::X25519, Some(digest)) => KeyDerivation::Hkdf(digest),
        }
    }

    /// Makes a key for this one message and agrees with the recipient's public key: returns our public key and the
    /// shared secret.
    pub(super) fn agree_ephemeral(
        self,
        public_key: &[u8],
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), Unspecified> {
        let algorithm = match self {
            Self::Nist(Curve::P256) => &agreement::ECDH_P256,
            Self::Nist(Curve::P384) => &agreement::ECDH_P384,
            Self::Nist(Curve::P521) => &agreement::ECDH_P521,
            Self::X25519 => &agreement::X25519,
        };
        let ours = PrivateKey::generate(algorithm)?;
        let our_public_key = ours.compute_public_key()?.as_ref().to_vec();
        let theirs = UnparsedPublicKey::new(algorithm, public_key);
        let secret = agreement::agree(&ours, theirs, Unspecified, |secret| {
            Ok(Zeroizing::new(secret.to_vec()))
        })?;
        Ok((our_public_key, secret))
    }
}

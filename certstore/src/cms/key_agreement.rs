//! ECDH for content-encryption keys (RFC 5753): the key derivation function, and AES key wrap (RFC 3394).

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::digest;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::key_wrap::{self, AesKek, KeyWrap};
use const_oid::db::{rfc5753, rfc5911};
use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::{AnyRef, Encode, Sequence};
use zeroize::Zeroizing;

use super::Curve;

/// What AES key wrap adds to a key, in bytes.
const WRAP_OVERHEAD: usize = 8;

/// A way to agree on a key: dhSinglePass-stdDH with a digest. On our curves, whose cofactor is 1, the scheme with
/// cofactor multiplication gives the same secret.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyDerivation(&'static digest::Algorithm);

impl KeyDerivation {
    pub(super) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        match oid {
            rfc5753::DH_SINGLE_PASS_STD_DH_SHA_1_KDF_SCHEME
            | rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_1_KDF_SCHEME => {
                Some(Self(&digest::SHA1_FOR_LEGACY_USE_ONLY))
            }
            rfc5753::DH_SINGLE_PASS_STD_DH_SHA_224_KDF_SCHEME
            | rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_224_KDF_SCHEME => Some(Self(&digest::SHA224)),
            rfc5753::DH_SINGLE_PASS_STD_DH_SHA_256_KDF_SCHEME
            | rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_256_KDF_SCHEME => Some(Self(&digest::SHA256)),
            rfc5753::DH_SINGLE_PASS_STD_DH_SHA_384_KDF_SCHEME
            | rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_384_KDF_SCHEME => Some(Self(&digest::SHA384)),
            rfc5753::DH_SINGLE_PASS_STD_DH_SHA_512_KDF_SCHEME
            | rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_512_KDF_SCHEME => Some(Self(&digest::SHA512)),
            _ => None,
        }
    }

    /// The scheme that fits a curve, with its identifier (RFC 5753, section 7.1.4).
    pub(super) fn for_curve(curve: Curve) -> (Self, ObjectIdentifier) {
        match curve {
            Curve::P256 => (
                Self(&digest::SHA256),
                rfc5753::DH_SINGLE_PASS_STD_DH_SHA_256_KDF_SCHEME,
            ),
            Curve::P384 => (
                Self(&digest::SHA384),
                rfc5753::DH_SINGLE_PASS_STD_DH_SHA_384_KDF_SCHEME,
            ),
            Curve::P521 => (
                Self(&digest::SHA512),
                rfc5753::DH_SINGLE_PASS_STD_DH_SHA_512_KDF_SCHEME,
            ),
        }
    }

    /// The key-encryption key for a shared secret (ANSI X9.63, as in SEC 1, section 3.6.1).
    ///
    /// `wrap_algorithm` is the AlgorithmIdentifier of the key wrap as it stands in the message, `user_keying_material`
    /// the octets of the field of that name.
    pub(super) fn derive(
        self,
        secret: &[u8],
        wrap: KeyWrapAlgorithm,
        wrap_algorithm: &[u8],
        user_keying_material: Option<&[u8]>,
    ) -> der::Result<Zeroizing<Vec<u8>>> {
        let length = wrap.key_length();
        let shared_info = shared_info(wrap_algorithm, user_keying_material, length)?;
        let mut key = Zeroizing::new(Vec::with_capacity(length + digest::MAX_OUTPUT_LEN));
        for counter in 1_u32.. {
            if key.len() >= length {
                break;
            }
            let mut context = digest::Context::new(self.0);
            context.update(secret);
            context.update(&counter.to_be_bytes());
            context.update(&shared_info);
            key.extend_from_slice(context.finish().as_ref());
        }
        key.truncate(length);
        Ok(key)
    }
}

/// ECC-CMS-SharedInfo (RFC 5753, section 7.2).
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

/// AES key wrap by the length of its key; aws-lc has none with 192 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyWrapAlgorithm {
    Aes128,
    Aes256,
}

impl KeyWrapAlgorithm {
    pub(super) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        [Self::Aes128, Self::Aes256]
            .into_iter()
            .find(|wrap| wrap.oid() == oid)
    }

    pub(super) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Aes128 => rfc5911::ID_AES_128_WRAP,
            Self::Aes256 => rfc5911::ID_AES_256_WRAP,
        }
    }

    pub(super) fn key_length(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes256 => 32,
        }
    }

    fn key(self, key: &[u8]) -> Result<AesKek, Unspecified> {
        match self {
            Self::Aes128 => AesKek::new(&key_wrap::AES_128, key),
            Self::Aes256 => AesKek::new(&key_wrap::AES_256, key),
        }
    }

    pub(super) fn wrap(self, key: &[u8], content_key: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut wrapped = vec![0; content_key.len() + WRAP_OVERHEAD];
        let length = self.key(key)?.wrap(content_key, &mut wrapped)?.len();
        wrapped.truncate(length);
        Ok(wrapped)
    }

    pub(super) fn unwrap(
        self,
        key: &[u8],
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let mut content_key = Zeroizing::new(vec![0; wrapped.len()]);
        let length = self.key(key)?.unwrap(wrapped, &mut content_key)?.len();
        content_key.truncate(length);
        Ok(content_key)
    }
}

/// Makes a key for this one message and agrees with `point`, the recipient's public key: returns our public key and
/// the shared secret.
pub(super) fn agree_ephemeral(
    curve: Curve,
    point: &[u8],
) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), Unspecified> {
    let algorithm = match curve {
        Curve::P256 => &agreement::ECDH_P256,
        Curve::P384 => &agreement::ECDH_P384,
        Curve::P521 => &agreement::ECDH_P521,
    };
    let ours = PrivateKey::generate(algorithm)?;
    let public_key = ours.compute_public_key()?.as_ref().to_vec();
    let theirs = UnparsedPublicKey::new(algorithm, point);
    let secret = agreement::agree(&ours, theirs, Unspecified, |secret| {
        Ok(Zeroizing::new(secret.to_vec()))
    })?;
    Ok((public_key, secret))
}

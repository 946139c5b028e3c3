//! Signature algorithms: which one an AlgorithmIdentifier means, and whether a signature is right under a key.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, RsaParameters, UnparsedPublicKey};
use const_oid::db::{rfc5912, rfc8410};
use rsa::pkcs1::DecodeRsaPublicKey;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::algorithm::{Algorithm, AlgorithmError, ECDSA_WITH_SHA_1};
use super::certificate_outline::PublicKey;
use super::{Curve, Digest, MlDsa, SignatureFault, Unsupported, rsa_parameters};

/// How a signature was made, as its AlgorithmIdentifier says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureAlgorithm {
    RsaPkcs1(Digest),
    RsaPss {
        digest: Digest,
        /// Length of the salt, in bytes.
        salt: usize,
    },
    Ecdsa(Digest),
    /// Signs the message itself (RFC 8419).
    Ed25519,
    /// Signs the message itself (RFC 9882).
    MlDsa(MlDsa),
}

impl SignatureAlgorithm {
    /// `content_digest` is the one of the SignerInfo, for algorithm identifiers that name a kind of key only.
    pub(super) fn read(
        algorithm: &Algorithm<'_>,
        content_digest: Digest,
    ) -> Result<Self, AlgorithmError> {
        Ok(match algorithm.oid {
            rfc5912::RSA_ENCRYPTION => Self::RsaPkcs1(content_digest),
            rfc5912::SHA_1_WITH_RSA_ENCRYPTION => Self::RsaPkcs1(Digest::Sha1),
            rfc5912::SHA_256_WITH_RSA_ENCRYPTION => Self::RsaPkcs1(Digest::Sha256),
            rfc5912::SHA_384_WITH_RSA_ENCRYPTION => Self::RsaPkcs1(Digest::Sha384),
            rfc5912::SHA_512_WITH_RSA_ENCRYPTION => Self::RsaPkcs1(Digest::Sha512),
            rfc5912::ID_RSASSA_PSS => {
                let (digest, salt) = rsa_parameters::read_pss(algorithm)?;
                Self::RsaPss { digest, salt }
            }
            rfc5912::ID_EC_PUBLIC_KEY => Self::Ecdsa(content_digest),
            ECDSA_WITH_SHA_1 => Self::Ecdsa(Digest::Sha1),
            rfc5912::ECDSA_WITH_SHA_256 => Self::Ecdsa(Digest::Sha256),
            rfc5912::ECDSA_WITH_SHA_384 => Self::Ecdsa(Digest::Sha384),
            rfc5912::ECDSA_WITH_SHA_512 => Self::Ecdsa(Digest::Sha512),
            rfc8410::ID_ED_25519 => Self::Ed25519,
            oid => Self::MlDsa(MlDsa::from_oid(oid).ok_or_else(|| algorithm.unsupported())?),
        })
    }

    /// The digest that is signed.
    pub(super) fn digest(self) -> Digest {
        match self {
            Self::RsaPkcs1(digest) | Self::RsaPss { digest, .. } | Self::Ecdsa(digest) => digest,
            Self::Ed25519 | Self::MlDsa(_) => Digest::Sha512,
        }
    }

    /// Whether `signature` is one over `message`, whose digest is given as well.
    pub(super) fn verify(
        self,
        key: &PublicKey<'_>,
        message: &[u8],
        message_digest: &digest::Digest,
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        let verified = match (self, key) {
            (
                Self::RsaPkcs1(digest),
                PublicKey::Rsa {
                    key,
                    bits,
                    pss_only,
                },
            ) => {
                if *pss_only {
                    return Err(SignatureFault::BadSignature);
                }
                UnparsedPublicKey::new(pkcs1_parameters(digest, *bits)?, key)
                    .verify_digest(message_digest, signature)
                    .is_ok()
            }
            (Self::RsaPss { digest, salt }, PublicKey::Rsa { key, bits, .. }) => {
                match pss_parameters(digest, salt, *bits)? {
                    Some(parameters) => UnparsedPublicKey::new(parameters, key)
                        .verify_digest(message_digest, signature)
                        .is_ok(),
                    None => verify_unusual_pss(digest, salt, key, message_digest, signature),
                }
            }
            (Self::Ecdsa(digest), PublicKey::Ec { curve, point }) => {
                UnparsedPublicKey::new(ecdsa_parameters(*curve, digest)?, point)
                    .verify_digest(message_digest, signature)
                    .is_ok()
            }
            (Self::Ed25519, PublicKey::Ed25519(key)) => {
                UnparsedPublicKey::new(&signature::ED25519, key)
                    .verify(message, signature)
                    .is_ok()
            }
            (Self::MlDsa(dsa), PublicKey::MlDsa { dsa: kind, key }) if dsa == *kind => {
                UnparsedPublicKey::new(dsa.verification(), key)
                    .verify(message, signature)
                    .is_ok()
            }
            (_, PublicKey::Unsupported(oid)) => {
                return Err(SignatureFault::Unsupported(Unsupported::of(*oid)));
            }
            // The signature is of another kind than the key: nobody made it with this key.
            (
                _,
                PublicKey::Rsa { .. }
                | PublicKey::Ec { .. }
                | PublicKey::X25519(_)
                | PublicKey::Ed25519(_)
                | PublicKey::MlKem { .. }
                | PublicKey::MlDsa { .. },
            ) => false,
        };
        verified.then_some(()).ok_or(SignatureFault::BadSignature)
    }
}

impl std::fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::RsaPkcs1(digest) => write!(f, "RSA with {}", digest.name()),
            Self::RsaPss { digest, .. } => write!(f, "RSASSA-PSS with {}", digest.name()),
            Self::Ecdsa(digest) => write!(f, "ECDSA with {}", digest.name()),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::MlDsa(dsa) => f.write_str(dsa.name()),
        }
    }
}

fn pkcs1_parameters(digest: Digest, bits: u32) -> Result<&'static RsaParameters, SignatureFault> {
    let parameters = match digest {
        Digest::Sha1 => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Digest::Sha256 => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        Digest::Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Digest::Sha512 => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    };
    supported_length(bits, parameters.min_modulus_len())?;
    Ok(parameters)
}

/// None where aws-lc has no parameters: it knows salts as long as the digest only, and no SHA-1.
fn pss_parameters(
    digest: Digest,
    salt: usize,
    bits: u32,
) -> Result<Option<&'static RsaParameters>, SignatureFault> {
    supported_length(bits, 1024)?;
    if salt != digest.length() || bits < 2048 {
        return Ok(None);
    }
    Ok(match digest {
        Digest::Sha1 => None,
        Digest::Sha256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Digest::Sha384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Digest::Sha512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
    })
}

/// Keys longer than this would let a stranger burn our time.
const MAX_RSA_BITS: u32 = 8192;

fn supported_length(bits: u32, least: u32) -> Result<(), SignatureFault> {
    if (least..=MAX_RSA_BITS).contains(&bits) {
        return Ok(());
    }
    Err(SignatureFault::Unsupported(Unsupported::detail(
        rfc5912::RSA_ENCRYPTION,
        format!("an RSA key of {bits} bits"),
    )))
}

/// OpenSSL signs with the longest salt that fits unless told otherwise, so that other lengths are common.
fn verify_unusual_pss(
    digest: Digest,
    salt: usize,
    key: &[u8],
    message_digest: &digest::Digest,
    signature: &[u8],
) -> bool {
    let Ok(key) = rsa::RsaPublicKey::from_pkcs1_der(key) else {
        return false;
    };
    let hashed = message_digest.as_ref();
    match digest {
        Digest::Sha1 => key.verify(rsa::Pss::<Sha1>::new_with_salt(salt), hashed, signature),
        Digest::Sha256 => key.verify(rsa::Pss::<Sha256>::new_with_salt(salt), hashed, signature),
        Digest::Sha384 => key.verify(rsa::Pss::<Sha384>::new_with_salt(salt), hashed, signature),
        Digest::Sha512 => key.verify(rsa::Pss::<Sha512>::new_with_salt(salt), hashed, signature),
    }
    .is_ok()
}

fn ecdsa_parameters(
    curve: Curve,
    digest: Digest,
) -> Result<&'static EcdsaVerificationAlgorithm, SignatureFault> {
    Ok(match (curve, digest) {
        (Curve::P256, Digest::Sha1) => &signature::ECDSA_P256_SHA1_ASN1,
        (Curve::P256, Digest::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Digest::Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Digest::Sha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Digest::Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Digest::Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Digest::Sha512) => &signature::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Digest::Sha1) => &signature::ECDSA_P521_SHA1_ASN1,
        (Curve::P521, Digest::Sha256) => &signature::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Digest::Sha384) => &signature::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Digest::Sha512) => &signature::ECDSA_P521_SHA512_ASN1,
        (Curve::P384, Digest::Sha1) => {
            return Err(SignatureFault::Unsupported(Unsupported::detail(
                ECDSA_WITH_SHA_1,
                "ecdsa-with-SHA1 on P-384",
            )));
        }
    })
}

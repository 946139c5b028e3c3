//! Signatures on certificates, checked by aws-lc (RFC 4055, RFC 5758, RFC 8410, RFC 9881).
//!
//! MD2, MD5 and SHA-1 are named as weak and never checked: a collision makes such a signature mean nothing.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};
use der::{Decode, Reader, SliceReader, TagMode, TagNumber};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::distrust::Weakness;
use crate::certificate::Certificate;
use crate::cms::{Curve, MlDsa};

/// ecdsa-with-SHA1 (RFC 3279, section 2.2.3).
const ECDSA_WITH_SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");
/// sha1WithRSASignature of the OSI Implementers' Workshop, seen in old certificates.
const OIW_SHA_1_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.29");

/// How a certificate was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CertificateSignature {
    RsaPkcs1(Digest),
    RsaPss(Digest),
    Ecdsa(Digest),
    Ed25519,
    MlDsa(MlDsa),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

/// Why a signature will not be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unchecked {
    Weak(Weakness),
    Unknown,
}

impl CertificateSignature {
    pub(super) fn read(algorithm: &AlgorithmIdentifierOwned) -> Result<Self, Unchecked> {
        Ok(match algorithm.oid {
            rfc5912::SHA_256_WITH_RSA_ENCRYPTION => Self::RsaPkcs1(Digest::Sha256),
            rfc5912::SHA_384_WITH_RSA_ENCRYPTION => Self::RsaPkcs1(Digest::Sha384),
            rfc5912::SHA_512_WITH_RSA_ENCRYPTION => Self::RsaPkcs1(Digest::Sha512),
            rfc5912::ECDSA_WITH_SHA_256 => Self::Ecdsa(Digest::Sha256),
            rfc5912::ECDSA_WITH_SHA_384 => Self::Ecdsa(Digest::Sha384),
            rfc5912::ECDSA_WITH_SHA_512 => Self::Ecdsa(Digest::Sha512),
            rfc8410::ID_ED_25519 => Self::Ed25519,
            rfc5912::ID_RSASSA_PSS => Self::RsaPss(pss_digest(algorithm)?),
            oid => Self::MlDsa(MlDsa::from_oid(oid).ok_or_else(|| weak_digest(oid))?),
        })
    }

    /// Whether `signature` over `message` was made with `key`.
    pub(super) fn verifies(
        self,
        key: &SubjectPublicKeyInfoOwned,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let Some(algorithm) = self.algorithm(key) else {
            return false;
        };
        let Some(bytes) = key.subject_public_key.as_bytes() else {
            return false;
        };
        UnparsedPublicKey::new(algorithm, bytes)
            .verify(message, signature)
            .is_ok()
    }

    /// `None` where the key is of another kind than the signature.
    fn algorithm(
        self,
        key: &SubjectPublicKeyInfoOwned,
    ) -> Option<&'static dyn VerificationAlgorithm> {
        match (self, key.algorithm.oid) {
            (Self::RsaPkcs1(digest), rfc5912::RSA_ENCRYPTION) => Some(rsa_pkcs1(digest)),
            (Self::RsaPss(digest), rfc5912::RSA_ENCRYPTION | rfc5912::ID_RSASSA_PSS) => {
                Some(rsa_pss(digest))
            }
            (Self::Ecdsa(digest), rfc5912::ID_EC_PUBLIC_KEY) => Some(ecdsa(curve(key)?, digest)),
            (Self::Ed25519, rfc8410::ID_ED_25519) => Some(&ED25519),
            (Self::MlDsa(dsa), oid) if oid == dsa.oid() => Some(dsa.verification()),
            _ => None,
        }
    }
}

/// Whether `issued` bears a signature by the key of `issuer`. One that is too weak or of an unknown kind is let pass
/// here: path validation refuses it by name.
pub(super) fn may_be_signed_by(issued: &Certificate, issuer: &Certificate) -> bool {
    let Ok(kind) = CertificateSignature::read(issued.signature_algorithm()) else {
        return true;
    };
    SubjectPublicKeyInfoOwned::from_der(issuer.spki_der())
        .is_ok_and(|key| kind.verifies(&key, issued.to_be_signed(), issued.signature()))
}

/// Whether `signature` over `message`, made in the way of `algorithm`, is by the key of `signer`. A weak one is none.
pub(super) fn is_signed_with(
    signer: &Certificate,
    algorithm: &AlgorithmIdentifierOwned,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Ok(kind) = CertificateSignature::read(algorithm) else {
        return false;
    };
    SubjectPublicKeyInfoOwned::from_der(signer.spki_der())
        .is_ok_and(|key| kind.verifies(&key, message, signature))
}

fn rsa_pkcs1(digest: Digest) -> &'static dyn VerificationAlgorithm {
    match digest {
        Digest::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        Digest::Sha384 => &RSA_PKCS1_2048_8192_SHA384,
        Digest::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
    }
}

fn rsa_pss(digest: Digest) -> &'static dyn VerificationAlgorithm {
    match digest {
        Digest::Sha256 => &RSA_PSS_2048_8192_SHA256,
        Digest::Sha384 => &RSA_PSS_2048_8192_SHA384,
        Digest::Sha512 => &RSA_PSS_2048_8192_SHA512,
    }
}

fn ecdsa(curve: Curve, digest: Digest) -> &'static dyn VerificationAlgorithm {
    match (curve, digest) {
        (Curve::P256, Digest::Sha256) => &ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Digest::Sha384) => &ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Digest::Sha512) => &ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Digest::Sha256) => &ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Digest::Sha384) => &ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Digest::Sha512) => &ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Digest::Sha256) => &ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Digest::Sha384) => &ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Digest::Sha512) => &ECDSA_P521_SHA512_ASN1,
    }
}

fn curve(key: &SubjectPublicKeyInfoOwned) -> Option<Curve> {
    let parameters = key.algorithm.parameters.as_ref()?;
    match parameters.decode_as::<ObjectIdentifier>().ok()? {
        rfc5912::SECP_256_R_1 => Some(Curve::P256),
        rfc5912::SECP_384_R_1 => Some(Curve::P384),
        rfc5912::SECP_521_R_1 => Some(Curve::P521),
        _ => None,
    }
}

fn weak_digest(oid: ObjectIdentifier) -> Unchecked {
    match oid {
        rfc5912::SHA_1_WITH_RSA_ENCRYPTION
        | ECDSA_WITH_SHA_1
        | OIW_SHA_1_WITH_RSA
        | rfc5912::DSA_WITH_SHA_1 => Unchecked::Weak(Weakness::Digest("SHA-1")),
        rfc5912::MD_5_WITH_RSA_ENCRYPTION => Unchecked::Weak(Weakness::Digest("MD5")),
        rfc5912::MD_2_WITH_RSA_ENCRYPTION => Unchecked::Weak(Weakness::Digest("MD2")),
        _ => Unchecked::Unknown,
    }
}

/// The digest in `RSASSA-PSS-params` (RFC 4055, section 3.1): SHA-1 unless it says otherwise. The other parameters
/// must be those that go with it, or the signature does not verify.
fn pss_digest(algorithm: &AlgorithmIdentifierOwned) -> Result<Digest, Unchecked> {
    let parameters = algorithm.parameters.as_ref().ok_or(Unchecked::Unknown)?;
    let hash = pss_hash_oid(parameters.value()).map_err(|_| Unchecked::Unknown)?;
    match hash {
        Some(rfc5912::ID_SHA_256) => Ok(Digest::Sha256),
        Some(rfc5912::ID_SHA_384) => Ok(Digest::Sha384),
        Some(rfc5912::ID_SHA_512) => Ok(Digest::Sha512),
        None | Some(rfc5912::ID_SHA_1) => Err(Unchecked::Weak(Weakness::Digest("SHA-1"))),
        Some(_) => Err(Unchecked::Unknown),
    }
}

fn pss_hash_oid(parameters: &[u8]) -> der::Result<Option<ObjectIdentifier>> {
    let mut reader = SliceReader::new(parameters)?;
    let hash =
        reader.context_specific::<AlgorithmIdentifierOwned>(TagNumber(0), TagMode::Explicit)?;
    Ok(hash.map(|hash| hash.oid))
}

#[cfg(test)]
mod tests {
    use encodify::pem;

    use super::*;

    /// The self-signed certificate of RFC 9881, appendix C.
    #[test]
    fn the_certificate_of_rfc_9881_is_signed_by_its_own_key() {
        let text = include_bytes!("../../tests/data/post-quantum/rfc9881-ml-dsa-44.pem");
        let mut der = pem::STANDARD.blocks(text).next().unwrap().unwrap().contents;
        let certificate = Certificate::from_der(&der).unwrap();
        assert!(may_be_signed_by(&certificate, &certificate));
        let last = der.len() - 1000;
        der[last] ^= 1;
        let changed = Certificate::from_der(&der).unwrap();
        assert!(!may_be_signed_by(&changed, &certificate));
    }
}

//! Signing (RFC 5652, section 5; RFC 8551, section 2.5): one signer, signed attributes always.
//!
//! The content is hashed once, where it lies. Where it travels inside the signature, it may stay there.

use const_oid::db::{rfc5911, rfc5912, rfc8410};
use der::asn1::{Null, ObjectIdentifier, OctetStringRef, SetOfVec};
use der::{Any, Encode, EncodeValue, Sequence, Tag, Tagged};
use spki::AlgorithmIdentifierOwned;
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::time::Time;

use super::algorithm::ECDSA_WITH_SHA_1;
use super::certificate_outline::{CertificateOutline, PublicKey};
use super::encode::{self, IssuerAndSerialNumber};
use super::{
    CmsError, Curve, Digest, Frame, IncludedChain, KeyFailure, RsaSignature, SignOptions,
    SignatureScheme, Signer, Unsupported, rsa_parameters,
};

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignFailure {
    /// The signer's certificate cannot be used.
    #[error("the signer's certificate cannot be used: {0}")]
    Certificate(CmsError),
    /// SHA-1 was asked for; it is for reading old mail only.
    #[error("new mail is not signed with SHA-1: choose SHA-256, SHA-384 or SHA-512")]
    WeakDigest,
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] KeyFailure),
    /// A value that cannot be written, such as a certificate that is not DER or a time before 1970.
    #[error("the signature cannot be written: {0}")]
    Encoding(#[from] der::Error),
}

/// Signs `content`: a DER ContentInfo with a SignedData, with or without the content inside.
///
/// # Errors
/// [`SignFailure`].
pub fn sign(
    content: &[u8],
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<Vec<u8>, SignFailure> {
    sign_parts(&[content], signer, options)
}

/// As [`sign`], for content that lies in several pieces.
///
/// # Errors
/// [`SignFailure`].
pub fn sign_parts(
    parts: &[&[u8]],
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<Vec<u8>, SignFailure> {
    let Frame { head, tail } = sign_around(parts, signer, options)?;
    let inside = if options.attached { parts } else { &[] };
    Ok([&[&*head], inside, &[&*tail]].concat().concat())
}

/// As [`sign_parts`], without the content: what stands before and behind it where it travels inside.
///
/// # Errors
/// [`SignFailure`].
pub fn sign_around(
    parts: &[&[u8]],
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<Frame, SignFailure> {
    let certificate =
        CertificateOutline::read(signer.certificate()).map_err(SignFailure::Certificate)?;
    let scheme = scheme(&certificate.public_key, options)?;
    let digest = digest_of_scheme(scheme);
    let signed_attrs = signed_attributes(parts, digest, &certificate, signer, options)?;
    let signature = signer.sign(scheme, &signed_attrs.to_der()?)?;
    let digest_algorithm = AlgorithmIdentifierOwned {
        oid: digest.oid(),
        parameters: None,
    };
    // The version tells how the signer is named (RFC 5652, sections 5.1 and 5.3).
    let sid = encode::certificate_identifier(&certificate, options.signer_id)?;
    let version = if sid.tag() == Tag::Sequence { 1 } else { 3 };
    let signer_info = encode::SignerInfo {
        version,
        sid,
        digest_algorithm: digest_algorithm.clone(),
        signed_attrs,
        signature_algorithm: signature_algorithm(scheme)?,
        signature: OctetStringRef::new(&signature)?,
    };
    let length = parts.iter().map(|part| part.len()).sum();
    let signed_data = encode::SignedData {
        version,
        digest_algorithms: SetOfVec::try_from([digest_algorithm])?,
        encap_content_info: encode::EncapsulatedContentInfo::of_data(
            options.attached.then_some(length),
        ),
        certificates: encode::certificate_set(certificates(signer, options.chain))?,
        signer_infos: SetOfVec::try_from([Any::encode_from(&signer_info)?])?,
    };
    Ok(signed_data.into_frame()?)
}

fn certificates(signer: &dyn Signer, chain: IncludedChain) -> impl Iterator<Item = &[u8]> {
    let included = signer
        .chain()
        .iter()
        .filter(move |certificate| match chain {
            IncludedChain::SignerOnly => false,
            IncludedChain::WithoutRoot => CertificateOutline::read(certificate)
                .is_ok_and(|certificate| !certificate.is_self_issued()),
            IncludedChain::WithRoot => true,
        });
    std::iter::once(signer.certificate())
        .chain(included.map(Vec::as_slice))
        .chain(signer.encryption_certificate())
}

/// The `micalg` parameter that goes with a signature by this signer (RFC 8551, section 3.5.3.2).
#[must_use]
pub fn micalg(signer: &dyn Signer, options: &SignOptions) -> &'static str {
    CertificateOutline::read(signer.certificate())
        .ok()
        .and_then(|certificate| scheme(&certificate.public_key, options).ok())
        .map_or(options.digest, digest_of_scheme)
        .micalg()
}

/// RSA as the caller chooses; elliptic curves with the digest that fits (RFC 5753, section 2.1.1; RFC 8551, section 2.2).
fn scheme(key: &PublicKey<'_>, options: &SignOptions) -> Result<SignatureScheme, SignFailure> {
    let unusable = |oid| SignFailure::Certificate(CmsError::Unsupported(Unsupported::of(oid)));
    match key {
        PublicKey::Rsa { .. } if options.digest == Digest::Sha1 => Err(SignFailure::WeakDigest),
        PublicKey::Rsa { pss_only: true, .. } => Ok(SignatureScheme::RsaPss(options.digest)),
        PublicKey::Rsa { .. } => Ok(match options.rsa_signature {
            RsaSignature::Pkcs1 => SignatureScheme::RsaPkcs1(options.digest),
            RsaSignature::Pss => SignatureScheme::RsaPss(options.digest),
        }),
        PublicKey::Ec { curve, .. } => Ok(SignatureScheme::Ecdsa(
            *curve,
            match curve {
                Curve::P256 => Digest::Sha256,
                Curve::P384 => Digest::Sha384,
                Curve::P521 => Digest::Sha512,
            },
        )),
        PublicKey::Ed25519(_) => Ok(SignatureScheme::Ed25519),
        PublicKey::MlDsa { dsa, .. } => Ok(SignatureScheme::MlDsa(*dsa)),
        PublicKey::X25519(_) => Err(unusable(rfc8410::ID_X_25519)),
        PublicKey::MlKem { kem, .. } => Err(unusable(kem.oid())),
        PublicKey::Unsupported(oid) => Err(unusable(*oid)),
    }
}

fn digest_of_scheme(scheme: SignatureScheme) -> Digest {
    match scheme {
        SignatureScheme::RsaPkcs1(digest)
        | SignatureScheme::RsaPss(digest)
        | SignatureScheme::Ecdsa(_, digest) => digest,
        // RFC 8419, section 2.3; RFC 9882, section 3.3.
        SignatureScheme::Ed25519 | SignatureScheme::MlDsa(_) => Digest::Sha512,
    }
}

/// The AlgorithmIdentifier of a signature by this scheme.
pub(crate) fn signature_algorithm(
    scheme: SignatureScheme,
) -> der::Result<AlgorithmIdentifierOwned> {
    Ok(match scheme {
        SignatureScheme::RsaPss(digest) => rsa_parameters::pss(digest)?,
        // NULL, and not absent (RFC 5754, section 3.2).
        SignatureScheme::RsaPkcs1(digest) => AlgorithmIdentifierOwned {
            oid: match digest {
                Digest::Sha1 => rfc5912::SHA_1_WITH_RSA_ENCRYPTION,
                Digest::Sha256 => rfc5912::SHA_256_WITH_RSA_ENCRYPTION,
                Digest::Sha384 => rfc5912::SHA_384_WITH_RSA_ENCRYPTION,
                Digest::Sha512 => rfc5912::SHA_512_WITH_RSA_ENCRYPTION,
            },
            parameters: Some(Null.into()),
        },
        // Absent, and not NULL (RFC 5754, section 3.3).
        SignatureScheme::Ecdsa(_, digest) => AlgorithmIdentifierOwned {
            oid: match digest {
                Digest::Sha1 => ECDSA_WITH_SHA_1,
                Digest::Sha256 => rfc5912::ECDSA_WITH_SHA_256,
                Digest::Sha384 => rfc5912::ECDSA_WITH_SHA_384,
                Digest::Sha512 => rfc5912::ECDSA_WITH_SHA_512,
            },
            parameters: None,
        },
        SignatureScheme::Ed25519 => AlgorithmIdentifierOwned {
            oid: rfc8410::ID_ED_25519,
            parameters: None,
        },
        SignatureScheme::MlDsa(dsa) => AlgorithmIdentifierOwned {
            oid: dsa.oid(),
            parameters: None,
        },
    })
}

/// The signed attributes in DER order.
fn signed_attributes(
    parts: &[&[u8]],
    digest: Digest,
    certificate: &CertificateOutline<'_>,
    signer: &dyn Signer,
    options: &SignOptions,
) -> der::Result<Attributes> {
    let content_digest = digest.of_parts(parts);
    let mut attributes = vec![
        attribute(rfc5911::ID_CONTENT_TYPE, &rfc5911::ID_DATA)?,
        attribute(
            rfc5911::ID_MESSAGE_DIGEST,
            &OctetStringRef::new(content_digest.as_ref())?,
        )?,
        // UTCTime up to 2049, GeneralizedTime from then on (RFC 5652, section 11.3).
        match Time::try_from(options.signing_time)? {
            Time::UtcTime(time) => attribute(rfc5911::ID_SIGNING_TIME, &time)?,
            Time::GeneralTime(time) => attribute(rfc5911::ID_SIGNING_TIME, &time)?,
        },
        signing_certificate(certificate)?,
    ];
    if !options.capabilities.is_empty() {
        let list = options.capabilities.to_list()?;
        attributes.push(attribute(rfc5911::SMIME_CAPABILITIES, &list)?);
    }
    match signer.encryption_certificate() {
        Some(other) => {
            if let Ok(other) = CertificateOutline::read(other) {
                attributes.push(encryption_key_preference(&other)?);
            }
        }
        None if certificate.may_encrypt() => {
            attributes.push(encryption_key_preference(certificate)?);
        }
        None => {}
    }
    SetOfVec::try_from(attributes)
}

fn attribute<T>(oid: ObjectIdentifier, value: &T) -> der::Result<Attribute>
where
    T: Tagged + EncodeValue,
{
    Ok(Attribute {
        oid,
        values: SetOfVec::try_from([Any::encode_from(value)?])?,
    })
}

/// SMIMEEncryptionKeyPreference (RFC 8551, section 2.5.3): issuerAndSerialNumber, with the tag `[0]`.
fn encryption_key_preference(certificate: &CertificateOutline<'_>) -> der::Result<Attribute> {
    let mut value = Vec::new();
    IssuerAndSerialNumber::of(certificate)?.encode_value(&mut value)?;
    let tag = encode::context_tag(0, true);
    attribute(rfc5911::ID_AA_ENCRYP_KEY_PREF, &Any::new(tag, value)?)
}

/// SigningCertificateV2 (RFC 5035, section 3), with SHA-256, which is its default and therefore not written.
fn signing_certificate(certificate: &CertificateOutline<'_>) -> der::Result<Attribute> {
    let hash = Digest::Sha256.of(certificate.encoded);
    let value = SigningCertificateV2 {
        certs: vec![EssCertIdV2 {
            cert_hash: OctetStringRef::new(hash.as_ref())?,
        }],
    };
    attribute(rfc5911::ID_AA_SIGNING_CERTIFICATE_V_2, &value)
}

#[derive(Sequence)]
struct SigningCertificateV2<'a> {
    certs: Vec<EssCertIdV2<'a>>,
}

#[derive(Sequence)]
struct EssCertIdV2<'a> {
    cert_hash: &'a OctetStringRef,
}

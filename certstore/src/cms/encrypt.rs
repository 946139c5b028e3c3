//! Encrypting to certificates (RFC 5652, section 6; RFC 5083; RFC 5753): one content, once, for all recipients.
//!
//! The certificates are taken as they are. Whether they are trusted and meant for encryption was decided before.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey,
};
use cms::enveloped_data::{OriginatorIdentifierOrKey, OriginatorPublicKey};
use const_oid::db::{rfc5911, rfc5912, rfc8410};
use der::asn1::{BitString, Null, OctetStringRef, SetOfVec};
use der::{Any, Tag, TagNumber, Tagged};
use spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use super::algorithm::unsupported;
use super::certificate_outline::{CertificateOutline, PublicKey};
use super::cipher::{Parameters, TAG_LENGTH};
use super::encode::{self, IssuerAndSerialNumber};
use super::kem;
use super::key_agreement::{KeyDerivation, KeyWrapAlgorithm, agree_ephemeral};
use super::{CmsError, Curve, Digest, EncryptOptions, KeyTransport, rsa_parameters};

/// Why nothing was encrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptFailure {
    /// A message to nobody.
    #[error("no certificate to encrypt to")]
    NoRecipients,
    /// A certificate that cannot be encrypted to; nothing was encrypted to the others either.
    #[error("certificate {index} cannot be encrypted to: {reason}")]
    Recipient {
        /// Its place among the recipients, counted from 0.
        index: usize,
        /// What is wrong with it.
        reason: RecipientFault,
    },
    /// The system gave no random bytes, or the message is beyond all size.
    #[error("the encryption itself failed")]
    Failed,
}

/// Why a certificate cannot be encrypted to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientFault {
    /// It cannot be read.
    #[error("{0}")]
    Certificate(CmsError),
    /// Its key cannot be used: "unsupported: 1.2.3 name".
    #[error("{0}")]
    Unsupported(String),
    /// Its RSA key is too short or too long, in bits.
    #[error("an RSA key of {0} bits; 2048 to 8192 are supported")]
    KeyLength(u32),
    /// Its key is no valid one.
    #[error("its public key is not valid")]
    InvalidKey,
}

impl From<Unspecified> for EncryptFailure {
    fn from(_: Unspecified) -> Self {
        Self::Failed
    }
}

impl From<der::Error> for EncryptFailure {
    fn from(_: der::Error) -> Self {
        Self::Failed
    }
}

/// Encrypts `content` to all `recipients` (DER certificates): a DER ContentInfo with an EnvelopedData, or with an
/// AuthEnvelopedData if the cipher is an authenticated one. The content is encrypted in place and copied once.
///
/// # Errors
/// [`EncryptFailure`]; one unusable certificate fails the whole.
pub fn encrypt(
    mut content: Vec<u8>,
    recipients: &[&[u8]],
    options: &EncryptOptions,
) -> Result<Vec<u8>, EncryptFailure> {
    if recipients.is_empty() {
        return Err(EncryptFailure::NoRecipients);
    }
    let mut content_key = Zeroizing::new(vec![0; options.cipher.key_length()]);
    rand::fill(&mut content_key)?;
    let mut recipient_infos = Vec::with_capacity(recipients.len());
    for (index, certificate) in recipients.iter().enumerate() {
        let info = recipient_info(certificate, &content_key, options.key_transport)
            .map_err(|reason| EncryptFailure::Recipient { index, reason })?;
        recipient_infos.push(info);
    }
    let parameters = options.cipher.encrypt(&content_key, &mut content)?;
    message(options, recipient_infos, &parameters, &content)
}

fn message(
    options: &EncryptOptions,
    recipient_infos: Vec<Any>,
    parameters: &Parameters,
    ciphertext: &[u8],
) -> Result<Vec<u8>, EncryptFailure> {
    let version = enveloped_data_version(&recipient_infos);
    let recipient_infos = SetOfVec::try_from(recipient_infos)?;
    let content_info = |algorithm_parameters| -> der::Result<_> {
        Ok(encode::EncryptedContentInfo {
            content_type: rfc5911::ID_DATA,
            content_encryption_algorithm: AlgorithmIdentifierOwned {
                oid: options.cipher.oid(),
                parameters: Some(algorithm_parameters),
            },
            encrypted_content: OctetStringRef::new(ciphertext)?,
        })
    };
    Ok(match parameters {
        Parameters::Cbc { iv } => encode::content_info(
            rfc5911::ID_ENVELOPED_DATA,
            encode::EnvelopedData {
                version,
                recipient_infos,
                encrypted_content_info: content_info(Any::encode_from(&OctetStringRef::new(iv)?)?)?,
            },
        )?,
        Parameters::Gcm { nonce, tag } => {
            let gcm_parameters = encode::GcmParameters {
                nonce: OctetStringRef::new(nonce)?,
                icv_len: TAG_LENGTH,
            };
            encode::content_info(
                rfc5911::ID_CT_AUTH_ENVELOPED_DATA,
                encode::AuthEnvelopedData {
                    version: 0,
                    recipient_infos,
                    auth_encrypted_content_info: content_info(Any::encode_from(&gcm_parameters)?)?,
                    mac: OctetStringRef::new(tag.as_ref())?,
                },
            )?
        }
    })
}

/// Version 0 promises key transport and nothing else; other kinds of recipients, such as KEMs, make it 3 (RFC 5652,
/// section 6.1).
fn enveloped_data_version(recipient_infos: &[Any]) -> u8 {
    let version = |info: &Any| match info.tag() {
        Tag::Sequence => 0,
        tag if tag.number() == TagNumber(4) => 3,
        _ => 2,
    };
    recipient_infos.iter().map(version).max().unwrap_or(0)
}

impl From<der::Error> for RecipientFault {
    fn from(_: der::Error) -> Self {
        Self::InvalidKey
    }
}

impl From<Unspecified> for RecipientFault {
    fn from(_: Unspecified) -> Self {
        Self::InvalidKey
    }
}

impl From<kem::InvalidKey> for RecipientFault {
    fn from(_: kem::InvalidKey) -> Self {
        Self::InvalidKey
    }
}

fn recipient_info(
    certificate: &[u8],
    content_key: &[u8],
    key_transport: KeyTransport,
) -> Result<Any, RecipientFault> {
    let certificate = CertificateOutline::read(certificate).map_err(RecipientFault::Certificate)?;
    match certificate.public_key {
        PublicKey::Rsa {
            pss_only: false,
            bits,
            ..
        } => {
            if !(2048..=8192).contains(&bits) {
                return Err(RecipientFault::KeyLength(bits));
            }
            transport(&certificate, content_key, key_transport)
        }
        PublicKey::Rsa { pss_only: true, .. } => Err(RecipientFault::Unsupported(unsupported(
            rfc5912::ID_RSASSA_PSS,
        ))),
        PublicKey::Ec { curve, point } => agreement(&certificate, curve, point, content_key),
        PublicKey::MlKem { kem, key } => {
            Ok(kem::recipient_info(&certificate, kem, key, content_key)?)
        }
        PublicKey::MlDsa { dsa, .. } => Err(RecipientFault::Unsupported(unsupported(dsa.oid()))),
        PublicKey::Ed25519(_) => Err(RecipientFault::Unsupported(unsupported(
            rfc8410::ID_ED_25519,
        ))),
        PublicKey::Unsupported(oid) => Err(RecipientFault::Unsupported(unsupported(oid))),
    }
}

fn transport(
    certificate: &CertificateOutline<'_>,
    content_key: &[u8],
    key_transport: KeyTransport,
) -> Result<Any, RecipientFault> {
    let key = PublicEncryptingKey::from_der(certificate.public_key_info)
        .map_err(|_| RecipientFault::InvalidKey)?;
    let mut buffer = vec![0; key.key_size_bytes()];
    let (algorithm, encrypted_key) = match key_transport {
        KeyTransport::Pkcs1 => (
            AlgorithmIdentifierOwned {
                oid: rfc5912::RSA_ENCRYPTION,
                parameters: Some(Null.into()),
            },
            Pkcs1PublicEncryptingKey::new(key)?.encrypt(content_key, &mut buffer)?,
        ),
        KeyTransport::Oaep(digest) => {
            let padding = match digest {
                Digest::Sha1 => &OAEP_SHA1_MGF1SHA1,
                Digest::Sha256 => &OAEP_SHA256_MGF1SHA256,
                Digest::Sha384 => &OAEP_SHA384_MGF1SHA384,
                Digest::Sha512 => &OAEP_SHA512_MGF1SHA512,
            };
            (
                rsa_parameters::oaep(digest)?,
                OaepPublicEncryptingKey::new(key)?.encrypt(
                    padding,
                    content_key,
                    &mut buffer,
                    None,
                )?,
            )
        }
    };
    Ok(Any::encode_from(&encode::KeyTransRecipientInfo {
        version: 0,
        rid: IssuerAndSerialNumber::of(certificate)?,
        key_encryption_algorithm: algorithm,
        encrypted_key: OctetStringRef::new(encrypted_key)?,
    })?)
}

/// ECDH with a key of this one message (RFC 5753, section 3.1), the digest of the key derivation as strong as the curve.
fn agreement(
    certificate: &CertificateOutline<'_>,
    curve: Curve,
    point: &[u8],
    content_key: &[u8],
) -> Result<Any, RecipientFault> {
    let wrap = if content_key.len() > 16 {
        KeyWrapAlgorithm::Aes256
    } else {
        KeyWrapAlgorithm::Aes128
    };
    let wrap_algorithm = Any::encode_from(&AlgorithmIdentifierOwned {
        oid: wrap.oid(),
        parameters: None,
    })?;
    let (derivation, derivation_oid) = KeyDerivation::for_curve(curve);
    let (our_key, secret) = agree_ephemeral(curve, point)?;
    let encoded_wrap = der::Encode::to_der(&wrap_algorithm)?;
    let key = derivation.derive(&secret, wrap, &encoded_wrap, None)?;
    let encrypted_key = wrap.wrap(&key, content_key)?;
    let info = encode::KeyAgreeRecipientInfo {
        version: 3,
        originator: OriginatorIdentifierOrKey::OriginatorKey(OriginatorPublicKey {
            algorithm: AlgorithmIdentifierOwned {
                oid: rfc5912::ID_EC_PUBLIC_KEY,
                parameters: None,
            },
            public_key: BitString::from_bytes(&our_key)?,
        }),
        key_encryption_algorithm: AlgorithmIdentifierOwned {
            oid: derivation_oid,
            parameters: Some(wrap_algorithm),
        },
        recipient_encrypted_keys: vec![encode::RecipientEncryptedKey {
            rid: IssuerAndSerialNumber::of(certificate)?,
            encrypted_key: OctetStringRef::new(&encrypted_key)?,
        }],
    };
    Ok(info.into_recipient_info()?)
}

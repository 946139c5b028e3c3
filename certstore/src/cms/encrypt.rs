//! Encrypting to certificates (RFC 5652, section 6; RFC 5083): one content, once, for all recipients.
//!
//! The certificates are taken as they are. Whether they are trusted and meant for encryption was decided before.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use cms::enveloped_data::{OriginatorIdentifierOrKey, OriginatorPublicKey};
use const_oid::db::{rfc5911, rfc5912, rfc8410};
use der::asn1::{BitString, OctetStringRef, SetOfVec};
use der::{Any, Encode, Length, Tag, Tagged};
use spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use super::certificate_outline::{CertificateOutline, PublicKey};
use super::cipher::{Encryption, InPlace};
use super::encode;
use super::kem;
use super::key_agreement::{AgreementGroup, KeyWrapAlgorithm};
use super::{CmsError, EncryptOptions, Frame, RecipientIdForm, Unsupported};

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
    /// Its key cannot be used.
    #[error("{0}")]
    Unsupported(Unsupported),
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
    let Frame { head, tail } = encrypt_in_place(&mut content, 0, recipients, options)?;
    Ok([head, content, tail].concat())
}

/// As [`encrypt`], for a content that stands in `buffer` from byte `start` to the end: its ciphertext takes its place, and
/// what belongs around that is returned.
///
/// # Errors
/// [`EncryptFailure`]; then the content may or may not be encrypted.
pub fn encrypt_in_place(
    buffer: &mut Vec<u8>,
    start: usize,
    recipients: &[&[u8]],
    options: &EncryptOptions,
) -> Result<Frame, EncryptFailure> {
    if recipients.is_empty() {
        return Err(EncryptFailure::NoRecipients);
    }
    let mut content_key = Zeroizing::new(vec![0; options.cipher.key_length()]);
    rand::fill(&mut content_key)?;
    let mut recipient_infos = Vec::with_capacity(recipients.len());
    for (index, certificate) in recipients.iter().enumerate() {
        let info = recipient_info(certificate, &content_key, options)
            .map_err(|reason| EncryptFailure::Recipient { index, reason })?;
        recipient_infos.push(info);
    }
    let mut content = InPlace::new(buffer, start);
    let encryption = options.cipher.encrypt(&content_key, &mut content)?;
    frame(options, recipient_infos, encryption, content.len())
}

fn frame(
    options: &EncryptOptions,
    recipient_infos: Vec<Any>,
    encryption: Encryption,
    ciphertext: usize,
) -> Result<Frame, EncryptFailure> {
    let version = enveloped_data_version(&recipient_infos, options.recipient_id);
    let recipient_infos = SetOfVec::try_from(recipient_infos)?;
    let (inner_tag, outer_tag) = match &encryption.tag {
        Some(tag) if options.cipher.is_gcm() && options.gcm_in_enveloped_data => {
            (tag.as_ref(), None)
        }
        tag => (&[][..], tag.as_ref().map(AsRef::as_ref)),
    };
    let encrypted_content_info = encode::EncryptedContentInfo {
        content_type: rfc5911::ID_DATA,
        content_encryption_algorithm: encryption.algorithm,
        encrypted_content: encode::ContentElsewhere(ciphertext + inner_tag.len()),
    };
    let Some(tag) = outer_tag else {
        let enveloped_data = encode::EnvelopedData {
            version,
            recipient_infos,
            encrypted_content_info,
        };
        let content_type = rfc5911::ID_ENVELOPED_DATA;
        let mut frame = encode::frame(content_type, enveloped_data, Length::ZERO)?;
        frame.tail.extend_from_slice(inner_tag);
        return Ok(frame);
    };
    let mac = OctetStringRef::new(tag)?;
    let auth_enveloped_data = encode::AuthEnvelopedData {
        version: 0,
        recipient_infos,
        auth_encrypted_content_info: encrypted_content_info,
        mac,
    };
    let content_type = rfc5911::ID_CT_AUTH_ENVELOPED_DATA;
    Ok(encode::frame(
        content_type,
        auth_enveloped_data,
        mac.encoded_len()?,
    )?)
}

/// Version 0 promises key transport by issuer and serial number, and nothing else; other kinds of recipients, such as
/// KEMs, make it 3 (RFC 5652, section 6.1).
fn enveloped_data_version(recipient_infos: &[Any], names: RecipientIdForm) -> u8 {
    let by_issuer = names == RecipientIdForm::IssuerAndSerial;
    let version = |info: &Any| {
        let tag = info.tag();
        if tag == Tag::Sequence && by_issuer {
            0
        } else if tag == encode::context_tag(4, true) {
            3
        } else {
            2
        }
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
    options: &EncryptOptions,
) -> Result<Any, RecipientFault> {
    let certificate = CertificateOutline::read(certificate).map_err(RecipientFault::Certificate)?;
    let unsupported = |oid| Err(RecipientFault::Unsupported(Unsupported::of(oid)));
    match certificate.public_key {
        PublicKey::Rsa { pss_only: true, .. } => unsupported(rfc5912::ID_RSASSA_PSS),
        PublicKey::Rsa { bits, .. } if !(2048..=8192).contains(&bits) => {
            Err(RecipientFault::KeyLength(bits))
        }
        PublicKey::Rsa { .. } => transport(&certificate, content_key, options),
        PublicKey::Ec { curve, point } => {
            let group = AgreementGroup::Nist(curve);
            agreement(&certificate, group, point, content_key, options)
        }
        PublicKey::X25519(key) => {
            let group = AgreementGroup::X25519;
            agreement(&certificate, group, key, content_key, options)
        }
        PublicKey::MlKem { kem, key } => {
            let rid = encode::certificate_identifier(&certificate, options.recipient_id)?;
            Ok(kem::recipient_info(rid, kem, key, content_key)?)
        }
        PublicKey::Ed25519(_) => unsupported(rfc8410::ID_ED_25519),
        PublicKey::MlDsa { dsa, .. } => unsupported(dsa.oid()),
        PublicKey::Unsupported(oid) => unsupported(oid),
    }
}

fn transport(
    certificate: &CertificateOutline<'_>,
    content_key: &[u8],
    options: &EncryptOptions,
) -> Result<Any, RecipientFault> {
    let encrypted_key = options
        .key_transport
        .encrypt(certificate.public_key_info, content_key)?;
    // The version tells how the recipient is named (RFC 5652, section 6.2.1).
    let rid = encode::certificate_identifier(certificate, options.recipient_id)?;
    let by_issuer = rid.tag() == Tag::Sequence;
    Ok(Any::encode_from(&encode::KeyTransRecipientInfo {
        version: if by_issuer { 0 } else { 2 },
        rid,
        key_encryption_algorithm: options.key_transport.algorithm()?,
        encrypted_key: OctetStringRef::new(&encrypted_key)?,
    })?)
}

/// Agreement with a key of this one message (RFC 5753, section 3.1; RFC 8418, section 3.2).
fn agreement(
    certificate: &CertificateOutline<'_>,
    group: AgreementGroup,
    public_key: &[u8],
    content_key: &[u8],
    options: &EncryptOptions,
) -> Result<Any, RecipientFault> {
    let derivation = group.derivation(options.key_agreement);
    let scheme = derivation.oid().ok_or(RecipientFault::InvalidKey)?;
    let wrap = KeyWrapAlgorithm::for_key(content_key.len());
    let wrap_algorithm = Any::encode_from(&AlgorithmIdentifierOwned {
        oid: wrap.oid(),
        parameters: None,
    })?;
    let (our_key, secret) = group.agree_ephemeral(public_key)?;
    let encoded_wrap = wrap_algorithm.to_der()?;
    let key = derivation
        .function()
        .derive(&secret, wrap, &encoded_wrap, None)?;
    let encrypted_key = wrap.wrap(&key, content_key)?;
    let info = encode::KeyAgreeRecipientInfo {
        version: 3,
        originator: OriginatorIdentifierOrKey::OriginatorKey(OriginatorPublicKey {
            algorithm: AlgorithmIdentifierOwned {
                oid: group.oid(),
                parameters: None,
            },
            public_key: BitString::from_bytes(&our_key)?,
        }),
        key_encryption_algorithm: AlgorithmIdentifierOwned {
            oid: scheme,
            parameters: Some(wrap_algorithm),
        },
        recipient_encrypted_keys: vec![encode::RecipientEncryptedKey {
            rid: encode::key_agree_recipient_identifier(certificate, options.recipient_id)?,
            encrypted_key: OctetStringRef::new(&encrypted_key)?,
        }],
    };
    Ok(info.into_recipient_info()?)
}

//! The structures that we write (RFC 5652, 5083, 5753, 9629), as DER, with the message content borrowed: it is copied once,
//! into the output.
//!
//! Names of issuers and serial numbers are copied as they stand in a certificate, never decoded and encoded again. Field
//! names are those of the standards.

use cms::enveloped_data::OriginatorIdentifierOrKey;
use const_oid::db::rfc5911;
use der::asn1::{Any, AnyRef, ContextSpecific, ObjectIdentifier, OctetStringRef, SetOfVec};
use der::{Decode, Encode, EncodeValue, FixedTag, Sequence, Tag, TagMode, TagNumber, Tagged};
use spki::AlgorithmIdentifierOwned;

use super::certificate_outline::CertificateOutline;

/// id-ori-kem (RFC 9629, section 3).
pub(super) const ID_ORI_KEM: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.13.3");

/// A complete ContentInfo.
pub(super) fn content_info<T>(content_type: ObjectIdentifier, content: T) -> der::Result<Vec<u8>>
where
    T: EncodeValue + Tagged,
{
    ContentInfo {
        content_type,
        content,
    }
    .to_der()
}

#[derive(EncodeValue)]
struct ContentInfo<T: EncodeValue + Tagged> {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: T,
}

impl<T: EncodeValue + Tagged> FixedTag for ContentInfo<T> {
    const TAG: Tag = Tag::Sequence;
}

#[derive(Sequence)]
pub(super) struct SignedData<'a> {
    pub(super) version: u8,
    pub(super) digest_algorithms: SetOfVec<AlgorithmIdentifierOwned>,
    pub(super) encap_content_info: EncapsulatedContentInfo<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true")]
    pub(super) certificates: SetOfVec<AnyRef<'a>>,
    pub(super) signer_infos: SetOfVec<Any>,
}

#[derive(Sequence)]
pub(super) struct EncapsulatedContentInfo<'a> {
    e_content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    e_content: Option<&'a OctetStringRef>,
}

impl<'a> EncapsulatedContentInfo<'a> {
    pub(super) fn of_data(content: Option<&'a [u8]>) -> der::Result<Self> {
        Ok(Self {
            e_content_type: rfc5911::ID_DATA,
            e_content: content.map(OctetStringRef::new).transpose()?,
        })
    }
}

/// A CertificateSet without doubles, as a SET must be.
pub(super) fn certificate_set<'a>(
    certificates: impl IntoIterator<Item = &'a [u8]>,
) -> der::Result<SetOfVec<AnyRef<'a>>> {
    let mut certificates: Vec<&[u8]> = certificates.into_iter().collect();
    certificates.sort_unstable();
    certificates.dedup();
    certificates
        .into_iter()
        .map(AnyRef::try_from)
        .collect::<der::Result<Vec<_>>>()?
        .try_into()
}

#[derive(Sequence)]
pub(super) struct SignerInfo<'a> {
    pub(super) version: u8,
    pub(super) sid: IssuerAndSerialNumber<'a>,
    pub(super) digest_algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true")]
    pub(super) signed_attrs: x509_cert::attr::Attributes,
    pub(super) signature_algorithm: AlgorithmIdentifierOwned,
    pub(super) signature: &'a OctetStringRef,
}

#[derive(Sequence)]
pub(super) struct IssuerAndSerialNumber<'a> {
    issuer: AnyRef<'a>,
    serial_number: AnyRef<'a>,
}

impl<'a> IssuerAndSerialNumber<'a> {
    pub(super) fn of(certificate: &CertificateOutline<'a>) -> der::Result<Self> {
        Ok(Self {
            issuer: AnyRef::try_from(certificate.issuer.encoded())?,
            serial_number: AnyRef::try_from(certificate.serial.encoded())?,
        })
    }
}

#[derive(Sequence)]
pub(super) struct EnvelopedData<'a> {
    pub(super) version: u8,
    pub(super) recipient_infos: SetOfVec<Any>,
    pub(super) encrypted_content_info: EncryptedContentInfo<'a>,
}

#[derive(Sequence)]
pub(super) struct AuthEnvelopedData<'a> {
    pub(super) version: u8,
    pub(super) recipient_infos: SetOfVec<Any>,
    pub(super) auth_encrypted_content_info: EncryptedContentInfo<'a>,
    pub(super) mac: &'a OctetStringRef,
}

#[derive(Sequence)]
pub(super) struct EncryptedContentInfo<'a> {
    pub(super) content_type: ObjectIdentifier,
    pub(super) content_encryption_algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    pub(super) encrypted_content: &'a OctetStringRef,
}

#[derive(Sequence)]
pub(super) struct GcmParameters<'a> {
    pub(super) nonce: &'a OctetStringRef,
    pub(super) icv_len: u8,
}

#[derive(Sequence)]
pub(super) struct KeyTransRecipientInfo<'a> {
    pub(super) version: u8,
    pub(super) rid: IssuerAndSerialNumber<'a>,
    pub(super) key_encryption_algorithm: AlgorithmIdentifierOwned,
    pub(super) encrypted_key: &'a OctetStringRef,
}

#[derive(Sequence)]
pub(super) struct KeyAgreeRecipientInfo<'a> {
    pub(super) version: u8,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) originator: OriginatorIdentifierOrKey,
    pub(super) key_encryption_algorithm: AlgorithmIdentifierOwned,
    pub(super) recipient_encrypted_keys: Vec<RecipientEncryptedKey<'a>>,
}

impl KeyAgreeRecipientInfo<'_> {
    /// The RecipientInfo that it is: a choice with the tag `[1]`.
    pub(super) fn into_recipient_info(self) -> der::Result<Any> {
        let choice = ContextSpecific {
            tag_number: TagNumber(1),
            tag_mode: TagMode::Implicit,
            value: self,
        };
        Any::from_der(&choice.to_der()?)
    }
}

#[derive(Sequence)]
pub(super) struct RecipientEncryptedKey<'a> {
    pub(super) rid: IssuerAndSerialNumber<'a>,
    pub(super) encrypted_key: &'a OctetStringRef,
}

#[derive(Sequence)]
pub(super) struct KemRecipientInfo<'a> {
    pub(super) version: u8,
    pub(super) rid: IssuerAndSerialNumber<'a>,
    pub(super) kem: AlgorithmIdentifierOwned,
    pub(super) kemct: &'a OctetStringRef,
    pub(super) kdf: AlgorithmIdentifierOwned,
    pub(super) kek_length: u16,
    pub(super) wrap: AlgorithmIdentifierOwned,
    pub(super) encrypted_key: &'a OctetStringRef,
}

#[derive(Sequence)]
struct OtherRecipientInfo<'a> {
    ori_type: ObjectIdentifier,
    ori_value: KemRecipientInfo<'a>,
}

impl KemRecipientInfo<'_> {
    /// The RecipientInfo that it is: an OtherRecipientInfo, which is a choice with the tag `[4]`.
    pub(super) fn into_recipient_info(self) -> der::Result<Any> {
        let choice = ContextSpecific {
            tag_number: TagNumber(4),
            tag_mode: TagMode::Implicit,
            value: OtherRecipientInfo {
                ori_type: ID_ORI_KEM,
                ori_value: self,
            },
        };
        Any::from_der(&choice.to_der()?)
    }
}

//! The structures that we write (RFC 5652, 5083, 5753, 9629), as DER. The message content is not
//! written: it stays where it lies, and gets a [`Frame`].
//!
//! Names of issuers and serial numbers are copied as they stand in a certificate, never decoded and encoded again. Field
//! names are those of the standards.

use cms::enveloped_data::OriginatorIdentifierOrKey;
use const_oid::db::rfc5911;
use der::asn1::{Any, AnyRef, ContextSpecific, ObjectIdentifier, OctetStringRef, SetOfVec};
use der::{
    Decode, Encode, EncodeValue, FixedTag, Length, Sequence, Tag, TagMode, TagNumber, Tagged,
    Writer,
};
use spki::AlgorithmIdentifierOwned;

use super::certificate_outline::CertificateOutline;
use super::{Frame, RecipientIdForm};

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

/// What stands around a content that lies elsewhere, in a complete ContentInfo with `behind` bytes after that content.
pub(super) fn frame<T>(
    content_type: ObjectIdentifier,
    content: T,
    behind: Length,
) -> der::Result<Frame>
where
    T: EncodeValue + Tagged,
{
    let mut head = Vec::new();
    let content_info = ContentInfo {
        content_type,
        content,
    };
    content_info.encode(&mut head)?;
    let end = head.len().saturating_sub(usize::try_from(behind)?);
    let tail = head.split_off(end);
    Ok(Frame { head, tail })
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

#[derive(EncodeValue)]
pub(super) struct SignedData<'a> {
    pub(super) version: u8,
    pub(super) digest_algorithms: SetOfVec<AlgorithmIdentifierOwned>,
    pub(super) encap_content_info: EncapsulatedContentInfo,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true")]
    pub(super) certificates: SetOfVec<AnyRef<'a>>,
    pub(super) signer_infos: SetOfVec<Any>,
}

impl FixedTag for SignedData<'_> {
    const TAG: Tag = Tag::Sequence;
}

impl SignedData<'_> {
    /// What stands before and behind its content, or behind the place where that would stand.
    pub(super) fn into_frame(self) -> der::Result<Frame> {
        let behind = (self.certificates.encoded_len()? + self.signer_infos.encoded_len()?)?;
        frame(rfc5911::ID_SIGNED_DATA, self, behind)
    }
}

#[derive(EncodeValue)]
pub(super) struct EncapsulatedContentInfo {
    e_content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    e_content: Option<ContentElsewhere>,
}

impl FixedTag for EncapsulatedContentInfo {
    const TAG: Tag = Tag::Sequence;
}

impl EncapsulatedContentInfo {
    /// Of plain data: so many bytes that travel inside, or none.
    pub(super) fn of_data(inside: Option<usize>) -> Self {
        Self {
            e_content_type: rfc5911::ID_DATA,
            e_content: inside.map(ContentElsewhere),
        }
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
    pub(super) sid: Any,
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

/// SignerIdentifier, and RecipientIdentifier of a key transport (RFC 5652, sections 5.3 and 6.2.1).
pub(super) fn certificate_identifier(
    certificate: &CertificateOutline<'_>,
    form: RecipientIdForm,
) -> der::Result<Any> {
    match key_identifier(certificate, form) {
        Some(identifier) => Any::new(context_tag(0, false), identifier),
        None => Any::encode_from(&IssuerAndSerialNumber::of(certificate)?),
    }
}

/// KeyAgreeRecipientIdentifier (RFC 5652, section 6.2.2).
pub(super) fn key_agree_recipient_identifier(
    certificate: &CertificateOutline<'_>,
    form: RecipientIdForm,
) -> der::Result<Any> {
    match key_identifier(certificate, form) {
        Some(identifier) => {
            let fields = OctetStringRef::new(identifier)?.to_der()?;
            Any::new(context_tag(0, true), fields)
        }
        None => Any::encode_from(&IssuerAndSerialNumber::of(certificate)?),
    }
}

fn key_identifier<'a>(
    certificate: &CertificateOutline<'a>,
    form: RecipientIdForm,
) -> Option<&'a [u8]> {
    match form {
        RecipientIdForm::IssuerAndSerial => None,
        RecipientIdForm::SubjectKeyIdentifier => certificate.subject_key_identifier,
    }
}

/// The tag of an implicitly tagged value.
pub(super) const fn context_tag(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific {
        constructed,
        number: TagNumber(number),
    }
}

#[derive(EncodeValue)]
pub(super) struct CompressedData {
    pub(super) version: u8,
    pub(super) compression_algorithm: AlgorithmIdentifierOwned,
    pub(super) encap_content_info: EncapsulatedContentInfo,
}

impl FixedTag for CompressedData {
    const TAG: Tag = Tag::Sequence;
}

#[derive(EncodeValue)]
pub(super) struct EnvelopedData {
    pub(super) version: u8,
    pub(super) recipient_infos: SetOfVec<Any>,
    pub(super) encrypted_content_info: EncryptedContentInfo,
}

impl FixedTag for EnvelopedData {
    const TAG: Tag = Tag::Sequence;
}

#[derive(EncodeValue)]
pub(super) struct AuthEnvelopedData<'a> {
    pub(super) version: u8,
    pub(super) recipient_infos: SetOfVec<Any>,
    pub(super) auth_encrypted_content_info: EncryptedContentInfo,
    pub(super) mac: &'a OctetStringRef,
}

impl FixedTag for AuthEnvelopedData<'_> {
    const TAG: Tag = Tag::Sequence;
}

#[derive(EncodeValue)]
pub(super) struct EncryptedContentInfo {
    pub(super) content_type: ObjectIdentifier,
    pub(super) content_encryption_algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    pub(super) encrypted_content: ContentElsewhere,
}

impl FixedTag for EncryptedContentInfo {
    const TAG: Tag = Tag::Sequence;
}

/// An OCTET STRING of so many bytes, which are left out.
pub(super) struct ContentElsewhere(pub(super) usize);

impl FixedTag for ContentElsewhere {
    const TAG: Tag = Tag::OctetString;
}

impl EncodeValue for ContentElsewhere {
    fn value_len(&self) -> der::Result<Length> {
        Length::try_from(self.0)
    }

    fn encode_value(&self, _: &mut impl Writer) -> der::Result<()> {
        Ok(())
    }
}

#[derive(Sequence)]
pub(super) struct GcmParameters<'a> {
    pub(super) nonce: &'a OctetStringRef,
    pub(super) icv_len: u8,
}

#[derive(Sequence)]
pub(super) struct KeyTransRecipientInfo<'a> {
    pub(super) version: u8,
    pub(super) rid: Any,
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
    pub(super) rid: Any,
    pub(super) encrypted_key: &'a OctetStringRef,
}

#[derive(Sequence)]
pub(super) struct KemRecipientInfo<'a> {
    pub(super) version: u8,
    pub(super) rid: Any,
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

//! SignedData (RFC 5652, section 5) as it is read: the content, the certificates, the SignerInfos.
//!
//! One certificate that cannot be read never spoils the message: the set is taken apart here, and only into elements.
//! Whether anything was signed by anybody is for `verify` to say.

use std::borrow::Cow;

use const_oid::db::rfc5911;
use der::asn1::ObjectIdentifier;

use super::algorithm::Algorithm;
use super::ber::{BerError, Element, Reader, Tag};
use super::{CmsError, RecipientId};

/// No mail has more signers than this.
const MAX_SIGNERS: usize = 64;
/// Certificates beyond this number are not looked at.
const MAX_CERTIFICATES: usize = 256;

/// Something signed, by nobody, one or many.
#[derive(Debug, Clone)]
pub struct SignedData<'a> {
    pub(super) content_type: ObjectIdentifier,
    content: Option<Cow<'a, [u8]>>,
    certificates: Vec<Vec<u8>>,
    pub(super) signers: Vec<SignerInfo<'a>>,
}

impl<'a> SignedData<'a> {
    /// The signed content, if it travels inside (opaque signing).
    #[must_use]
    pub fn content(&self) -> Option<&[u8]> {
        self.content.as_deref()
    }

    /// What the content is: id-data for mail (RFC 5652, section 4).
    #[must_use]
    pub fn content_type(&self) -> ObjectIdentifier {
        self.content_type
    }

    /// Whether the content is plain data, as that of mail must be (RFC 8551, section 2.4.1).
    #[must_use]
    pub fn is_data(&self) -> bool {
        self.content_type == rfc5911::ID_DATA
    }

    /// The certificates that came along, each as it was received: usually DER, but nothing was checked.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    pub(super) fn into_certificates(self) -> Vec<Vec<u8>> {
        self.certificates
    }

    /// How many signers there claim to be.
    #[must_use]
    pub fn signer_count(&self) -> usize {
        self.signers.len()
    }

    pub(super) fn read(element: &Element<'a>) -> Result<Self, CmsError> {
        let malformed = CmsError::in_structure("SignedData");
        let mut fields = element.children().map_err(&malformed)?;
        fields.expect(Tag::INTEGER).map_err(&malformed)?;
        fields.expect(Tag::SET).map_err(&malformed)?;
        let encapsulated = fields
            .expect(Tag::SEQUENCE)
            .and_then(|info| EncapsulatedContent::read(&info))
            .map_err(CmsError::in_structure("EncapsulatedContentInfo"))?;
        let certificates = fields.optional(Tag::context(0)).map_err(&malformed)?;
        fields.optional(Tag::context(1)).map_err(&malformed)?;
        let signers = fields
            .expect(Tag::SET)
            .and_then(|set| set.children())
            .map_err(&malformed)?;
        fields.finish().map_err(&malformed)?;
        Ok(Self {
            content_type: encapsulated.content_type,
            content: encapsulated.content,
            certificates: certificates.map(readable_certificates).unwrap_or_default(),
            signers: signer_infos(signers)?,
        })
    }
}

/// EncapsulatedContentInfo (RFC 5652, section 5.2).
struct EncapsulatedContent<'a> {
    content_type: ObjectIdentifier,
    content: Option<Cow<'a, [u8]>>,
}

impl<'a> EncapsulatedContent<'a> {
    fn read(info: &Element<'a>) -> Result<Self, BerError> {
        let mut fields = info.children()?;
        let content_type = fields.expect(Tag::OBJECT_IDENTIFIER)?.object_identifier()?;
        let content = match fields.optional(Tag::context(0))? {
            Some(explicit) => Some(content_octets(content_type, &explicit.only_child()?)?),
            None => None,
        };
        fields.finish()?;
        Ok(Self {
            content_type,
            content,
        })
    }
}

/// PKCS #7 allowed other types than OCTET STRING, whose contents octets are what was signed (RFC 5652, section 5.2.1).
fn content_octets<'a>(
    content_type: ObjectIdentifier,
    value: &Element<'a>,
) -> Result<Cow<'a, [u8]>, BerError> {
    if value.tag() == Tag::OCTET_STRING {
        value.octets()
    } else if content_type == rfc5911::ID_DATA {
        Err(BerError::UnexpectedTag)
    } else {
        Ok(Cow::Borrowed(value.contents()))
    }
}

/// The certificates of a CertificateSet (RFC 5652, section 10.2.3) as far as it can be read; attribute certificates and
/// other formats are left out.
fn readable_certificates(set: Element<'_>) -> Vec<Vec<u8>> {
    let Ok(mut elements) = set.children() else {
        return Vec::new();
    };
    std::iter::from_fn(|| elements.next_element().ok().flatten())
        .filter(|element| element.tag() == Tag::SEQUENCE)
        .take(MAX_CERTIFICATES)
        .map(|element| element.encoded().to_vec())
        .collect()
}

fn signer_infos(mut elements: Reader<'_>) -> Result<Vec<SignerInfo<'_>>, CmsError> {
    let malformed = CmsError::in_structure("SignerInfo");
    let mut signers = Vec::new();
    while let Some(element) = elements.next_element().map_err(&malformed)? {
        if signers.len() == MAX_SIGNERS {
            return Err(CmsError::TooMany {
                what: "signers",
                limit: MAX_SIGNERS,
            });
        }
        signers.push(SignerInfo::read(&element).map_err(&malformed)?);
    }
    Ok(signers)
}

/// What one signer left (RFC 5652, section 5.3).
#[derive(Debug, Clone)]
pub(super) struct SignerInfo<'a> {
    pub(super) id: RecipientId,
    pub(super) digest_algorithm: Algorithm<'a>,
    /// The `[0]` element with the signed attributes, not looked into yet.
    pub(super) signed_attributes: Option<Element<'a>>,
    pub(super) signature_algorithm: Algorithm<'a>,
    pub(super) signature: Cow<'a, [u8]>,
}

impl<'a> SignerInfo<'a> {
    fn read(element: &Element<'a>) -> Result<Self, BerError> {
        let mut fields = element.children()?;
        fields.expect(Tag::INTEGER)?;
        let id = RecipientId::read(&mut fields)?;
        let digest_algorithm = Algorithm::read(&mut fields)?;
        let signed_attributes = fields.optional(Tag::context(0))?;
        let signature_algorithm = Algorithm::read(&mut fields)?;
        let signature = fields.expect(Tag::OCTET_STRING)?.octets()?;
        fields.optional(Tag::context(1))?;
        fields.finish()?;
        Ok(Self {
            id,
            digest_algorithm,
            signed_attributes,
            signature_algorithm,
            signature,
        })
    }
}

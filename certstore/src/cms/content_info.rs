//! The outermost layer of every CMS message (RFC 5652, section 3).

use const_oid::db::{rfc5911, rfc6268};

use super::ber::{BerError, Element, Tag};
use super::{CmsError, CompressedData, EnvelopedData, SignedData, Unsupported};

/// A CMS message, borrowing its content from the bytes that it was read from.
#[derive(Debug, Clone)]
pub enum ContentInfo<'a> {
    /// Something signed, or a bundle of certificates.
    Signed(SignedData<'a>),
    /// Something encrypted, authenticated or not.
    Enveloped(EnvelopedData<'a>),
    /// Something compressed.
    Compressed(CompressedData<'a>),
    /// Of a type that mail does not need.
    Other(Unsupported),
}

/// Reads a message in BER or DER. Content is not decoded, and no signature verified.
///
/// # Errors
/// [`CmsError`] says which part of the message is not what the standard says.
pub fn parse(bytes: &[u8]) -> Result<ContentInfo<'_>, CmsError> {
    let read = || -> Result<_, BerError> {
        let mut fields = Element::only(bytes)?.children()?;
        let content_type = fields.expect(Tag::OBJECT_IDENTIFIER)?.object_identifier()?;
        let content = fields.optional(Tag::context(0))?;
        fields.finish()?;
        Ok((content_type, content))
    };
    let malformed = CmsError::in_structure("ContentInfo");
    let (content_type, content) = read().map_err(&malformed)?;
    let content = || {
        content
            .ok_or(BerError::Missing)
            .and_then(|explicit| explicit.only_child())
            .map_err(&malformed)
    };
    match content_type {
        rfc5911::ID_SIGNED_DATA => SignedData::read(&content()?).map(ContentInfo::Signed),
        rfc5911::ID_ENVELOPED_DATA => EnvelopedData::read(&content()?).map(ContentInfo::Enveloped),
        rfc5911::ID_CT_AUTH_ENVELOPED_DATA => {
            EnvelopedData::read_authenticated(&content()?).map(ContentInfo::Enveloped)
        }
        rfc6268::ID_CT_COMPRESSED_DATA => {
            CompressedData::read(&content()?).map(ContentInfo::Compressed)
        }
        _ => Ok(ContentInfo::Other(Unsupported::of(content_type))),
    }
}

//! EnvelopedData (RFC 5652, section 6) and AuthEnvelopedData (RFC 5083) as they are read.
//!
//! Opening them is for `decrypt`.

use std::borrow::Cow;

use super::algorithm::Algorithm;
use super::ber::{BerError, Element, Reader, Tag};
use super::cipher::ReadableCipher;
use super::recipient_info::Recipients;
use super::{CmsError, RecipientId, Unsupported};

/// Something encrypted to one recipient or many.
#[derive(Debug, Clone)]
pub struct EnvelopedData<'a> {
    pub(super) recipients: Recipients<'a>,
    pub(super) cipher: Algorithm<'a>,
    /// The ciphertext, an OCTET STRING in one piece or many; joined only where it is decrypted.
    pub(super) content: Element<'a>,
    /// What an AuthEnvelopedData has beside the content; None in an EnvelopedData.
    pub(super) authentication: Option<Authentication<'a>>,
}

/// What proves that a ciphertext was not changed.
#[derive(Debug, Clone)]
pub(super) struct Authentication<'a> {
    /// The `[1]` element with the authenticated attributes.
    pub(super) attributes: Option<Element<'a>>,
    pub(super) tag: Cow<'a, [u8]>,
}

impl<'a> EnvelopedData<'a> {
    /// The recipients that have a certificate.
    #[must_use]
    pub fn recipients(&self) -> &[RecipientId] {
        &self.recipients.ids
    }

    /// Whether a change to the ciphertext would be noticed.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.authentication.is_some()
    }

    /// The content encryption, for people: "AES-256-CBC", or "unsupported: 1.2.3 name".
    #[must_use]
    pub fn cipher_name(&self) -> String {
        match ReadableCipher::read(&self.cipher) {
            Ok(cipher) => cipher.name().to_owned(),
            Err(_) => Unsupported::of(self.cipher.oid).to_string(),
        }
    }

    pub(super) fn read(element: &Element<'a>) -> Result<Self, CmsError> {
        let malformed = CmsError::in_structure("EnvelopedData");
        let (mut fields, recipients) = Self::read_head(element)?;
        let (cipher, content) = encrypted_content_info(&mut fields)?;
        fields.optional(Tag::context(1)).map_err(&malformed)?;
        fields.finish().map_err(&malformed)?;
        Ok(Self {
            recipients,
            cipher,
            content,
            authentication: None,
        })
    }

    pub(super) fn read_authenticated(element: &Element<'a>) -> Result<Self, CmsError> {
        let malformed = CmsError::in_structure("AuthEnvelopedData");
        let (mut fields, recipients) = Self::read_head(element)?;
        let (cipher, content) = encrypted_content_info(&mut fields)?;
        let attributes = fields.optional(Tag::context(1)).map_err(&malformed)?;
        let tag = fields
            .expect(Tag::OCTET_STRING)
            .and_then(|mac| mac.octets())
            .map_err(&malformed)?;
        fields.optional(Tag::context(2)).map_err(&malformed)?;
        fields.finish().map_err(&malformed)?;
        Ok(Self {
            recipients,
            cipher,
            content,
            authentication: Some(Authentication { attributes, tag }),
        })
    }

    /// The fields that both begin with, and the reader behind them.
    fn read_head(element: &Element<'a>) -> Result<(Reader<'a>, Recipients<'a>), CmsError> {
        let malformed = CmsError::in_structure("EnvelopedData");
        let mut fields = element.children().map_err(&malformed)?;
        fields.expect(Tag::INTEGER).map_err(&malformed)?;
        fields.optional(Tag::context(0)).map_err(&malformed)?;
        let infos = fields
            .expect(Tag::SET)
            .and_then(|set| set.children())
            .map_err(&malformed)?;
        Ok((fields, Recipients::read(infos)?))
    }
}

/// EncryptedContentInfo (RFC 5652, section 6.1): the cipher and the ciphertext, which must be there.
fn encrypted_content_info<'a>(
    fields: &mut Reader<'a>,
) -> Result<(Algorithm<'a>, Element<'a>), CmsError> {
    let read = |fields: &mut Reader<'a>| -> Result<_, BerError> {
        let mut info = fields.expect(Tag::SEQUENCE)?.children()?;
        info.expect(Tag::OBJECT_IDENTIFIER)?;
        let cipher = Algorithm::read(&mut info)?;
        let content = info.expect(Tag::context(0))?;
        info.finish()?;
        Ok((cipher, content))
    };
    read(fields).map_err(CmsError::in_structure("EncryptedContentInfo"))
}

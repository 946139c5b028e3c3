//! Encrypted messages, compressed before that or not (RFC 8551, sections 3.3, 3.4 and 3.6).
//!
//! The entity is encrypted where it lies; what leaves is written once, into a buffer of the right size. Only content goes
//! inside: no Bcc, no trace, no field of ours.

use certstore::cms::{self, ContentCipher, EncryptOptions};
use certstore::trust::TrustedCertificate;

use super::{SmimeFailure, outer, pkcs7};
use crate::config::Profile;
use crate::message::Message;

/// How and to whom a content is encrypted.
#[derive(Debug, Clone, Copy)]
pub struct EncryptTo<'a> {
    /// Who can read it.
    pub recipients: &'a [&'a TrustedCertificate],
    /// The cipher that all of them read.
    pub cipher: ContentCipher,
    /// Everything else.
    pub profile: &'a Profile,
}

/// The CMS that takes the place of a content.
#[derive(Debug)]
pub struct Encrypted {
    der: Vec<u8>,
    smime_type: &'static str,
}

/// Encrypts `entity` (content fields, blank line, body), which is the content of `message` or will be.
///
/// # Errors
/// [`SmimeFailure::Encrypt`]; [`SmimeFailure::Ambiguous`] where a line of the body might be left outside.
pub fn encrypt_entity(
    message: &Message,
    entity: Vec<u8>,
    to: EncryptTo<'_>,
) -> Result<Encrypted, SmimeFailure> {
    if !message.has_clean_header() {
        return Err(SmimeFailure::Ambiguous);
    }
    let certificates: Vec<&[u8]> = to
        .recipients
        .iter()
        .map(|recipient| recipient.certificate().der())
        .collect();
    let options = EncryptOptions {
        cipher: to.cipher,
        key_transport: to.profile.key_transport,
        key_agreement: to.profile.key_agreement,
        recipient_id: to.profile.recipient_id,
        gcm_in_enveloped_data: false,
    };
    let der = cms::encrypt(entity, &certificates, &options).map_err(SmimeFailure::Encrypt)?;
    let smime_type = smime_type(to.cipher);
    Ok(Encrypted { der, smime_type })
}

/// `entity` compressed (RFC 8551, section 3.6; RFC 3274): an entity in its place, to be encrypted.
///
/// # Errors
/// [`SmimeFailure::Compress`].
pub fn compress_entity(entity: &[u8]) -> Result<Vec<u8>, SmimeFailure> {
    let der = cms::compress(entity).map_err(|_| SmimeFailure::Compress)?;
    let smime_type = "compressed-data";
    Ok(Encrypted { der, smime_type }.into_entity())
}

impl Encrypted {
    /// The whole message, below `trace`: the fields of `message` that stay outside, and this as its content.
    #[must_use]
    pub fn into_message(self, trace: &[u8], message: &Message) -> Vec<u8> {
        let mut whole = outer::header(trace, message, pkcs7::entity_len(&self.der));
        self.append_to(&mut whole);
        whole
    }

    /// As a MIME entity, to be signed or encrypted once more.
    #[must_use]
    pub fn into_entity(self) -> Vec<u8> {
        let mut entity = Vec::with_capacity(pkcs7::entity_len(&self.der));
        self.append_to(&mut entity);
        entity
    }

    fn append_to(&self, out: &mut Vec<u8>) {
        pkcs7::append_entity(self.smime_type, &self.der, out);
    }
}

/// RFC 8551, sections 3.3 and 3.4: the type tells which of the two structures it is.
fn smime_type(cipher: ContentCipher) -> &'static str {
    if cipher.is_authenticated() {
        "authEnveloped-data"
    } else {
        "enveloped-data"
    }
}

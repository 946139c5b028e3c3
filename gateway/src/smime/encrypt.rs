//! Encrypted messages, compressed before that or not (RFC 8551, sections 3.3, 3.4 and 3.6).
//!
//! The entity is written once, into the message that leaves; there it is encrypted, and there it becomes base64. Only content
//! goes inside: no Bcc, no trace, no field of ours.

use certstore::cms::{self, ContentCipher, EncryptOptions};
use certstore::trust::TrustedCertificate;
use encodify::base64;

use super::{SmimeFailure, armour, outer, pkcs7};
use crate::config::Profile;
use crate::message::{Entity, Message};

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

/// More than a CMS takes around its ciphertext, but for its recipients, and for each of those; in bytes. Where it takes more, as
/// with post-quantum keys, the message is moved once.
const FRAME_BYTES: usize = 256;
const RECIPIENT_BYTES: usize = 1024;

/// The whole message, below `trace`: the fields of `outer` that stay outside, and `entity` (content fields, blank line,
/// body) encrypted.
///
/// # Errors
/// [`SmimeFailure::Encrypt`]; [`SmimeFailure::Ambiguous`] where a line of the body might be left outside.
pub fn encrypt_message(
    trace: &[u8],
    outer: &Message,
    entity: &Entity<'_>,
    to: EncryptTo<'_>,
) -> Result<Vec<u8>, SmimeFailure> {
    if !outer.has_clean_header() {
        return Err(SmimeFailure::Ambiguous);
    }
    let mut whole = outer::header(trace, outer, to.entity_len(entity.len()));
    to.append_encrypted(entity, &mut whole)?;
    Ok(whole)
}

/// `entity` encrypted, as an entity: to be signed or encrypted once more.
///
/// # Errors
/// [`SmimeFailure::Encrypt`].
pub fn encrypt_entity(
    entity: &Entity<'_>,
    to: EncryptTo<'_>,
) -> Result<Entity<'static>, SmimeFailure> {
    let mut encrypted = Vec::with_capacity(to.entity_len(entity.len()));
    to.append_encrypted(entity, &mut encrypted)?;
    Ok(Entity::ready(encrypted))
}

/// `entity` compressed (RFC 8551, section 3.6; RFC 3274): an entity in its place, to be encrypted.
///
/// # Errors
/// [`SmimeFailure::Compress`].
pub fn compress_entity(entity: &Entity<'_>) -> Result<Entity<'static>, SmimeFailure> {
    let mut content = Vec::new();
    entity.append_to(&mut content);
    let der = cms::compress(&content).map_err(|_| SmimeFailure::Compress)?;
    drop(content);
    let mut compressed = Vec::with_capacity(pkcs7::entity_len(der.len()));
    compressed.extend_from_slice(pkcs7::header("compressed-data").as_bytes());
    base64::MIME.encode_append(&der, &mut compressed);
    Ok(Entity::ready(compressed))
}

impl EncryptTo<'_> {
    /// Writes `entity` to the end of `out`, encrypts it there, and encodes it there.
    fn append_encrypted(self, entity: &Entity<'_>, out: &mut Vec<u8>) -> Result<(), SmimeFailure> {
        let certificates: Vec<&[u8]> = self
            .recipients
            .iter()
            .map(|recipient| recipient.certificate().der())
            .collect();
        let options = EncryptOptions {
            cipher: self.cipher,
            key_transport: self.profile.key_transport,
            key_agreement: self.profile.key_agreement,
            recipient_id: self.profile.recipient_id,
            gcm_in_enveloped_data: false,
        };
        out.extend_from_slice(pkcs7::header(smime_type(self.cipher)).as_bytes());
        let start = out.len();
        entity.append_to(out);
        let frame = cms::encrypt_in_place(out, start, &certificates, &options)
            .map_err(SmimeFailure::Encrypt)?;
        armour::encode_in_place(out, start, &frame);
        Ok(())
    }

    /// How long the encrypted entity will be, about.
    const fn entity_len(&self, content: usize) -> usize {
        let frame = FRAME_BYTES + RECIPIENT_BYTES * self.recipients.len();
        pkcs7::entity_len(content + frame)
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

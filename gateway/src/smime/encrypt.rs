//! Encrypted messages (RFC 8551, sections 3.3 and 3.4).
//!
//! The entity is encrypted where it lies; what leaves is written once, into a buffer of the right size. Only content goes
//! inside: no Bcc, no trace, no field of ours.

use certstore::cms::{self, ContentCipher, EncryptOptions, RecipientIdForm};
use certstore::trust::TrustedCertificate;

use super::{SmimeFailure, outer, pkcs7};
use crate::config::Profile;
use crate::message::Message;

/// Encrypts `entity` (content fields, blank line, body) in place of the content of `message`, below `trace`.
///
/// # Errors
/// [`SmimeFailure::Encrypt`]; [`SmimeFailure::Ambiguous`] where a line of the body might be left outside.
pub fn encrypt_entity(
    trace: &[u8],
    message: &Message,
    entity: Vec<u8>,
    recipients: &[&TrustedCertificate],
    profile: &Profile,
) -> Result<Vec<u8>, SmimeFailure> {
    if !message.has_clean_header() {
        return Err(SmimeFailure::Ambiguous);
    }
    let certificates: Vec<&[u8]> = recipients
        .iter()
        .map(|recipient| recipient.certificate().der())
        .collect();
    let options = EncryptOptions {
        cipher: profile.cipher,
        key_transport: profile.key_transport,
        key_agreement: None,
        recipient_id: RecipientIdForm::IssuerAndSerial,
        gcm_in_enveloped_data: false,
    };
    let enveloped = cms::encrypt(entity, &certificates, &options).map_err(SmimeFailure::Encrypt)?;
    let mut whole = outer::header(trace, message, pkcs7::entity_len(&enveloped));
    pkcs7::append_entity(smime_type(profile.cipher), &enveloped, &mut whole);
    Ok(whole)
}

/// RFC 8551, sections 3.3 and 3.4: the type tells which of the two structures it is.
const fn smime_type(cipher: ContentCipher) -> &'static str {
    if cipher.is_authenticated() {
        "authEnveloped-data"
    } else {
        "enveloped-data"
    }
}

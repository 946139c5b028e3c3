//! Decrypted messages: the whole message or nothing.
//!
//! Only where the message as a whole is the encrypted entity is it opened, so that nothing decrypted ever stands beside
//! something that was not (the EFAIL attacks). Of the entity only its content fields and its body count here: encryption
//! proves no sender. A signature around the encryption (RFC 2634, section 1.1) goes with it, and is reported.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use certstore::certificate::describe_recipient;
use certstore::cms::{self, ContentInfo, DecryptOptions, Decrypted, Decryptor, RecipientId};
use serde::{Serialize, Serializer};

use super::closed::Closed;
use super::form::{SmimeForm, is_encrypted, recognise, signed_entity};
use super::headers;
use super::outer;
use crate::message::{Field, Message, with_crlf};

/// So many layers are opened, one within another.
const MAX_LAYERS: usize = 4;

/// A message after decryption.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The message with its content in clear, below the header that it came with.
    pub message: Message,
    /// The layers that were opened, outermost first; never empty.
    pub(super) layers: Vec<OpenedLayer>,
    /// What the innermost of them held, where it says that it protects header fields.
    entity: Option<Message>,
}

/// One layer that was opened.
#[derive(Debug, Clone)]
pub(super) enum OpenedLayer {
    Encrypted(EncryptedLayer),
    /// A signature around ciphertext, with the message as it was then.
    Signed(Message),
}

/// How one layer was encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EncryptedLayer {
    /// The cipher's name, for people.
    pub cipher: String,
    /// Whether the ciphertext was authenticated (AES-GCM): else somebody may have changed it on its way.
    #[serde(rename = "authenticated")]
    pub is_authenticated: bool,
    /// Whether the cipher is too weak to promise secrecy.
    #[serde(rename = "weak")]
    pub is_weak: bool,
    /// Whose key opened it.
    #[serde(serialize_with = "described")]
    pub recipient: RecipientId,
}

impl Opened {
    /// How the layers were encrypted, outermost first.
    pub fn encryptions(&self) -> impl Iterator<Item = &EncryptedLayer> {
        self.layers.iter().filter_map(|layer| match layer {
            OpenedLayer::Encrypted(encryption) => Some(encryption),
            OpenedLayer::Signed(_) => None,
        })
    }

    /// The root of what is protected: what is signed within the encryption, else what was encrypted. None where it does
    /// not say that it protects header fields.
    pub(super) fn payload(&self, form: &SmimeForm<'_>) -> Option<Message> {
        if *form == SmimeForm::None {
            self.entity.clone()
        } else {
            signed_entity(&self.message, form)
        }
    }

    /// Whether every layer of encryption was authenticated.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.encryptions().all(|layer| layer.is_authenticated)
    }
}

/// Opens `message` with the keys of those it is for; None where it is not encrypted as a whole.
///
/// # Errors
/// [`Closed`]: then the message stays as it came.
pub fn decrypt(
    message: &Message,
    decryptors: &[Arc<dyn Decryptor>],
    options: &DecryptOptions,
) -> Result<Option<Opened>, Closed> {
    let mut opened: Option<Opened> = None;
    let mut layers = Vec::new();
    let mut current = message.clone();
    while layers.len() < MAX_LAYERS {
        match peeled(&current, decryptors, options) {
            Ok(None) => break,
            Ok(Some(Peeled::Signature(inner))) => {
                layers.push(OpenedLayer::Signed(std::mem::replace(&mut current, inner)));
            }
            Ok(Some(Peeled::Encryption(layer))) => {
                let (content, entity, encryption) = *layer;
                layers.push(OpenedLayer::Encrypted(encryption));
                current = content.clone();
                opened = Some(Opened {
                    message: content,
                    layers: layers.clone(),
                    entity: Some(entity).filter(headers::are_within),
                });
            }
            Err(closed) if opened.is_none() => return Err(closed),
            Err(later @ Closed::KeyUnavailable(_)) => return Err(later),
            // Whatever else is within, for us or not, is what the sender encrypted.
            Err(_) => break,
        }
    }
    Ok(opened)
}

/// What came from under one layer.
enum Peeled {
    /// The message with what its signature covers as its content, which is encrypted.
    Signature(Message),
    /// The message with its content in clear, the entity that was encrypted, and how.
    Encryption(Box<(Message, Message, EncryptedLayer)>),
}

/// Takes off the outermost layer; None where there is none that has to be taken off.
fn peeled(
    message: &Message,
    decryptors: &[Arc<dyn Decryptor>],
    options: &DecryptOptions,
) -> Result<Option<Peeled>, Closed> {
    let form = recognise(message);
    let bytes = match &form {
        SmimeForm::Pkcs7(bytes) => bytes,
        SmimeForm::ClearSigned { .. } => return Ok(within_signature(message, &form)),
        SmimeForm::Ambiguous => {
            let text = "a header field stands twice, or a line is none";
            return Err(Closed::Ambiguous(text.to_owned()));
        }
        SmimeForm::None | SmimeForm::Malformed(_) => return Ok(None),
    };
    let decrypted = match cms::parse(bytes) {
        Ok(ContentInfo::Enveloped(enveloped)) => {
            if let Err(error) = message.from_addresses() {
                return Err(Closed::Ambiguous(error.to_string()));
            }
            enveloped.decrypt(decryptors, options)?
        }
        Ok(ContentInfo::Signed(_)) => return Ok(within_signature(message, &form)),
        Ok(ContentInfo::Compressed(_) | ContentInfo::Other(_)) => return Ok(None),
        Err(error) => return Err(Closed::Malformed(error.to_string())),
    };
    // The ciphertext may be large: it goes before the message is put together.
    drop(form);
    let layer = put_together(message, decrypted)?;
    Ok(Some(Peeled::Encryption(Box::new(layer))))
}

fn within_signature(message: &Message, form: &SmimeForm<'_>) -> Option<Peeled> {
    let entity = signed_entity(message, form).filter(is_encrypted)?;
    with_content_of(message, &entity).map(Peeled::Signature)
}

/// Of one layer, the message with its content in clear, the entity that was encrypted, and how.
fn put_together(
    message: &Message,
    mut decrypted: Decrypted,
) -> Result<(Message, Message, EncryptedLayer), Closed> {
    let plaintext = std::mem::take(&mut *decrypted.content);
    let entity = entity(plaintext, decrypted.authenticated).ok_or(Closed::Undecryptable)?;
    let content = with_content_of(message, &entity).ok_or(Closed::Undecryptable)?;
    let encryption = EncryptedLayer {
        cipher: decrypted.cipher,
        is_authenticated: decrypted.authenticated,
        is_weak: decrypted.weak,
        recipient: decrypted.recipient,
    };
    Ok((content, entity, encryption))
}

/// The decrypted bytes as an entity; None if they are none, or exceed a bound of messages.
fn entity(plaintext: Vec<u8>, is_authenticated: bool) -> Option<Message> {
    let lines = match with_crlf(&plaintext) {
        Cow::Owned(lines) => Some(lines),
        Cow::Borrowed(_) => None,
    };
    let entity = Message::parse(Bytes::from(lines.unwrap_or(plaintext))).ok()?;
    is_entity(&entity, is_authenticated).then_some(entity)
}

/// `message` with `entity` as its content: the content fields and the body of `entity`, nothing else of it. None if it
/// exceeds a bound of messages.
fn with_content_of(message: &Message, entity: &Message) -> Option<Message> {
    let mut whole = outer::header(&[], message, entity.content().len());
    for field in entity.fields().filter(Field::is_content) {
        whole.extend_from_slice(field.raw);
    }
    whole.extend_from_slice(b"\r\n");
    whole.extend_from_slice(entity.body());
    Message::parse(Bytes::from(whole)).ok()
}

/// Whether decrypted bytes are an entity that a sender wrote. What was not authenticated may have been put together by
/// somebody else, block by block; its header has to be whole, and plain to the last byte.
fn is_entity(inner: &Message, is_authenticated: bool) -> bool {
    let header = inner.header_block();
    let is_plain = header
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t'));
    let has_blank_line = inner.body_range().start > inner.header_range().end;
    let has_type =
        inner.fields_named("Content-Type").next().is_some() && !inner.content_type().is_default();
    // No header at all is plain text (RFC 2045, section 5.2), which carries nothing away.
    let is_written = is_plain && (has_type || header.is_empty());
    has_blank_line && !inner.is_ambiguous() && (is_authenticated || is_written)
}

fn described<S: Serializer>(recipient: &RecipientId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&describe_recipient(recipient))
}

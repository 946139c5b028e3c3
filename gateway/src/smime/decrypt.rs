//! Decrypted messages: the whole message or nothing.
//!
//! Only where the message as a whole is the encrypted entity is it opened, so that nothing decrypted ever stands beside
//! something that was not (the EFAIL attacks). Of the entity only its content fields and its body count here: encryption
//! proves no sender. A signature around the encryption (RFC 2634, section 1.1) goes with it, and is reported; compression
//! around it goes, too, and so does that within.

use std::sync::Arc;

use certstore::certificate::describe_recipient;
use certstore::cms::{
    self, CompressedData, ContentInfo, DecryptOptions, Decrypted, Decryptor, RecipientId,
};
use serde::{Serialize, Serializer};

use super::closed::Closed;
use super::compression;
use super::entity::{entity, with_content_of};
use super::form::{SmimeForm, is_encrypted, recognise, signed_entity};
use super::headers;
use crate::message::Message;

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
    Compressed,
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
    fn of(message: &Message, entity: Message, layers: &[OpenedLayer]) -> Self {
        Self {
            message: message.clone(),
            layers: layers.to_vec(),
            entity: Some(entity).filter(headers::are_within),
        }
    }

    /// How the layers were encrypted, outermost first.
    pub fn encryptions(&self) -> impl Iterator<Item = &EncryptedLayer> {
        self.layers.iter().filter_map(|layer| match layer {
            OpenedLayer::Encrypted(encryption) => Some(encryption),
            OpenedLayer::Signed(_) | OpenedLayer::Compressed => None,
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
        let is_authentic = opened.as_ref().is_none_or(Opened::is_authenticated);
        match peeled(&current, is_authentic, decryptors, options) {
            Ok(None) => break,
            Ok(Some(Peeled::Signature(inner))) => {
                layers.push(OpenedLayer::Signed(std::mem::replace(&mut current, inner)));
            }
            Ok(Some(Peeled::Compression(inner))) => {
                let (content, entity) = *inner;
                layers.push(OpenedLayer::Compressed);
                current = content;
                if opened.is_some() {
                    opened = Some(Opened::of(&current, entity, &layers));
                }
            }
            Ok(Some(Peeled::Encryption(layer))) => {
                let (content, entity, encryption) = *layer;
                layers.push(OpenedLayer::Encrypted(encryption));
                current = content;
                opened = Some(Opened::of(&current, entity, &layers));
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
    /// The message with what was compressed as its content, and that entity.
    Compression(Box<(Message, Message)>),
    /// The message with its content in clear, the entity that was encrypted, and how.
    Encryption(Box<(Message, Message, EncryptedLayer)>),
}

/// Takes off the outermost layer; None where there is none that has to be taken off.
fn peeled(
    message: &Message,
    is_authentic: bool,
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
        Ok(ContentInfo::Compressed(compressed)) => {
            return Ok(within_compression(message, &compressed, is_authentic));
        }
        Ok(ContentInfo::Other(_)) => return Ok(None),
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

/// None where it cannot be unpacked, or should not be: then it stays, and the verdict says why.
fn within_compression(
    message: &Message,
    compressed: &CompressedData<'_>,
    is_authentic: bool,
) -> Option<Peeled> {
    let entity = compression::unpacked(compressed, is_authentic).ok()?;
    let content = with_content_of(message, &entity)?;
    Some(Peeled::Compression(Box::new((content, entity))))
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

fn described<S: Serializer>(recipient: &RecipientId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&describe_recipient(recipient))
}

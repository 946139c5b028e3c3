//! Decrypted messages: the whole message or nothing.
//!
//! Only where the message as a whole is the encrypted entity is it opened, so that nothing decrypted ever stands beside
//! something that was not (the EFAIL attacks). Of the entity only its content fields and its body count: encryption proves
//! no sender, so every other field within it is dropped. What is encrypted within a signature is left alone.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use certstore::cms::{self, ContentInfo, DecryptFailure, DecryptOptions, Decryptor, RecipientId};

use super::form::{SmimeForm, recognise};
use super::outer;
use crate::message::{Field, Message, with_crlf};

/// Encryption within encryption is opened down to here.
const MAX_LAYERS: usize = 4;
/// Old mail is read; what was encrypted too weakly says so.
const READABLE: DecryptOptions = DecryptOptions {
    weak_ciphers: true,
    gcm_in_enveloped_data: false,
};

/// A message after decryption.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The message with its content in clear.
    pub message: Message,
    /// The layers that were opened, outermost first; never empty.
    pub layers: Vec<Layer>,
}

/// How one layer was encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Whether the ciphertext was authenticated (AES-GCM): else somebody may have changed it on its way.
    pub is_authenticated: bool,
    /// The cipher's name, for people.
    pub cipher: String,
    /// Whether the cipher is too weak to promise secrecy.
    pub is_weak: bool,
    /// Whose key opened it.
    pub recipient: RecipientId,
}

impl Opened {
    /// Whether every layer was authenticated.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.layers.iter().all(|layer| layer.is_authenticated)
    }
}

/// Why a message stays as it came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecryptOutcome {
    /// It is not encrypted as a whole.
    #[error("the message is not encrypted")]
    NotEncrypted,
    /// No recipient that its CMS names is one of the decryptors.
    #[error("the message is encrypted for somebody else")]
    NotForUs {
        /// For whom it is.
        recipients: Vec<RecipientId>,
    },
    /// It is from nobody, or two readers may see two messages in it: it is opened for nobody.
    #[error("the message can be read in two ways: {0}")]
    Ambiguous(String),
    /// The CMS cannot be read.
    #[error("the encrypted content is malformed: {0}")]
    Malformed(String),
    /// An algorithm that is not supported.
    #[error("{0}")]
    Unsupported(String),
    /// The key does not open it, it was changed, or there is no MIME entity inside. Which of these it is would help whoever
    /// sends the same ciphertext in many variants.
    #[error(
        "the encrypted content cannot be opened: wrong key, changed on its way, or no MIME content inside"
    )]
    Undecryptable,
    /// The key cannot be reached now; try again later.
    #[error("the private key cannot be reached now: {0}")]
    KeyUnavailable(String),
}

/// Opens `message` with the keys of those it is for.
///
/// # Errors
/// [`DecryptOutcome`]: then the message stays as it came.
pub fn decrypt(
    message: &Message,
    decryptors: &[Arc<dyn Decryptor>],
) -> Result<Opened, DecryptOutcome> {
    let (message, layer) = open(message, decryptors)?;
    let mut opened = Opened {
        message,
        layers: vec![layer],
    };
    while opened.layers.len() < MAX_LAYERS {
        match open(&opened.message, decryptors) {
            Ok((message, layer)) => {
                opened.message = message;
                opened.layers.push(layer);
            }
            Err(later @ DecryptOutcome::KeyUnavailable(_)) => return Err(later),
            // Whatever else is within, for us or not, is what the sender encrypted.
            Err(_) => break,
        }
    }
    Ok(opened)
}

/// Opens one layer.
fn open(
    message: &Message,
    decryptors: &[Arc<dyn Decryptor>],
) -> Result<(Message, Layer), DecryptOutcome> {
    let bytes = match recognise(message) {
        SmimeForm::Pkcs7(bytes) => bytes,
        SmimeForm::Ambiguous => {
            let text = "a header field stands twice, or a line is none";
            return Err(DecryptOutcome::Ambiguous(text.to_owned()));
        }
        SmimeForm::None | SmimeForm::ClearSigned { .. } | SmimeForm::Malformed(_) => {
            return Err(DecryptOutcome::NotEncrypted);
        }
    };
    let enveloped = match cms::parse(&bytes) {
        Ok(ContentInfo::Enveloped(enveloped)) => enveloped,
        Ok(ContentInfo::Signed(_) | ContentInfo::Compressed(_) | ContentInfo::Other(_)) => {
            return Err(DecryptOutcome::NotEncrypted);
        }
        Err(error) => return Err(DecryptOutcome::Malformed(error.to_string())),
    };
    if let Err(error) = message.from_addresses() {
        return Err(DecryptOutcome::Ambiguous(error.to_string()));
    }
    let mut decrypted = enveloped
        .decrypt(decryptors, &READABLE)
        .map_err(DecryptOutcome::from)?;
    let plaintext = std::mem::take(&mut *decrypted.content);
    let content = with_entity_of(message, plaintext, decrypted.authenticated)
        .ok_or(DecryptOutcome::Undecryptable)?;
    let layer = Layer {
        is_authenticated: decrypted.authenticated,
        cipher: decrypted.cipher,
        is_weak: decrypted.weak,
        recipient: decrypted.recipient,
    };
    Ok((content, layer))
}

/// `message` with `entity` as its content: the content fields and the body of `entity`, nothing else of it. None if it is
/// no entity, or exceeds a bound of messages.
fn with_entity_of(message: &Message, entity: Vec<u8>, is_authenticated: bool) -> Option<Message> {
    let lines = match with_crlf(&entity) {
        Cow::Owned(lines) => Some(lines),
        Cow::Borrowed(_) => None,
    };
    let inner = Message::parse(Bytes::from(lines.unwrap_or(entity))).ok()?;
    if !is_entity(&inner, is_authenticated) {
        return None;
    }
    let mut whole = outer::header(&[], message, inner.content().len());
    for field in inner.fields().filter(Field::is_content) {
        whole.extend_from_slice(field.raw);
    }
    whole.extend_from_slice(b"\r\n");
    whole.extend_from_slice(inner.body());
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

impl From<DecryptFailure> for DecryptOutcome {
    fn from(failure: DecryptFailure) -> Self {
        match failure {
            DecryptFailure::NotForUs { recipients } => Self::NotForUs { recipients },
            unreadable @ (DecryptFailure::Unsupported(_) | DecryptFailure::Weak { .. }) => {
                Self::Unsupported(unreadable.to_string())
            }
            DecryptFailure::Malformed(error) => Self::Malformed(error.to_string()),
            DecryptFailure::Undecryptable => Self::Undecryptable,
            DecryptFailure::KeyUnavailable(text) => Self::KeyUnavailable(text),
        }
    }
}

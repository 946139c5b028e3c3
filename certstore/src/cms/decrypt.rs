//! Opening what was encrypted (RFC 5652, sections 6.3 and 6.4), with the keys that are handed in and no others.
//!
//! Failures say nothing that would help somebody who sends the same ciphertext in many variants: after the choice of a
//! key, whatever goes wrong looks the same (RFC 3218, section 2.3).

use std::sync::Arc;

use aws_lc_rs::rand;
use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, AlgorithmError};
use super::attributes::Attributes;
use super::ber::BerError;
use super::certificate_outline::key_kind;
use super::cipher::ReadableCipher;
use super::enveloped::EnvelopedData;
use super::key_agreement::{AgreementGroup, DerivationFunction, KeyWrapAlgorithm};
use super::key_transport::ReadableTransport;
use super::recipient_info::{EncryptedKey, KeyAgreement, KeyMethod};
use super::unsupported::name;
use super::{DecryptOptions, Decryptor, KeyFailure, KeyKind, RecipientId, Unsupported};

/// RecipientInfos for our keys that are tried in one message. A message has one for each of a user's certificates;
/// each costs an operation with a private key and a decryption of the whole content.
const MAX_ATTEMPTS: usize = 16;

/// A message that was opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Decrypted {
    /// The plaintext.
    pub content: Zeroizing<Vec<u8>>,
    /// Whether a change to the ciphertext would have been noticed.
    pub authenticated: bool,
    /// The content encryption, for people: "AES-256-CBC".
    pub cipher: String,
    /// Whether that cipher is known to be breakable.
    pub weak: bool,
    /// The recipient whose key opened it.
    pub recipient: RecipientId,
}

impl std::fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decrypted")
            .field("content", &format_args!("{} bytes", self.content.len()))
            .field("authenticated", &self.authenticated)
            .field("cipher", &self.cipher)
            .field("weak", &self.weak)
            .field("recipient", &self.recipient)
            .finish()
    }
}

/// Why a message stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecryptFailure {
    /// None of the keys belongs to a recipient that the message names.
    #[error("the message is encrypted to {} other recipients", recipients.len())]
    NotForUs {
        /// Whom the message names.
        recipients: Vec<RecipientId>,
    },
    /// An algorithm that is not supported.
    #[error("{0}")]
    Unsupported(Unsupported),
    /// A cipher that can be broken, and that the caller did not allow.
    #[error("weak: {oid} {name}")]
    Weak {
        /// Its object identifier.
        oid: ObjectIdentifier,
        /// Its name in the standards.
        name: &'static str,
    },
    /// The message cannot be read.
    #[error("the message cannot be read: {0}")]
    Malformed(String),
    /// Wrong key, wrong padding, wrong tag: they all look the same.
    #[error("the message cannot be decrypted: it was damaged, or encrypted to another key")]
    Undecryptable,
    /// The key cannot be reached now: try again later.
    #[error("the private key cannot be reached now: {0}")]
    KeyUnavailable(String),
}

impl From<AlgorithmError> for DecryptFailure {
    fn from(error: AlgorithmError) -> Self {
        match error {
            AlgorithmError::Malformed(_) => Self::Malformed(error.to_string()),
            AlgorithmError::Unsupported(unsupported) => Self::Unsupported(unsupported),
        }
    }
}

impl EnvelopedData<'_> {
    /// Opens the message with the first of the keys that fits. Several RecipientInfos may name our keys; each is tried.
    ///
    /// # Errors
    /// [`DecryptFailure`]; [`DecryptFailure::KeyUnavailable`] alone is worth another try.
    pub fn decrypt(
        &self,
        decryptors: &[Arc<dyn Decryptor>],
        options: &DecryptOptions,
    ) -> Result<Decrypted, DecryptFailure> {
        let mut matches = self.matches(decryptors).take(MAX_ATTEMPTS).peekable();
        if matches.peek().is_none() {
            return Err(DecryptFailure::NotForUs {
                recipients: self.recipients().to_vec(),
            });
        }
        let cipher = self.permitted_cipher(options)?;
        let mut failure = DecryptFailure::Undecryptable;
        for (id, key, decryptor) in matches {
            match self.open(&cipher, key, decryptor) {
                Ok(content) => {
                    return Ok(Decrypted {
                        content,
                        authenticated: cipher.is_authenticated(),
                        cipher: cipher.name().to_owned(),
                        weak: cipher.is_weak(),
                        recipient: id.clone(),
                    });
                }
                Err(attempt) => failure = more_telling(failure, attempt),
            }
        }
        Err(failure)
    }

    /// The encrypted keys that are meant for one of us.
    fn matches<'s>(
        &'s self,
        decryptors: &'s [Arc<dyn Decryptor>],
    ) -> impl Iterator<Item = (&'s RecipientId, &'s EncryptedKey<'s>, &'s dyn Decryptor)> {
        let named = self.recipients.ids.iter().zip(&self.recipients.keys);
        named.flat_map(move |(id, key)| {
            decryptors
                .iter()
                .filter(move |decryptor| decryptor.is_named_by(id))
                .map(move |decryptor| (id, key, &**decryptor))
        })
    }

    /// The cipher, if the message may be encrypted with it.
    fn permitted_cipher(&self, options: &DecryptOptions) -> Result<ReadableCipher, DecryptFailure> {
        let cipher = ReadableCipher::read(&self.cipher)?;
        if cipher.is_weak() && !options.weak_ciphers {
            return Err(DecryptFailure::Weak {
                oid: self.cipher.oid,
                name: name(self.cipher.oid),
            });
        }
        let misplaced = match (cipher.is_authenticated(), self.is_authenticated()) {
            (true, false) if cipher.is_gcm() && options.gcm_in_enveloped_data => None,
            (true, false) => Some("in an EnvelopedData"),
            (false, true) => Some("in an AuthEnvelopedData"),
            (true, true) | (false, false) => None,
        };
        match misplaced {
            Some(place) => Err(DecryptFailure::Unsupported(Unsupported::detail(
                self.cipher.oid,
                format!("{} {place}", cipher.name()),
            ))),
            None => Ok(cipher),
        }
    }

    fn open(
        &self,
        cipher: &ReadableCipher,
        key: &EncryptedKey<'_>,
        decryptor: &dyn Decryptor,
    ) -> Result<Zeroizing<Vec<u8>>, DecryptFailure> {
        let content_key = content_key(key, decryptor, cipher.key_length())?;
        let mut content = Zeroizing::new(self.content.octets().map_err(malformed)?.into_owned());
        let (associated, tag) = match &self.authentication {
            Some(authentication) => (
                authentication
                    .attributes
                    .map_or(Ok(Vec::new()), |element| {
                        Attributes::read(&element).map(|attributes| attributes.as_set())
                    })
                    .map_err(malformed)?,
                authentication.tag.to_vec(),
            ),
            // Where the tag has no place of its own, it stands behind the ciphertext.
            None => {
                let start = content.len().saturating_sub(cipher.tag_length());
                (Vec::new(), content.split_off(start))
            }
        };
        let length = cipher
            .decrypt(&content_key, &associated, &tag, &mut content)
            .map_err(|_| DecryptFailure::Undecryptable)?;
        content.truncate(length);
        Ok(content)
    }
}

fn malformed(reason: BerError) -> DecryptFailure {
    DecryptFailure::Malformed(reason.to_string())
}

/// Of two failures, the one that tells the operator more.
fn more_telling(earlier: DecryptFailure, later: DecryptFailure) -> DecryptFailure {
    let rank = |failure: &DecryptFailure| match failure {
        DecryptFailure::NotForUs { .. } => 0,
        DecryptFailure::Undecryptable => 1,
        DecryptFailure::Malformed(_) => 2,
        DecryptFailure::Unsupported(_) | DecryptFailure::Weak { .. } => 3,
        DecryptFailure::KeyUnavailable(_) => 4,
    };
    if rank(&later) > rank(&earlier) {
        later
    } else {
        earlier
    }
}

fn content_key(
    key: &EncryptedKey<'_>,
    decryptor: &dyn Decryptor,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, DecryptFailure> {
    let opened = match &key.method {
        KeyMethod::Transport(algorithm) => {
            ReadableTransport::read(algorithm)?.decrypt(decryptor, &key.octets)
        }
        KeyMethod::Agreement(agreement) => agreed_key(agreement, &key.octets, decryptor)?,
        KeyMethod::Encapsulation(encapsulation) => encapsulation.open(&key.octets, decryptor)?,
    };
    // Made in any case, so that success and failure take the same time.
    let mut random = Zeroizing::new(vec![0; length]);
    rand::fill(&mut random).map_err(|_| DecryptFailure::Undecryptable)?;
    match opened {
        Ok(opened) if opened.len() == length => Ok(opened),
        Err(KeyFailure::Unavailable(reason)) => Err(DecryptFailure::KeyUnavailable(reason)),
        // A random key in place of the right one: the content then fails as it would with a wrong key, and nobody
        // learns whether the padding was good (the "million message attack").
        Ok(_) | Err(KeyFailure::Failed | KeyFailure::Unsuitable(_)) => Ok(random),
    }
}

/// RFC 5753, section 3.1.3. The outer failure is about the message, the inner one about the key.
fn agreed_key(
    agreement: &KeyAgreement<'_>,
    wrapped: &[u8],
    decryptor: &dyn Decryptor,
) -> Result<Result<Zeroizing<Vec<u8>>, KeyFailure>, DecryptFailure> {
    let scheme = &agreement.algorithm;
    let derivation =
        DerivationFunction::from_oid(scheme.oid).ok_or_else(|| scheme.unsupported())?;
    let wrap_algorithm = scheme.inner().map_err(AlgorithmError::from)?;
    let wrap = KeyWrapAlgorithm::from_oid(wrap_algorithm.oid)
        .ok_or_else(|| wrap_algorithm.unsupported())?;
    let (originator_algorithm, originator_key) =
        agreement.originator_key.ok_or_else(|| static_key(scheme))?;
    let material = agreement
        .user_keying_material
        .map(|material| material.octets())
        .transpose()
        .map_err(malformed)?;
    let secret = match group_of(decryptor) {
        Some(group) if group.oid() != originator_algorithm => Err(KeyFailure::Failed),
        Some(AgreementGroup::Nist(curve)) => decryptor.agree(curve, originator_key),
        Some(AgreementGroup::X25519) => decryptor.agree_x25519(originator_key),
        None => Err(KeyFailure::Unsuitable("key agreement")),
    };
    Ok(secret.and_then(|secret| {
        let key = derivation
            .derive(&secret, wrap, wrap_algorithm.encoded, material.as_deref())
            .map_err(|_| KeyFailure::Failed)?;
        wrap.unwrap(&key, wrapped).map_err(|_| KeyFailure::Failed)
    }))
}

fn static_key(scheme: &Algorithm<'_>) -> DecryptFailure {
    let text = "key agreement with a static key";
    DecryptFailure::Unsupported(Unsupported::detail(scheme.oid, text))
}

fn group_of(decryptor: &dyn Decryptor) -> Option<AgreementGroup> {
    match key_kind(decryptor.certificate()) {
        Ok(KeyKind::Ec(curve)) => Some(AgreementGroup::Nist(curve)),
        Ok(KeyKind::X25519) => Some(AgreementGroup::X25519),
        Ok(KeyKind::Rsa { .. } | KeyKind::Ed25519 | KeyKind::MlKem(_) | KeyKind::MlDsa(_))
        | Err(_) => None,
    }
}

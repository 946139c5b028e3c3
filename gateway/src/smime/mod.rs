//! S/MIME as it stands in mail (RFC 8551): signing, encrypting, decrypting, verifying, and what is said about it.
//!
//! Cryptography is [`certstore::cms`], trust is [`certstore::trust`], what an entity is [`crate::message`]; here the three
//! meet. Fields within an entity mean nothing but by the rules of [`headers`].

mod armour;
mod capabilities;
mod closed;
mod compression;
mod decrypt;
mod encrypt;
mod entity;
mod form;
pub mod headers;
mod outer;
mod pkcs7;
mod sign;
mod verdict;
mod verify;

use certstore::cms::{EncryptFailure, SignFailure};

pub use capabilities::{Chosen, Readable, choose, learned};
pub use closed::Closed;
pub use decrypt::{EncryptedLayer, Opened, decrypt};
pub use encrypt::{EncryptTo, compress_entity, encrypt_entity, encrypt_message};
pub use form::{ClientForm, SmimeForm, is_encrypted, recognise};
pub use outer::with_entity;
pub use sign::{sign_content, sign_entity};
pub use verdict::{
    Coverage, Layer, Match, Reason, Signature, Verdict, VerdictResult, authentication_results,
    verdict_field,
};
pub use verify::verify;

/// Why a message could not be signed or encrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmimeFailure {
    /// Two readers may see two messages in it: a signature would vouch for both, and encryption might leave in clear what
    /// one of them takes for the body.
    #[error(
        "the header can be read in two ways: remove the repeated field, or the line that is no field"
    )]
    Ambiguous,
    /// The machine gave no random bytes.
    #[error("the message could not be signed: no random bytes; try again later")]
    NoRandomness,
    /// The signature could not be made.
    #[error("the message could not be signed: {0}")]
    Sign(SignFailure),
    /// The content is too large to be compressed.
    #[error("the message is too large to be compressed; use a profile without `compress`")]
    Compress,
    /// The content could not be encrypted.
    #[error("the message could not be encrypted: {0}")]
    Encrypt(EncryptFailure),
}

#[cfg(test)]
mod tests;

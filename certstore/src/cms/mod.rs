//! Cryptographic Message Syntax (RFC 5652, 5083): reading and building what S/MIME is made of.
//!
//! A private key never comes in here: whoever signs hands over a [`Signer`], whoever decrypts a [`Decryptor`].

mod keys;
mod options;

pub use keys::{
    Curve, Decryptor, Digest, KeyFailure, KeyKind, KeyTransport, RecipientId, SignatureScheme,
    Signer,
};
pub use options::{ContentCipher, EncryptOptions, RsaSignature, SignOptions};

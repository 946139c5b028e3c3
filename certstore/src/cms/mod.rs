//! Cryptographic Message Syntax (RFC 5652, 5083, 3274): reading and building what S/MIME is made of.
//!
//! A private key never comes in here: whoever signs hands over a [`Signer`], whoever decrypts a [`Decryptor`]. Nothing
//! here trusts a certificate, or knows what MIME is.

mod ml_dsa;
mod ml_kem;

mod keys;
mod options;

pub(crate) mod ber;
mod unsupported;

mod error;

mod digest;
mod frame;

mod algorithm;
mod certificate_outline;
mod rsa_parameters;

mod encode;

mod cipher;
mod key_agreement;
mod key_transport;
mod signature;

mod capabilities;

mod attributes;

mod kem;
mod recipient_info;

mod compressed;
mod enveloped;
mod signed;

mod decrypt;
mod verify;

mod encrypt;
mod sign;

mod content_info;

mod bundle;

#[cfg(test)]
mod tests;

pub use ber::BerError;
pub use bundle::{certificate_bundle, certificates};
pub use certificate_outline::key_kind;
pub use compressed::{CompressFailure, CompressedData, DecompressFailure, compress};
pub use content_info::{ContentInfo, parse};
pub use decrypt::{DecryptFailure, Decrypted};
pub use encrypt::{EncryptFailure, RecipientFault, encrypt, encrypt_in_place};
pub use enveloped::EnvelopedData;
pub use error::CmsError;
pub use frame::Frame;
pub(crate) use key_transport::oaep_algorithm;
pub use keys::{
    Curve, Decryptor, Digest, KeyDerivation, KeyFailure, KeyKind, KeyTransport, RecipientId,
    SignatureScheme, Signer,
};
pub use ml_dsa::MlDsa;
pub use ml_kem::MlKem;
pub use options::{
    Capabilities, ContentCipher, DecryptOptions, EncryptOptions, IncludedChain, RecipientIdForm,
    RsaSignature, SignOptions,
};
pub(crate) use sign::signature_algorithm;
pub use sign::{SignFailure, micalg, sign, sign_around, sign_parts};
pub use signed::SignedData;
pub use unsupported::Unsupported;
pub use verify::{SignatureFault, SignerReport};

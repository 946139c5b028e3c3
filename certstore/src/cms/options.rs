//! What a caller chooses about a signature or an encryption.

use std::time::SystemTime;

use super::{Digest, KeyTransport};

/// Padding of RSA signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RsaSignature {
    /// RSASSA-PKCS1-v1_5: read by everybody.
    Pkcs1,
    /// RSASSA-PSS (RFC 4056).
    Pss,
}

/// Content encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentCipher {
    /// AES-128 in CBC mode, EnvelopedData.
    Aes128Cbc,
    /// AES-256 in CBC mode, EnvelopedData: read by everybody.
    Aes256Cbc,
    /// AES-128 in GCM mode, AuthEnvelopedData (RFC 5084).
    Aes128Gcm,
    /// AES-256 in GCM mode, AuthEnvelopedData (RFC 5084).
    Aes256Gcm,
}

/// How to sign.
#[derive(Debug, Clone)]
pub struct SignOptions {
    /// Whether the content travels inside (opaque) or beside the signature (detached).
    pub attached: bool,
    /// Digest for RSA keys; EC keys use the one that fits their curve (RFC 5753, section 2.1.1).
    pub digest: Digest,
    /// Padding for RSA keys.
    pub rsa_signature: RsaSignature,
    /// The signing-time attribute (RFC 5652, section 11.3).
    pub signing_time: SystemTime,
    /// Ciphers that the signer can read, best first: the sMIMECapabilities attribute (RFC 8551, section 2.5.2).
    pub capabilities: Vec<ContentCipher>,
}

/// How to encrypt.
#[derive(Debug, Clone, Copy)]
pub struct EncryptOptions {
    /// Content encryption.
    pub cipher: ContentCipher,
    /// Key transport to RSA recipients; EC recipients get ECDH (RFC 5753).
    pub key_transport: KeyTransport,
}

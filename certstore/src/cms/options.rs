//! What a caller chooses about a signature, an encryption or a decryption.

use std::time::SystemTime;

use super::{Digest, KeyDerivation, KeyTransport, MlKem};

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
    /// AES-192 in CBC mode, EnvelopedData.
    Aes192Cbc,
    /// AES-256 in CBC mode, EnvelopedData: read by everybody.
    Aes256Cbc,
    /// AES-128 in GCM mode, AuthEnvelopedData (RFC 5084).
    Aes128Gcm,
    /// AES-192 in GCM mode, AuthEnvelopedData (RFC 5084).
    Aes192Gcm,
    /// AES-256 in GCM mode, AuthEnvelopedData (RFC 5084).
    Aes256Gcm,
    /// ChaCha20-Poly1305, AuthEnvelopedData (RFC 8103).
    ChaCha20Poly1305,
}

/// How a message names the certificate of a recipient or a signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RecipientIdForm {
    /// By issuer and serial number: understood by everybody.
    #[default]
    IssuerAndSerial,
    /// By the subject key identifier; a certificate without one is named by issuer and serial number.
    SubjectKeyIdentifier,
}

/// Which certificates travel with a signature, beside the one that others should encrypt to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IncludedChain {
    /// The signer's alone.
    SignerOnly,
    /// The signer's and those between it and its root (RFC 8551, section 2.3).
    #[default]
    WithoutRoot,
    /// All of them. A root that came by mail is trusted by nobody, but some readers look for it there.
    WithRoot,
}

/// What somebody can read, of what we can write; each list best first, as its owner orders it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Capabilities {
    /// Content ciphers.
    pub ciphers: Vec<ContentCipher>,
    /// How a content-encryption key may be encrypted to an RSA key.
    pub key_transports: Vec<KeyTransport>,
    /// How a key-encryption key may be agreed on with an EC or X25519 key.
    pub key_agreements: Vec<KeyDerivation>,
    /// The KEMs that a key-encryption key may be encapsulated with (RFC 9936, section 2.4).
    pub key_encapsulations: Vec<MlKem>,
    /// Whether CompressedData is read (RFC 3274).
    pub compression: bool,
}

/// How to sign.
#[derive(Debug, Clone)]
pub struct SignOptions {
    /// Whether the content travels inside (opaque) or beside the signature (detached).
    pub attached: bool,
    /// Digest for RSA keys; EC keys use the one that fits their curve (RFC 5753, section 2.1.1), Ed25519 keys SHA-512.
    pub digest: Digest,
    /// Padding for RSA keys.
    pub rsa_signature: RsaSignature,
    /// The signing-time attribute (RFC 5652, section 11.3).
    pub signing_time: SystemTime,
    /// What the signer can read, best first: the sMIMECapabilities attribute (RFC 8551, section 2.5.2).
    pub capabilities: Capabilities,
    /// How the signer's certificate is named.
    pub signer_id: RecipientIdForm,
    /// Which certificates travel along.
    pub chain: IncludedChain,
}

/// How to encrypt.
#[derive(Debug, Clone, Copy)]
pub struct EncryptOptions {
    /// Content encryption.
    pub cipher: ContentCipher,
    /// Key transport to RSA recipients.
    pub key_transport: KeyTransport,
    /// Digest of the key derivation for EC and X25519 recipients (RFC 5753, RFC 8418); None: the one that fits the curve.
    pub key_agreement: Option<Digest>,
    /// How recipients are named.
    pub recipient_id: RecipientIdForm,
    /// Whether AES-GCM goes into an EnvelopedData, with the tag behind the ciphertext, as software made before RFC 5084
    /// expects it. No standard allows it.
    pub gcm_in_enveloped_data: bool,
}

/// What may be decrypted, beyond what everybody may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecryptOptions {
    /// Ciphers that can be broken: Triple DES and RC2. What was encrypted with them is reported as weak.
    pub weak_ciphers: bool,
    /// AES-GCM in an EnvelopedData, with the tag behind the ciphertext.
    pub gcm_in_enveloped_data: bool,
}

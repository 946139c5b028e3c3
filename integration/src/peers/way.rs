//! How a message is signed or encrypted, in words that belong to no program.

use std::fmt;

/// A message digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// `sha256`: so do most programs call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// `sha-256`: so does `micalg` (RFC 8551, section 3.5.3.2).
    #[must_use]
    pub const fn micalg(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.micalg().to_uppercase())
    }
}

/// Where the signed content stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// multipart/signed.
    Clear,
    /// application/pkcs7-mime.
    Opaque,
}

/// A signature algorithm. The curve is the key's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Digest),
    /// RSASSA-PSS.
    RsaPss(Digest),
    /// ECDSA.
    Ecdsa(Digest),
    /// Ed25519 (RFC 8419).
    Ed25519,
}

impl Signature {
    /// The digest over the content.
    #[must_use]
    pub const fn digest(self) -> Digest {
        match self {
            Self::RsaPkcs1(digest) | Self::RsaPss(digest) | Self::Ecdsa(digest) => digest,
            // RFC 8419, section 3.
            Self::Ed25519 => Digest::Sha512,
        }
    }
}

/// How to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signing {
    /// Where the content stands.
    pub form: Form,
    /// By which algorithm.
    pub signature: Signature,
}

/// Content encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// AES in CBC mode with a key of so many bits.
    AesCbc(u16),
    /// AES in GCM mode with a key of so many bits: AuthEnvelopedData.
    AesGcm(u16),
    /// ChaCha20-Poly1305 (RFC 8103).
    ChaCha20Poly1305,
    /// Triple DES in CBC mode.
    TripleDes,
    /// RC2 in CBC mode with a key of 128 bits.
    Rc2,
}

impl Cipher {
    /// Whether it makes an AuthEnvelopedData.
    #[must_use]
    pub const fn is_authenticated(self) -> bool {
        matches!(self, Self::AesGcm(_) | Self::ChaCha20Poly1305)
    }
}

impl fmt::Display for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AesCbc(bits) => write!(f, "AES-{bits}-CBC"),
            Self::AesGcm(bits) => write!(f, "AES-{bits}-GCM"),
            Self::ChaCha20Poly1305 => f.write_str("ChaCha20-Poly1305"),
            Self::TripleDes => f.write_str("3DES"),
            Self::Rc2 => f.write_str("RC2"),
        }
    }
}

/// How the content-encryption key reaches the reader. The curve is the key's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMethod {
    /// RSAES-PKCS1-v1_5.
    Pkcs1,
    /// RSAES-OAEP.
    Oaep(Digest),
    /// ECDH with the X9.63 key derivation (RFC 5753).
    Ecdh(Digest),
    /// X25519 with HKDF (RFC 8418).
    X25519(Digest),
}

/// How a RecipientInfo names its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientForm {
    /// By issuer and serial number.
    IssuerAndSerial,
    /// By the subject key identifier.
    KeyIdentifier,
}

/// How to encrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealing {
    /// The content.
    pub cipher: Cipher,
    /// Its key.
    pub method: KeyMethod,
    /// The reader.
    pub recipient: RecipientForm,
}

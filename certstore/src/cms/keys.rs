//! What CMS asks of somebody who holds a private key, and nothing more.

use zeroize::Zeroizing;

use super::{MlDsa, MlKem};

/// A message digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Digest {
    /// SHA-1: read in old mail, never written, never plainly valid.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A curve of NIST SP 800-186.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

/// The kind of a key, as its certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA, with the length of its modulus.
    Rsa {
        /// Length of the modulus, in bits.
        bits: u32,
    },
    /// An elliptic curve key, for ECDSA and ECDH.
    Ec(Curve),
    /// A key for X25519 (RFC 8410): for encryption alone.
    X25519,
    /// A key for Ed25519 (RFC 8410): for signatures alone.
    Ed25519,
    /// A key for encapsulation (RFC 9935).
    MlKem(MlKem),
    /// A key for signatures (RFC 9881).
    MlDsa(MlDsa),
}

/// How a signature over a message is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureScheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    RsaPkcs1(Digest),
    /// RSASSA-PSS, MGF1 with the same digest, a salt as long as the digest (RFC 4056).
    RsaPss(Digest),
    /// ECDSA, the signature as a DER `ECDSA-Sig-Value` (RFC 5753, section 2.1).
    Ecdsa(Curve, Digest),
    /// Ed25519, over the message itself (RFC 8419).
    Ed25519,
    /// ML-DSA over the message itself, with the empty context (RFC 9882).
    MlDsa(MlDsa),
}

/// How a content-encryption key was encrypted to an RSA key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyTransport {
    /// RSAES-PKCS1-v1_5.
    Pkcs1,
    /// RSAES-OAEP, digest and MGF1 alike, and the empty label but for [`Decryptor::decrypt_labelled_key`] (RFC 3560).
    Oaep(Digest),
}

/// How a key-encryption key is derived from what two keys agreed on: dhSinglePass-stdDH with one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyDerivation {
    /// The function of ANSI X9.63 (RFC 5753, section 7.1.4).
    X963(Digest),
    /// HKDF, for X25519 (RFC 8418, section 2.2).
    Hkdf(Digest),
}

/// Why a holder of a key did not do what was asked. It says nothing about the ciphertext that an attacker could use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFailure {
    /// This key cannot do this at all (an EC key asked for RSA, say).
    #[error("this key cannot be used with {0}")]
    Unsuitable(&'static str),
    /// The operation was tried and failed.
    #[error("the operation with the private key failed")]
    Failed,
    /// The key cannot be reached now (a token that is gone, a database that is locked): try again later.
    #[error("the private key cannot be reached now: {0}")]
    Unavailable(String),
}

/// How a RecipientInfo names a recipient (RFC 5652, section 6.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RecipientId {
    /// The issuer's name and the certificate's serial number.
    IssuerAndSerial {
        /// DER of the issuer's `Name`.
        issuer: Vec<u8>,
        /// The content octets of the serial's DER INTEGER, big-endian.
        serial: Vec<u8>,
    },
    /// The content octets of the certificate's subject key identifier.
    SubjectKeyIdentifier(Vec<u8>),
}

/// Somebody who signs with one key. The key itself stays where it is.
pub trait Signer: Send + Sync + std::fmt::Debug {
    /// DER of the signer's certificate.
    fn certificate(&self) -> &[u8];

    /// DER of the certificates above it as far as they are known, nearest first, the root last: to travel with the signature.
    fn chain(&self) -> &[Vec<u8>];

    /// DER of the certificate that others should encrypt to, where it is not the signing one.
    fn encryption_certificate(&self) -> Option<&[u8]>;

    /// Signs `message`, which is not hashed yet.
    ///
    /// # Errors
    /// [`KeyFailure`].
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, KeyFailure>;
}

/// Somebody who decrypts with one key. The key itself stays where it is.
pub trait Decryptor: Send + Sync + std::fmt::Debug {
    /// DER of the certificate that belongs to the key.
    fn certificate(&self) -> &[u8];

    /// Whether a RecipientInfo with this identifier is meant for this key.
    fn is_named_by(&self, recipient: &RecipientId) -> bool;

    /// Decrypts a content-encryption key that was encrypted to this RSA key.
    ///
    /// # Errors
    /// [`KeyFailure`]. With PKCS#1 v1.5 the caller must hide the difference between a failure and a wrong key.
    fn decrypt_key(
        &self,
        transport: KeyTransport,
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure>;

    /// Decrypts a content-encryption key that was encrypted to this RSA key by RSAES-OAEP with a label.
    ///
    /// # Errors
    /// [`KeyFailure`]; [`KeyFailure::Unsuitable`] from a holder that knows no labels.
    fn decrypt_labelled_key(
        &self,
        _digest: Digest,
        _label: &[u8],
        _encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        Err(KeyFailure::Unsuitable("an OAEP label"))
    }

    /// The ECDH shared secret of this key and `public_key`, an uncompressed point (SEC 1, section 2.3.3).
    ///
    /// # Errors
    /// [`KeyFailure`].
    fn agree(&self, curve: Curve, public_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure>;

    /// The X25519 shared secret of this key and `public_key`, 32 octets (RFC 7748, section 6.1); never all zero.
    ///
    /// # Errors
    /// [`KeyFailure`]; [`KeyFailure::Unsuitable`] from a holder of another kind of key.
    fn agree_x25519(&self, _public_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        Err(KeyFailure::Unsuitable("X25519"))
    }

    /// The shared secret in `ciphertext`, which was made with the public half of this key (FIPS 203, section 7.3).
    ///
    /// # Errors
    /// [`KeyFailure`]; [`KeyFailure::Unsuitable`] from a holder of another kind of key. A ciphertext that was made for
    /// another key gives another secret and no failure.
    fn decapsulate(
        &self,
        kem: MlKem,
        _ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        Err(KeyFailure::Unsuitable(kem.name()))
    }
}

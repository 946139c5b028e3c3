//! Content encryption: which ciphers there are, what each is called, and how a content is encrypted and decrypted in place.
//!
//! Everything about a cipher stands in one arm of [`ContentCipher::properties`]; those of old mail, which are read only,
//! are in `weak`. Nothing here knows where a content-encryption key comes from.

mod authenticated;
mod cbc;
mod in_place;
mod weak;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{aead, cipher};
use const_oid::db::rfc5911;
use der::Any;
use der::asn1::{ObjectIdentifier, OctetStringRef};
use spki::AlgorithmIdentifierOwned;

pub(super) use self::in_place::InPlace;
use self::weak::WeakCipher;
use super::ContentCipher;
use super::algorithm::{Algorithm, AlgorithmError};
use super::encode::GcmParameters;

/// id-alg-AEADChaCha20Poly1305 (RFC 8103, section 3).
const CHACHA20_POLY1305: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.3.18");

/// What there is to say of a cipher.
struct Properties {
    oid: ObjectIdentifier,
    name: &'static str,
    /// Length of the key, in bytes.
    key_length: usize,
    mode: Mode,
}

/// What does the work.
enum Mode {
    Cbc(&'static cipher::Algorithm),
    Gcm(&'static aead::Algorithm),
    ChaCha20Poly1305,
}

impl ContentCipher {
    /// Every cipher that can be written and read, best first: those that notice a change before those that do not.
    pub const ALL: [Self; 7] = [
        Self::Aes256Gcm,
        Self::ChaCha20Poly1305,
        Self::Aes192Gcm,
        Self::Aes128Gcm,
        Self::Aes256Cbc,
        Self::Aes192Cbc,
        Self::Aes128Cbc,
    ];

    const fn properties(self) -> Properties {
        let (oid, name, key_length, mode) = match self {
            Self::Aes128Cbc => (
                rfc5911::ID_AES_128_CBC,
                "AES-128-CBC",
                16,
                Mode::Cbc(&cipher::AES_128),
            ),
            Self::Aes192Cbc => (
                rfc5911::ID_AES_192_CBC,
                "AES-192-CBC",
                24,
                Mode::Cbc(&cipher::AES_192),
            ),
            Self::Aes256Cbc => (
                rfc5911::ID_AES_256_CBC,
                "AES-256-CBC",
                32,
                Mode::Cbc(&cipher::AES_256),
            ),
            Self::Aes128Gcm => (
                rfc5911::ID_AES_128_GCM,
                "AES-128-GCM",
                16,
                Mode::Gcm(&aead::AES_128_GCM),
            ),
            Self::Aes192Gcm => (
                rfc5911::ID_AES_192_GCM,
                "AES-192-GCM",
                24,
                Mode::Gcm(&aead::AES_192_GCM),
            ),
            Self::Aes256Gcm => (
                rfc5911::ID_AES_256_GCM,
                "AES-256-GCM",
                32,
                Mode::Gcm(&aead::AES_256_GCM),
            ),
            Self::ChaCha20Poly1305 => (
                CHACHA20_POLY1305,
                "ChaCha20-Poly1305",
                32,
                Mode::ChaCha20Poly1305,
            ),
        };
        Properties {
            oid,
            name,
            key_length,
            mode,
        }
    }

    /// The name for people: "AES-256-GCM".
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.properties().name
    }

    /// Whether a change to the ciphertext is noticed, so that the message is an AuthEnvelopedData (RFC 5083).
    #[must_use]
    pub const fn is_authenticated(self) -> bool {
        !matches!(self.properties().mode, Mode::Cbc(_))
    }

    /// Whether it is AES in GCM, which some software puts into an EnvelopedData.
    pub(super) const fn is_gcm(self) -> bool {
        matches!(self.properties().mode, Mode::Gcm(_))
    }

    pub(super) const fn oid(self) -> ObjectIdentifier {
        self.properties().oid
    }

    pub(super) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.oid() == oid)
    }

    /// Length of its key, in bytes.
    pub(super) const fn key_length(self) -> usize {
        self.properties().key_length
    }

    /// Encrypts in place; the content grows by the padding, if there is any.
    pub(super) fn encrypt(
        self,
        key: &[u8],
        content: &mut InPlace<'_>,
    ) -> Result<Encryption, Unspecified> {
        let (parameters, tag) = match self.properties().mode {
            Mode::Cbc(algorithm) => {
                let iv = cbc::encrypt(algorithm, key, content)?;
                (octet_string(&iv), None)
            }
            Mode::Gcm(algorithm) => {
                let (nonce, tag) = authenticated::seal(algorithm, key, content.as_mut())?;
                (gcm_parameters(&nonce), Some(tag))
            }
            Mode::ChaCha20Poly1305 => {
                let (nonce, tag) =
                    authenticated::seal(&aead::CHACHA20_POLY1305, key, content.as_mut())?;
                (octet_string(&nonce), Some(tag))
            }
        };
        Ok(Encryption {
            algorithm: AlgorithmIdentifierOwned {
                oid: self.oid(),
                parameters: Some(parameters.map_err(|_| Unspecified)?),
            },
            tag,
        })
    }
}

/// What goes beside a ciphertext.
pub(super) struct Encryption {
    pub(super) algorithm: AlgorithmIdentifierOwned,
    /// What proves that the ciphertext was not changed, if the cipher gives such a proof.
    pub(super) tag: Option<aead::Tag>,
}

fn octet_string(octets: &[u8]) -> der::Result<Any> {
    Any::encode_from(&OctetStringRef::new(octets)?)
}

fn gcm_parameters(nonce: &[u8]) -> der::Result<Any> {
    Any::encode_from(&GcmParameters {
        nonce: OctetStringRef::new(nonce)?,
        icv_len: authenticated::TAG_LENGTH,
    })
}

/// A cipher that can be read, with its parameters.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReadableCipher {
    Cbc {
        cipher: ContentCipher,
        iv: [u8; cbc::AES_BLOCK],
    },
    Authenticated {
        cipher: ContentCipher,
        nonce: [u8; aead::NONCE_LEN],
        /// Length of the authentication tag, in bytes.
        tag_length: usize,
    },
    Weak(WeakCipher),
}

impl ReadableCipher {
    pub(super) fn read(algorithm: &Algorithm<'_>) -> Result<Self, AlgorithmError> {
        let Some(cipher) = ContentCipher::from_oid(algorithm.oid) else {
            return WeakCipher::read(algorithm).map(Self::Weak);
        };
        let (nonce, tag_length) = match cipher.properties().mode {
            Mode::Cbc(_) => {
                let iv = cbc::initialisation_vector(algorithm)?;
                return Ok(Self::Cbc { cipher, iv });
            }
            Mode::Gcm(_) => authenticated::read_gcm_parameters(algorithm)?,
            Mode::ChaCha20Poly1305 => (
                cbc::initialisation_vector(algorithm)?,
                authenticated::TAG_LENGTH.into(),
            ),
        };
        Ok(Self::Authenticated {
            cipher,
            nonce,
            tag_length,
        })
    }

    /// The name for people: "AES-256-CBC".
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Cbc { cipher, .. } | Self::Authenticated { cipher, .. } => cipher.name(),
            Self::Weak(cipher) => cipher.name(),
        }
    }

    /// Length of its key, in bytes.
    pub(super) fn key_length(&self) -> usize {
        match self {
            Self::Cbc { cipher, .. } | Self::Authenticated { cipher, .. } => cipher.key_length(),
            Self::Weak(cipher) => cipher.key_length(),
        }
    }

    pub(super) fn is_authenticated(&self) -> bool {
        matches!(self, Self::Authenticated { .. })
    }

    /// Whether it is AES in GCM, which some software puts into an EnvelopedData.
    pub(super) fn is_gcm(&self) -> bool {
        matches!(self, Self::Authenticated { cipher, .. } if cipher.is_gcm())
    }

    /// Length of the authentication tag, in bytes; 0 without one.
    pub(super) fn tag_length(&self) -> usize {
        match self {
            Self::Authenticated { tag_length, .. } => *tag_length,
            Self::Cbc { .. } | Self::Weak(_) => 0,
        }
    }

    /// Whether it is known to be breakable (RFC 8551, section 2.7).
    pub(super) fn is_weak(&self) -> bool {
        matches!(self, Self::Weak(_))
    }

    /// Decrypts in place and returns the length of the plaintext, in bytes. `tag` and `associated` data go with the
    /// authenticated ciphers.
    pub(super) fn decrypt(
        &self,
        key: &[u8],
        associated: &[u8],
        tag: &[u8],
        content: &mut [u8],
    ) -> Result<usize, Unspecified> {
        match self {
            Self::Cbc { cipher, iv } => match cipher.properties().mode {
                Mode::Cbc(algorithm) => cbc::decrypt(algorithm, key, *iv, content),
                Mode::Gcm(_) | Mode::ChaCha20Poly1305 => Err(Unspecified),
            },
            Self::Authenticated {
                cipher,
                nonce,
                tag_length,
            } => {
                if tag.len() != *tag_length {
                    return Err(Unspecified);
                }
                let algorithm = match cipher.properties().mode {
                    Mode::Gcm(algorithm) => algorithm,
                    Mode::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
                    Mode::Cbc(_) => return Err(Unspecified),
                };
                authenticated::open(algorithm, key, *nonce, associated, tag, content)
            }
            Self::Weak(cipher) => cipher.decrypt(key, content),
        }
    }
}

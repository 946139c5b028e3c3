//! Content encryption: AES in CBC and GCM mode (RFC 3565, 5084), and Triple DES of old mail.
//!
//! Content is encrypted and decrypted in place. Nothing here knows where a content-encryption key comes from.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    self, DecryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rand;
use const_oid::db::rfc5911;
use der::asn1::ObjectIdentifier;

use super::ContentCipher;
use super::algorithm::{Algorithm, AlgorithmError};
use super::ber::{BerError, Tag};

/// Length of the authentication tags that we write and read, in bytes.
pub(super) const TAG_LENGTH: u8 = 16;
const AES_BLOCK: usize = 16;

impl ContentCipher {
    /// Every cipher that can be written, best first.
    pub const ALL: [Self; 4] = [
        Self::Aes256Gcm,
        Self::Aes256Cbc,
        Self::Aes128Gcm,
        Self::Aes128Cbc,
    ];

    /// The name for people: "AES-256-GCM".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes128Cbc => "AES-128-CBC",
            Self::Aes256Cbc => "AES-256-CBC",
            Self::Aes128Gcm => "AES-128-GCM",
            Self::Aes256Gcm => "AES-256-GCM",
        }
    }

    /// Whether a change to the ciphertext is noticed, so that the message is an AuthEnvelopedData (RFC 5083).
    #[must_use]
    pub fn is_authenticated(self) -> bool {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => true,
            Self::Aes128Cbc | Self::Aes256Cbc => false,
        }
    }

    pub(super) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Aes128Cbc => rfc5911::ID_AES_128_CBC,
            Self::Aes256Cbc => rfc5911::ID_AES_256_CBC,
            Self::Aes128Gcm => rfc5911::ID_AES_128_GCM,
            Self::Aes256Gcm => rfc5911::ID_AES_256_GCM,
        }
    }

    pub(super) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.oid() == oid)
    }

    /// Length of its key, in bytes.
    pub(super) fn key_length(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Aes128Gcm => 16,
            Self::Aes256Cbc | Self::Aes256Gcm => 32,
        }
    }

    /// Encrypts in place; the content grows by the padding, if there is any.
    pub(super) fn encrypt(
        self,
        key: &[u8],
        content: &mut Vec<u8>,
    ) -> Result<Parameters, Unspecified> {
        match self {
            Self::Aes128Cbc => encrypt_cbc(&cipher::AES_128, key, content),
            Self::Aes256Cbc => encrypt_cbc(&cipher::AES_256, key, content),
            Self::Aes128Gcm => encrypt_gcm(&aead::AES_128_GCM, key, content),
            Self::Aes256Gcm => encrypt_gcm(&aead::AES_256_GCM, key, content),
        }
    }
}

/// What goes beside a ciphertext.
pub(super) enum Parameters {
    Cbc {
        iv: [u8; AES_BLOCK],
    },
    Gcm {
        nonce: [u8; aead::NONCE_LEN],
        tag: aead::Tag,
    },
}

fn encrypt_cbc(
    algorithm: &'static cipher::Algorithm,
    key: &[u8],
    content: &mut Vec<u8>,
) -> Result<Parameters, Unspecified> {
    content.reserve_exact(AES_BLOCK);
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key)?)?;
    let DecryptionContext::Iv128(iv) = key.encrypt(content)? else {
        return Err(Unspecified);
    };
    Ok(Parameters::Cbc { iv: *iv.as_ref() })
}

fn encrypt_gcm(
    algorithm: &'static aead::Algorithm,
    key: &[u8],
    content: &mut [u8],
) -> Result<Parameters, Unspecified> {
    // The key encrypts this one content only, so that any nonce would be unique.
    let mut nonce = [0; aead::NONCE_LEN];
    rand::fill(&mut nonce)?;
    let tag = LessSafeKey::new(UnboundKey::new(algorithm, key)?).seal_in_place_separate_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::empty(),
        content,
    )?;
    Ok(Parameters::Gcm { nonce, tag })
}

/// A cipher that can be read, with its parameters.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReadableCipher<'a> {
    AesCbc { key_length: usize, iv: [u8; 16] },
    AesGcm { key_length: usize, nonce: &'a [u8] },
    TripleDesCbc { iv: [u8; 8] },
}

#[expect(deprecated, reason = "old mail is read, and reported as weak")]
const TRIPLE_DES: &cipher::Algorithm = &cipher::DES_EDE3_FOR_LEGACY_USE_ONLY;

impl<'a> ReadableCipher<'a> {
    pub(super) fn read(algorithm: &Algorithm<'a>) -> Result<Self, AlgorithmError> {
        let cbc = |key_length| {
            let iv = initialisation_vector(algorithm)?;
            Ok(Self::AesCbc { key_length, iv })
        };
        let gcm = |key_length| {
            let nonce = gcm_nonce(algorithm)?;
            Ok(Self::AesGcm { key_length, nonce })
        };
        match algorithm.oid {
            rfc5911::ID_AES_128_CBC => cbc(16),
            rfc5911::ID_AES_192_CBC => cbc(24),
            rfc5911::ID_AES_256_CBC => cbc(32),
            rfc5911::ID_AES_128_GCM => gcm(16),
            rfc5911::ID_AES_192_GCM => gcm(24),
            rfc5911::ID_AES_256_GCM => gcm(32),
            rfc5911::DES_EDE_3_CBC => Ok(Self::TripleDesCbc {
                iv: initialisation_vector(algorithm)?,
            }),
            _ => Err(algorithm.unsupported()),
        }
    }

    /// The name for people: "AES-256-CBC".
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::AesCbc { key_length: 16, .. } => "AES-128-CBC",
            Self::AesCbc { key_length: 24, .. } => "AES-192-CBC",
            Self::AesCbc { .. } => "AES-256-CBC",
            Self::AesGcm { key_length: 16, .. } => "AES-128-GCM",
            Self::AesGcm { key_length: 24, .. } => "AES-192-GCM",
            Self::AesGcm { .. } => "AES-256-GCM",
            Self::TripleDesCbc { .. } => "Triple DES-CBC",
        }
    }

    pub(super) fn key_length(&self) -> usize {
        match self {
            Self::AesCbc { key_length, .. } | Self::AesGcm { key_length, .. } => *key_length,
            Self::TripleDesCbc { .. } => 24,
        }
    }

    pub(super) fn is_authenticated(&self) -> bool {
        match self {
            Self::AesGcm { .. } => true,
            Self::AesCbc { .. } | Self::TripleDesCbc { .. } => false,
        }
    }

    /// Whether it is known to be breakable (RFC 8551, section 2.7).
    pub(super) fn is_weak(&self) -> bool {
        match self {
            Self::TripleDesCbc { .. } => true,
            Self::AesCbc { .. } | Self::AesGcm { .. } => false,
        }
    }

    /// Decrypts in place and returns the length of the plaintext, in bytes. `tag` and `associated` data go with GCM.
    pub(super) fn decrypt(
        &self,
        key: &[u8],
        associated: &[u8],
        tag: &[u8],
        content: &mut [u8],
    ) -> Result<usize, Unspecified> {
        match self {
            Self::AesCbc { key_length, iv } => {
                let algorithm = match key_length {
                    16 => &cipher::AES_128,
                    24 => &cipher::AES_192,
                    _ => &cipher::AES_256,
                };
                let context = DecryptionContext::Iv128(FixedLength::from(*iv));
                decrypt_cbc(algorithm, key, context, content)
            }
            Self::TripleDesCbc { iv } => {
                let context = DecryptionContext::Iv64(FixedLength::from(*iv));
                decrypt_cbc(TRIPLE_DES, key, context, content)
            }
            Self::AesGcm { key_length, nonce } => {
                let algorithm = match key_length {
                    16 => &aead::AES_128_GCM,
                    24 => &aead::AES_192_GCM,
                    _ => &aead::AES_256_GCM,
                };
                let key = LessSafeKey::new(UnboundKey::new(algorithm, key)?);
                let nonce = Nonce::try_assume_unique_for_key(nonce)?;
                key.open_in_place_separate_tag(nonce, Aad::from(associated), tag, content)
                    .map(|plain| plain.len())
            }
        }
    }
}

fn decrypt_cbc(
    algorithm: &'static cipher::Algorithm,
    key: &[u8],
    context: DecryptionContext,
    content: &mut [u8],
) -> Result<usize, Unspecified> {
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key)?)?;
    key.decrypt(content, context).map(|plain| plain.len())
}

/// The one parameter of CBC mode (RFC 3565, section 4.1; RFC 3370, section 5.1).
fn initialisation_vector<const N: usize>(algorithm: &Algorithm<'_>) -> Result<[u8; N], BerError> {
    let parameter = algorithm.parameters.ok_or(BerError::Missing)?;
    if parameter.tag() != Tag::OCTET_STRING {
        return Err(BerError::UnexpectedTag);
    }
    <[u8; N]>::try_from(&*parameter.octets()?).map_err(|_| BerError::InvalidValue)
}

/// GCMParameters (RFC 5084, section 3.2).
fn gcm_nonce<'a>(algorithm: &Algorithm<'a>) -> Result<&'a [u8], AlgorithmError> {
    let mut fields = algorithm.fields()?;
    let nonce = fields.expect(Tag::OCTET_STRING)?.primitive()?;
    let tag_length = match fields.optional(Tag::INTEGER)? {
        Some(length) => length.small_integer()?,
        None => 12,
    };
    fields.finish()?;
    if tag_length != u32::from(TAG_LENGTH) {
        return Err(AlgorithmError::Unsupported(format!(
            "unsupported: AES-GCM with a tag of {tag_length} bytes"
        )));
    }
    if nonce.len() != aead::NONCE_LEN {
        return Err(AlgorithmError::Unsupported(format!(
            "unsupported: AES-GCM with a nonce of {} bytes",
            nonce.len()
        )));
    }
    Ok(nonce)
}

//! Ciphers of old mail, read only and always reported: Triple DES and RC2 in CBC mode (RFC 3370, section 5).

use ::cbc::cipher::block_padding::Pkcs7;
use ::cbc::cipher::{BlockDecryptMut, InnerIvInit};
use aws_lc_rs::cipher::{self, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;
use const_oid::db::rfc5911;
use rc2::Rc2;

use super::super::algorithm::{Algorithm, AlgorithmError};
use super::super::ber::{BerError, Tag};
use super::super::unsupported::Unsupported;
use super::cbc::initialisation_vector;

#[expect(deprecated, reason = "old mail is read, and reported as weak")]
const TRIPLE_DES: &cipher::Algorithm = &cipher::DES_EDE3_FOR_LEGACY_USE_ONLY;

/// Block of both ciphers, in bytes.
const BLOCK: usize = 8;

/// A cipher that can be broken, with its parameters.
#[derive(Debug, Clone, Copy)]
pub(in crate::cms) enum WeakCipher {
    TripleDes {
        iv: [u8; BLOCK],
    },
    Rc2 {
        /// Length of the key, in bytes; RC2 reduces it to as many bits.
        key_length: usize,
        iv: [u8; BLOCK],
    },
}

impl WeakCipher {
    pub(super) fn read(algorithm: &Algorithm<'_>) -> Result<Self, AlgorithmError> {
        match algorithm.oid {
            rfc5911::DES_EDE_3_CBC => Ok(Self::TripleDes {
                iv: initialisation_vector(algorithm)?,
            }),
            rfc5911::RC_2_CBC => Self::read_rc2(algorithm),
            _ => Err(algorithm.unsupported()),
        }
    }

    /// RC2-CBC parameter: the "version" is a number that stands for the effective length of the key.
    fn read_rc2(algorithm: &Algorithm<'_>) -> Result<Self, AlgorithmError> {
        let mut fields = algorithm.fields()?;
        let key_length = match fields.expect(Tag::INTEGER)?.primitive()? {
            [0, 160] => 5,
            [120] => 8,
            [58] => 16,
            _ => {
                let text = "RC2 with a key that is not of 40, 64 or 128 bits".to_owned();
                return Err(Unsupported::detail(algorithm.oid, text).into());
            }
        };
        let iv = fields.expect(Tag::OCTET_STRING)?.octets()?;
        fields.finish()?;
        let iv = <[u8; BLOCK]>::try_from(&*iv).map_err(|_| BerError::InvalidValue)?;
        Ok(Self::Rc2 { key_length, iv })
    }

    /// The name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TripleDes { .. } => "Triple DES-CBC",
            Self::Rc2 { key_length: 5, .. } => "RC2-CBC with 40 bits",
            Self::Rc2 { key_length: 8, .. } => "RC2-CBC with 64 bits",
            Self::Rc2 { .. } => "RC2-CBC with 128 bits",
        }
    }

    /// Length of its key, in bytes.
    pub(super) fn key_length(self) -> usize {
        match self {
            Self::TripleDes { .. } => 24,
            Self::Rc2 { key_length, .. } => key_length,
        }
    }

    /// Decrypts in place and returns the length of the plaintext, in bytes.
    pub(super) fn decrypt(self, key: &[u8], content: &mut [u8]) -> Result<usize, Unspecified> {
        match self {
            Self::TripleDes { iv } => {
                let key = UnboundCipherKey::new(TRIPLE_DES, key)?;
                let context = DecryptionContext::Iv64(FixedLength::from(iv));
                PaddedBlockDecryptingKey::cbc_pkcs7(key)?
                    .decrypt(content, context)
                    .map(|plain| plain.len())
            }
            Self::Rc2 { iv, .. } => {
                let cipher = Rc2::new_with_eff_key_len(key, key.len() * 8);
                ::cbc::Decryptor::inner_iv_init(cipher, &iv.into())
                    .decrypt_padded_mut::<Pkcs7>(content)
                    .map(|plain| plain.len())
                    .map_err(|_| Unspecified)
            }
        }
    }
}

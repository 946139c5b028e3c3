//! Password-based decryption: PBES2 (RFC 8018, section 6.2) and the schemes of RFC 7292, appendix C.
//!
//! A stranger's file says how often to iterate; [`Work`] bounds that before it is done. A wrong passphrase and damaged
//! ciphertext cannot be told apart here.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    self, AES_128, AES_192, AES_256, Algorithm, DecryptionContext, PaddedBlockDecryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::{digest, iv::FixedLength, pbkdf2};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut, KeyIvInit};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_AES_128_CBC, ID_AES_192_CBC, ID_AES_256_CBC};
use zeroize::Zeroizing;

use super::super::key_file::KeyFileError;
use super::passphrase::{Form, KdfPurpose, Passphrase, derive};
use crate::cms::ber::{Element, Reader, Tag};

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
const HMAC_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");
const HMAC_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");
const HMAC_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.10");
const HMAC_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.11");
const DES_EDE3_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.3.7");
const PBE_3_KEY_3DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const PBE_2_KEY_3DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.4");
const PBE_128_BIT_RC2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.5");
const PBE_40_BIT_RC2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");

#[expect(deprecated, reason = "old files are read, none are written")]
const TRIPLE_DES: &Algorithm = &cipher::DES_EDE3_FOR_LEGACY_USE_ONLY;
#[expect(deprecated, reason = "old files are read, none are written")]
const TWO_KEY_TRIPLE_DES: &Algorithm = &cipher::DES_EDE_FOR_LEGACY_USE_ONLY;

/// Most iterations of one key derivation.
const MAX_ITERATIONS: u32 = 600_000;
/// Most iterations of all key derivations for one file: a second or two.
const MAX_WORK: u32 = 4_000_000;

/// Iterations that may still be spent on one file.
#[derive(Debug)]
pub(crate) struct Work {
    left: u32,
}

impl Default for Work {
    fn default() -> Self {
        Self { left: MAX_WORK }
    }
}

impl Work {
    pub(super) fn spend(&mut self, iterations: u32) -> Result<(), KeyFileError> {
        if iterations > MAX_ITERATIONS {
            return Err(KeyFileError::Iterations(iterations));
        }
        self.left = self
            .left
            .checked_sub(iterations.max(1))
            .ok_or(KeyFileError::TooMuch("iterations"))?;
        Ok(())
    }
}

/// Decrypts an EncryptedPrivateKeyInfo (RFC 5958, section 3): an AlgorithmIdentifier and an OCTET STRING.
pub(crate) fn decrypt_key_info(
    key_info: Element<'_>,
    passphrase: &Passphrase,
    work: &mut Work,
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let mut fields = key_info.children()?;
    let algorithm = fields.expect(Tag::SEQUENCE)?;
    let ciphertext = fields.expect(Tag::OCTET_STRING)?.octets()?;
    decrypt(algorithm, &ciphertext, passphrase, work)
}

/// Decrypts `ciphertext` as its AlgorithmIdentifier says, to one whole element; the forms of the passphrase are tried in
/// turn.
pub(super) fn decrypt(
    algorithm: Element<'_>,
    ciphertext: &[u8],
    passphrase: &Passphrase,
    work: &mut Work,
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let scheme = Scheme::read(algorithm)?;
    for form in passphrase.forms() {
        for plain in scheme.candidates(form, ciphertext, work)? {
            if Element::only(&plain).is_ok() {
                return Ok(plain);
            }
        }
    }
    Err(KeyFileError::WrongPassphrase)
}

/// An encryption scheme with its parameters.
enum Scheme {
    Pkcs12 {
        cipher: Pkcs12Cipher,
        salt: Vec<u8>,
        iterations: u32,
    },
    Pbes2 {
        prf: pbkdf2::Algorithm,
        salt: Vec<u8>,
        iterations: NonZeroU32,
        cipher: &'static Algorithm,
        key_length: usize,
        iv: Vec<u8>,
    },
}

#[derive(Clone, Copy)]
enum Pkcs12Cipher {
    TripleDes3Key,
    TripleDes2Key,
    Rc2 { key_length: usize },
}

type Candidates = Vec<Zeroizing<Vec<u8>>>;

impl Scheme {
    fn read(algorithm: Element<'_>) -> Result<Self, KeyFileError> {
        let mut fields = algorithm.children()?;
        let oid = fields.expect(Tag::OBJECT_IDENTIFIER)?.object_identifier()?;
        let cipher = match oid {
            PBES2 => return Self::read_pbes2(fields.expect(Tag::SEQUENCE)?.children()?),
            PBE_3_KEY_3DES => Pkcs12Cipher::TripleDes3Key,
            PBE_2_KEY_3DES => Pkcs12Cipher::TripleDes2Key,
            PBE_128_BIT_RC2 => Pkcs12Cipher::Rc2 { key_length: 16 },
            PBE_40_BIT_RC2 => Pkcs12Cipher::Rc2 { key_length: 5 },
            other => return Err(KeyFileError::Unsupported(format!("encryption {other}"))),
        };
        let mut parameters = fields.expect(Tag::SEQUENCE)?.children()?;
        Ok(Self::Pkcs12 {
            cipher,
            salt: parameters.expect(Tag::OCTET_STRING)?.octets()?.into_owned(),
            iterations: parameters.expect(Tag::INTEGER)?.small_integer()?,
        })
    }

    fn read_pbes2(mut parameters: Reader<'_>) -> Result<Self, KeyFileError> {
        let mut derivation = parameters.expect(Tag::SEQUENCE)?.children()?;
        let mut encryption = parameters.expect(Tag::SEQUENCE)?.children()?;
        let kdf = derivation
            .expect(Tag::OBJECT_IDENTIFIER)?
            .object_identifier()?;
        if kdf != PBKDF2 {
            return Err(KeyFileError::Unsupported(format!("key derivation {kdf}")));
        }
        let mut kdf = derivation.expect(Tag::SEQUENCE)?.children()?;
        let salt = kdf.expect(Tag::OCTET_STRING)?.octets()?.into_owned();
        let iterations = kdf.expect(Tag::INTEGER)?.small_integer()?;
        // The length of the key, if it is there, is that of the cipher's key.
        kdf.optional(Tag::INTEGER)?;
        let prf = match kdf.optional(Tag::SEQUENCE)? {
            Some(prf) => prf
                .children()?
                .expect(Tag::OBJECT_IDENTIFIER)?
                .object_identifier()?,
            None => HMAC_SHA1,
        };
        let cipher = encryption
            .expect(Tag::OBJECT_IDENTIFIER)?
            .object_identifier()?;
        let (cipher, key_length) = block_cipher(cipher)?;
        Ok(Self::Pbes2 {
            prf: pbkdf2_algorithm(prf)?,
            salt,
            iterations: NonZeroU32::new(iterations).ok_or(KeyFileError::Iterations(0))?,
            cipher,
            key_length,
            iv: encryption.expect(Tag::OCTET_STRING)?.octets()?.into_owned(),
        })
    }

    /// What the ciphertext is under each reading of one form of the passphrase, where the padding is right.
    fn candidates(
        &self,
        form: &Form,
        ciphertext: &[u8],
        work: &mut Work,
    ) -> Result<Candidates, KeyFileError> {
        match self {
            Self::Pkcs12 {
                cipher,
                salt,
                iterations,
            } => {
                // Once for the key, in two blocks, and once for the IV.
                work.spend(*iterations)?;
                work.spend(*iterations)?;
                Ok(cipher
                    .decrypt(form.bmp(), salt, *iterations, ciphertext)
                    .into_iter()
                    .collect())
            }
            Self::Pbes2 {
                prf,
                salt,
                iterations,
                cipher,
                key_length,
                iv,
            } => {
                let mut candidates = Candidates::new();
                for raw in form.raw() {
                    work.spend(iterations.get())?;
                    let mut key = Zeroizing::new(vec![0; *key_length]);
                    pbkdf2::derive(*prf, *iterations, salt, raw, &mut key);
                    candidates.extend(decrypt_cbc(cipher, &key, iv, ciphertext));
                }
                Ok(candidates)
            }
        }
    }
}

impl Pkcs12Cipher {
    fn decrypt(
        self,
        bmp: &[u8],
        salt: &[u8],
        iterations: u32,
        ciphertext: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let sha1 = &digest::SHA1_FOR_LEGACY_USE_ONLY;
        let derived = |purpose, length| {
            let mut bytes = Zeroizing::new(vec![0; length]);
            derive(sha1, purpose, bmp, salt, iterations, &mut bytes);
            bytes
        };
        let iv = derived(KdfPurpose::Iv, 8);
        match self {
            Self::TripleDes3Key => {
                let key = derived(KdfPurpose::EncryptionKey, 24);
                decrypt_cbc(TRIPLE_DES, &key, &iv, ciphertext)
            }
            Self::TripleDes2Key => {
                let key = derived(KdfPurpose::EncryptionKey, 16);
                decrypt_cbc(TWO_KEY_TRIPLE_DES, &key, &iv, ciphertext)
            }
            Self::Rc2 { key_length } => {
                let key = derived(KdfPurpose::EncryptionKey, key_length);
                let cipher = cbc::Decryptor::<rc2::Rc2>::new_from_slices(&key, &iv).ok()?;
                let plain = cipher.decrypt_padded_vec_mut::<Pkcs7>(ciphertext).ok()?;
                Some(Zeroizing::new(plain))
            }
        }
    }
}

/// None if a length does not fit or the padding is wrong.
fn decrypt_cbc(
    cipher: &'static Algorithm,
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let context = match cipher.block_len() {
        8 => DecryptionContext::Iv64(FixedLength::from(<[u8; 8]>::try_from(iv).ok()?)),
        _ => DecryptionContext::Iv128(FixedLength::from(<[u8; 16]>::try_from(iv).ok()?)),
    };
    let key = UnboundCipherKey::new(cipher, key).ok()?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = key.decrypt(&mut buffer, context).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

fn pbkdf2_algorithm(prf: ObjectIdentifier) -> Result<pbkdf2::Algorithm, KeyFileError> {
    match prf {
        HMAC_SHA1 => Ok(pbkdf2::PBKDF2_HMAC_SHA1),
        HMAC_SHA256 => Ok(pbkdf2::PBKDF2_HMAC_SHA256),
        HMAC_SHA384 => Ok(pbkdf2::PBKDF2_HMAC_SHA384),
        HMAC_SHA512 => Ok(pbkdf2::PBKDF2_HMAC_SHA512),
        other => Err(KeyFileError::Unsupported(format!(
            "pseudo-random function {other}"
        ))),
    }
}

/// A cipher and the length of its key, in bytes.
fn block_cipher(oid: ObjectIdentifier) -> Result<(&'static Algorithm, usize), KeyFileError> {
    match oid {
        ID_AES_128_CBC => Ok((&AES_128, 16)),
        ID_AES_192_CBC => Ok((&AES_192, 24)),
        ID_AES_256_CBC => Ok((&AES_256, 32)),
        DES_EDE3_CBC => Ok((TRIPLE_DES, 24)),
        other => Err(KeyFileError::Unsupported(format!("cipher {other}"))),
    }
}

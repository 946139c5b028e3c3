//! AES in CBC mode with PKCS #7 padding (RFC 3565), in place.

use aws_lc_rs::cipher::{
    Algorithm as BlockCipher, DecryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;

use super::super::algorithm::Algorithm;
use super::super::ber::{BerError, Tag};
use super::InPlace;

/// The block of AES, in bytes.
pub(super) const AES_BLOCK: usize = 16;

/// Encrypts in place and returns the initialisation vector.
pub(super) fn encrypt(
    algorithm: &'static BlockCipher,
    key: &[u8],
    content: &mut InPlace<'_>,
) -> Result<[u8; AES_BLOCK], Unspecified> {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key)?)?;
    let DecryptionContext::Iv128(iv) = key.encrypt(content)? else {
        return Err(Unspecified);
    };
    Ok(*iv.as_ref())
}

/// Decrypts in place and returns the length of the plaintext, in bytes.
pub(super) fn decrypt(
    algorithm: &'static BlockCipher,
    key: &[u8],
    iv: [u8; AES_BLOCK],
    content: &mut [u8],
) -> Result<usize, Unspecified> {
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key)?)?;
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    key.decrypt(content, context).map(|plain| plain.len())
}

/// The one parameter of many ciphers: an OCTET STRING of a fixed length (RFC 3565, section 4.1; RFC 3370, section 5.1;
/// RFC 8103, section 3).
pub(super) fn initialisation_vector<const N: usize>(
    algorithm: &Algorithm<'_>,
) -> Result<[u8; N], BerError> {
    let parameter = algorithm.parameters.ok_or(BerError::Missing)?;
    if parameter.tag() != Tag::OCTET_STRING {
        return Err(BerError::UnexpectedTag);
    }
    <[u8; N]>::try_from(&*parameter.octets()?).map_err(|_| BerError::InvalidValue)
}

//! Ciphers that notice a change: AES in GCM (RFC 5084) and ChaCha20-Poly1305 (RFC 8103), in place.

use aws_lc_rs::aead::{Aad, Algorithm as Aead, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;

use super::super::algorithm::{Algorithm, AlgorithmError};
use super::super::ber;
use super::super::unsupported::Unsupported;

/// Length of the authentication tags that we write, in bytes: the whole tag.
pub(super) const TAG_LENGTH: u8 = 16;
/// The shortest tag of GCM in CMS, in bytes, and the one that is meant if none is given (RFC 5084, section 3.2).
const SHORTEST_TAG: u32 = 12;

/// Encrypts in place and returns the nonce and the authentication tag.
pub(super) fn seal(
    algorithm: &'static Aead,
    key: &[u8],
    content: &mut [u8],
) -> Result<([u8; NONCE_LEN], Tag), Unspecified> {
    // The key encrypts this one content only, so that any nonce would be unique.
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut nonce)?;
    let tag = LessSafeKey::new(UnboundKey::new(algorithm, key)?).seal_in_place_separate_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::empty(),
        content,
    )?;
    Ok((nonce, tag))
}

/// Decrypts in place and returns the length of the plaintext, in bytes.
pub(super) fn open(
    algorithm: &'static Aead,
    key: &[u8],
    nonce: [u8; NONCE_LEN],
    associated: &[u8],
    tag: &[u8],
    content: &mut [u8],
) -> Result<usize, Unspecified> {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key)?);
    if tag.len() == usize::from(TAG_LENGTH) {
        let nonce = Nonce::assume_unique_for_key(nonce);
        return key
            .open_in_place_separate_tag(nonce, Aad::from(associated), tag, content)
            .map(|plain| plain.len());
    }
    // aws-lc compares whole tags only. GCM adds a key stream, so that to seal a ciphertext is to decrypt it; to seal
    // what comes out gives the ciphertext again, with its whole tag. Nothing leaves before the tag was compared.
    let seal = |content: &mut [u8]| {
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_separate_tag(nonce, Aad::from(associated), content)
    };
    let _of_the_plaintext = seal(content)?;
    let whole_tag = seal(content)?;
    let start = whole_tag.as_ref().get(..tag.len()).ok_or(Unspecified)?;
    verify_slices_are_equal(start, tag)?;
    let _of_the_ciphertext = seal(content)?;
    Ok(content.len())
}

/// GCMParameters (RFC 5084, section 3.2): the nonce, and the length of the tag in bytes.
pub(super) fn read_gcm_parameters(
    algorithm: &Algorithm<'_>,
) -> Result<([u8; NONCE_LEN], usize), AlgorithmError> {
    let mut fields = algorithm.fields()?;
    let nonce = fields.expect(ber::Tag::OCTET_STRING)?.primitive()?;
    let tag_length = match fields.optional(ber::Tag::INTEGER)? {
        Some(length) => length.small_integer()?,
        None => SHORTEST_TAG,
    };
    fields.finish()?;
    if !(SHORTEST_TAG..=u32::from(TAG_LENGTH)).contains(&tag_length) {
        let text = format!("AES-GCM with a tag of {tag_length} bytes");
        return Err(Unsupported::detail(algorithm.oid, text).into());
    }
    let nonce = nonce.try_into().map_err(|_| {
        let text = format!("AES-GCM with a nonce of {} bytes", nonce.len());
        Unsupported::detail(algorithm.oid, text)
    })?;
    Ok((nonce, usize::try_from(tag_length).unwrap_or(usize::MAX)))
}

//! Sealing: AES-256-GCM under keys derived from one vault key.
//!
//! What is sealed is bound to its place by associated data, so that a sealed value cannot be moved to another row, and
//! chunks of a message cannot be reordered, dropped or cut off. It does not decide where the vault key is kept; the
//! vault does.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac, rand};
use zeroize::Zeroizing;

/// Length of every key here, in bytes.
pub const KEY_LENGTH: usize = 32;
/// What sealing adds to a plaintext, in bytes: a nonce in front, a tag behind.
pub const OVERHEAD: usize = NONCE_LEN + 16;

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The sealed bytes are too short to hold a nonce and a tag.
    #[error("sealed data is cut off")]
    Truncated,
    /// The key is another one, or the bytes or their place were changed.
    #[error("sealed data does not open: wrong vault key, or the data was changed")]
    Rejected,
    /// The system gave no random bytes.
    #[error("no random bytes to be had from the system")]
    NoRandomness,
}

/// The key above all others; everything that rests on disk is sealed under keys derived from it.
pub struct VaultKey(Zeroizing<[u8; KEY_LENGTH]>);

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultKey(…)")
    }
}

impl VaultKey {
    /// Takes 32 bytes as they were read from a key file.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; KEY_LENGTH]>) -> Self {
        Self(bytes)
    }

    /// Makes a new key from the system's randomness.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn generate() -> Result<Self, SealError> {
        random().map(Self)
    }

    /// The 32 bytes, to be written to a key file and nowhere else.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }

    /// A key for one purpose ("private keys", "spool", …), by HKDF-SHA256 (RFC 5869).
    #[must_use]
    pub fn derive(&self, purpose: &str) -> SealingKey {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"postern vault").extract(&self.0[..]);
        let filled = secret
            .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key[..]));
        debug_assert!(filled.is_ok(), "HKDF-SHA256 always yields 32 bytes");
        SealingKey::new(&key)
    }
}

/// A key that seals and opens values of one purpose.
pub struct SealingKey {
    aead: LessSafeKey,
    hmac: hmac::Key,
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

impl SealingKey {
    #[expect(clippy::expect_used, reason = "a 32-byte key is what AES-256 takes")]
    fn new(key: &[u8; KEY_LENGTH]) -> Self {
        let aead = UnboundKey::new(&AES_256_GCM, key).expect("AES-256-GCM takes 32 bytes");
        Self {
            aead: LessSafeKey::new(aead),
            hmac: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    /// Seals `plain`, bound to `associated`: nonce, ciphertext, tag.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn seal(&self, associated: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let (_, body) = sealed.split_at_mut(NONCE_LEN);
        let tag = self
            .aead
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated),
                body,
            )
            .map_err(|_| SealError::Rejected)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`SealingKey::seal`] made with the same `associated` data.
    ///
    /// # Errors
    /// [`SealError::Truncated`] or [`SealError::Rejected`].
    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, body) = sealed
            .split_at_checked(NONCE_LEN)
            .ok_or(SealError::Truncated)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Truncated)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .aead
            .open_in_place(nonce, Aad::from(associated), &mut body)
            .map_err(|_| SealError::Rejected)?
            .len();
        body.truncate(length);
        Ok(body)
    }

    /// A hash that only the holder of the key can compute (HMAC-SHA256): for looking sealed things up.
    #[must_use]
    pub fn keyed_hash(&self, value: &[u8]) -> [u8; KEY_LENGTH] {
        let mut hash = [0; KEY_LENGTH];
        hash.copy_from_slice(hmac::sign(&self.hmac, value).as_ref());
        hash
    }
}

/// A key for the content of one message, itself kept sealed beside it.
pub struct DataKey {
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
    key: SealingKey,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(…)")
    }
}

impl DataKey {
    /// Makes a new key from the system's randomness.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn generate() -> Result<Self, SealError> {
        let bytes = random()?;
        let key = SealingKey::new(&bytes);
        Ok(Self { bytes, key })
    }

    /// The key itself, sealed under `outer` and bound to the message's queue id.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn wrap(&self, outer: &SealingKey, queue_id: &str) -> Result<Vec<u8>, SealError> {
        outer.seal(queue_id.as_bytes(), &self.bytes[..])
    }

    /// Opens what [`DataKey::wrap`] made.
    ///
    /// # Errors
    /// [`SealError::Truncated`] or [`SealError::Rejected`].
    pub fn unwrap(outer: &SealingKey, queue_id: &str, wrapped: &[u8]) -> Result<Self, SealError> {
        let opened = outer.open(queue_id.as_bytes(), wrapped)?;
        let bytes = <[u8; KEY_LENGTH]>::try_from(&opened[..]).map_err(|_| SealError::Truncated)?;
        let bytes = Zeroizing::new(bytes);
        let key = SealingKey::new(&bytes);
        Ok(Self { bytes, key })
    }

    /// Seals chunk `number` of a message, counted from 0; `last` marks the end of the content.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn seal_chunk(
        &self,
        queue_id: &str,
        number: u32,
        last: bool,
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        self.key.seal(&chunk_place(queue_id, number, last), plain)
    }

    /// Opens chunk `number`, which must be the last one exactly if `last` is set.
    ///
    /// # Errors
    /// [`SealError::Truncated`] or [`SealError::Rejected`].
    pub fn open_chunk(
        &self,
        queue_id: &str,
        number: u32,
        last: bool,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.key.open(&chunk_place(queue_id, number, last), sealed)
    }
}

fn chunk_place(queue_id: &str, number: u32, last: bool) -> Vec<u8> {
    let mut place = Vec::with_capacity(queue_id.len() + 5);
    place.extend_from_slice(queue_id.as_bytes());
    place.extend_from_slice(&number.to_be_bytes());
    place.push(u8::from(last));
    place
}

fn random() -> Result<Zeroizing<[u8; KEY_LENGTH]>, SealError> {
    let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
    rand::fill(&mut bytes[..]).map_err(|_| SealError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_in_its_place() {
        let key = VaultKey::generate().unwrap().derive("tests");
        let sealed = key.seal(b"row 1", b"secret").unwrap();
        assert_eq!(&key.open(b"row 1", &sealed).unwrap()[..], b"secret");
        assert_eq!(
            key.open(b"row 2", &sealed).unwrap_err(),
            SealError::Rejected
        );
        assert_eq!(
            key.open(b"row 1", &sealed[..5]).unwrap_err(),
            SealError::Truncated
        );
    }

    #[test]
    fn keys_of_two_purposes_do_not_open_each_other() {
        let vault = VaultKey::generate().unwrap();
        let sealed = vault.derive("spool").seal(b"", b"x").unwrap();
        assert_eq!(
            vault.derive("keys").open(b"", &sealed).unwrap_err(),
            SealError::Rejected
        );
        assert!(vault.derive("spool").open(b"", &sealed).is_ok());
    }

    #[test]
    fn chunks_cannot_be_swapped_or_cut_off() {
        let outer = VaultKey::generate().unwrap().derive("spool");
        let key = DataKey::generate().unwrap();
        let key = DataKey::unwrap(&outer, "q1", &key.wrap(&outer, "q1").unwrap()).unwrap();
        let first = key.seal_chunk("q1", 0, false, b"one").unwrap();
        assert!(key.open_chunk("q1", 0, false, &first).is_ok());
        assert!(key.open_chunk("q1", 1, false, &first).is_err());
        assert!(key.open_chunk("q1", 0, true, &first).is_err());
        assert!(key.open_chunk("q2", 0, false, &first).is_err());
    }
}

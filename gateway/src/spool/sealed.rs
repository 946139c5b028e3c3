//! Sealing of queue entries: which key, bound to which place, in which pieces.
//!
//! Each copy has a data key of its own, wrapped under the spool's key and bound to the copy's id. Under it lie the details,
//! the original headers and the content, each bound to the id and to what it is; the content in chunks of 64 KiB, bound to
//! their number and to which is the last. So nothing can be moved to another entry, reordered or cut off.

use bytes::Bytes;
use certstore::seal::{DataKey, OVERHEAD, SealError, SealingKey, VaultKey};

use super::{CopyId, Details, record};

/// Length of a content chunk before sealing, in bytes.
pub(super) const CHUNK: usize = 64 * 1024;
/// Length of a sealed chunk that is not the last, in bytes.
pub(super) const SEALED_CHUNK: usize = CHUNK + OVERHEAD;

const KEY_CHECK: &[u8] = b"postern spool key check";

/// The key above all data keys of the spool.
#[derive(Debug)]
pub(super) struct SpoolKey(SealingKey);

impl SpoolKey {
    pub(super) fn new(vault: &VaultKey) -> Self {
        Self(vault.derive("spool"))
    }

    /// A value that only this key opens, to tell a wrong key at start.
    pub(super) fn check_value(&self) -> Result<Vec<u8>, SealError> {
        self.0.seal(KEY_CHECK, KEY_CHECK)
    }

    pub(super) fn opens_check_value(&self, sealed: &[u8]) -> bool {
        self.0.open(KEY_CHECK, sealed).is_ok()
    }
}

/// The data key of one copy, together with the places that it seals for.
#[derive(Debug)]
pub(super) struct CopyKey {
    key: DataKey,
    id: String,
}

/// Why part of an entry does not open.
pub(super) type Damage = &'static str;

impl CopyKey {
    /// A new data key, and the same wrapped.
    pub(super) fn generate(spool: &SpoolKey, id: CopyId) -> Result<(Self, Vec<u8>), SealError> {
        let key = DataKey::generate()?;
        let id = id.to_string();
        let wrapped = key.wrap(&spool.0, &id)?;
        Ok((Self { key, id }, wrapped))
    }

    pub(super) fn unwrap(spool: &SpoolKey, id: &str, wrapped: &[u8]) -> Result<Self, Damage> {
        let key = DataKey::unwrap(&spool.0, id, wrapped)
            .map_err(|_| "its data key does not open under the vault key")?;
        Ok(Self {
            key,
            id: id.to_owned(),
        })
    }

    pub(super) fn seal_details(&self, details: &Details) -> Result<Vec<u8>, SealError> {
        self.seal_part("details", &record::encode(details))
    }

    pub(super) fn open_details(&self, sealed: &[u8]) -> Result<Details, Damage> {
        let place = format!("{} details", self.id);
        let plain = self
            .key
            .open_chunk(&place, 0, true, sealed)
            .map_err(|_| "its envelope was changed")?;
        record::decode(&plain).ok_or("its envelope cannot be read")
    }

    pub(super) fn seal_headers(&self, headers: &[u8]) -> Result<Vec<u8>, SealError> {
        self.seal_part("headers", headers)
    }

    pub(super) fn open_headers(&self, sealed: &[u8]) -> Result<Bytes, Damage> {
        let place = format!("{} headers", self.id);
        let plain = self
            .key
            .open_chunk(&place, 0, true, sealed)
            .map_err(|_| "its original headers were changed")?;
        Ok(Bytes::copy_from_slice(&plain))
    }

    /// The sealed chunks of a content, in order; there is at least one.
    pub(super) fn seal_content<'a>(
        &'a self,
        content: &'a [u8],
    ) -> impl Iterator<Item = Result<Vec<u8>, SealError>> + 'a {
        let count = chunk_count(content.len());
        (0..count).map(move |number| {
            let (_, rest) = content.split_at_checked(number * CHUNK).unwrap_or_default();
            let (chunk, _) = rest.split_at_checked(CHUNK).unwrap_or((rest, &[]));
            let index = u32::try_from(number).map_err(|_| SealError::Truncated)?;
            self.key
                .seal_chunk(&self.id, index, number + 1 == count, chunk)
        })
    }

    /// Opens chunk `number` of a content that has `count` of them, and appends it to `plain`.
    pub(super) fn open_chunk(
        &self,
        number: usize,
        count: usize,
        sealed: &[u8],
        plain: &mut Vec<u8>,
    ) -> Result<(), Damage> {
        let index = u32::try_from(number).map_err(|_| "its content has too many chunks")?;
        let opened = self
            .key
            .open_chunk(&self.id, index, number + 1 == count, sealed)
            .map_err(|_| "its content was changed or cut off")?;
        plain.extend_from_slice(&opened);
        Ok(())
    }

    fn seal_part(&self, part: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let place = format!("{} {part}", self.id);
        self.key.seal_chunk(&place, 0, true, plain)
    }
}

/// How many chunks a content of `length` bytes has.
pub(super) fn chunk_count(length: usize) -> usize {
    length.div_ceil(CHUNK).max(1)
}

/// Length of a content of `length` bytes once it is sealed; none if that is beyond all measure.
pub(super) fn sealed_length(length: usize) -> Option<usize> {
    chunk_count(length)
        .checked_mul(OVERHEAD)?
        .checked_add(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> CopyKey {
        let spool = SpoolKey::new(&VaultKey::generate().unwrap());
        let id: CopyId = "0123456789abcdef.1".parse().unwrap();
        CopyKey::generate(&spool, id).unwrap().0
    }

    #[test]
    fn contents_of_every_length_come_back() {
        let key = key();
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let content: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let chunks: Vec<_> = key.seal_content(&content).map(Result::unwrap).collect();
            assert_eq!(
                Some(chunks.iter().map(Vec::len).sum()),
                sealed_length(length)
            );
            let mut plain = Vec::new();
            for (number, chunk) in chunks.iter().enumerate() {
                key.open_chunk(number, chunks.len(), chunk, &mut plain)
                    .unwrap();
            }
            assert_eq!(plain, content, "{length}");
        }
    }

    #[test]
    fn one_part_is_never_taken_for_another() {
        let key = key();
        let headers = key.seal_headers(b"{}").unwrap();
        assert!(key.open_headers(&headers).is_ok());
        assert!(key.open_details(&headers).is_err());
        assert!(key.open_chunk(0, 1, &headers, &mut Vec::new()).is_err());
    }
}

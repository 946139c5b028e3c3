//! The whole store in one sealed file: a backup, and the way from SQLite to PostgreSQL and back.
//!
//! The file is sealed under the vault key, or under a passphrase. Private keys in it are sealed under the vault key in
//! either case: whoever imports it needs that key, too, so that a passphrase alone opens no mail.

use std::io::{self, Read, Write};
use std::num::NonZeroU32;

use aws_lc_rs::{pbkdf2, rand};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::database::{Database, TransferError};
use crate::seal::{DataKey, KEY_LENGTH, OVERHEAD, SealError, SealingKey, VaultKey};

/// Begins the file; the digit is its version.
const MAGIC: &[u8; 16] = b"postern store 1\n";
/// Associated data of all that is sealed in it.
const PURPOSE: &str = "store archive";
/// PBKDF2-HMAC-SHA256 as OWASP advises.
const ITERATIONS: u32 = 600_000;
const SALT_LENGTH: usize = 32;
/// Bytes that are sealed together.
const CHUNK: usize = 1 << 20;
/// A data key, sealed.
const WRAPPED: usize = KEY_LENGTH + OVERHEAD;

/// What a file is sealed under.
#[derive(Debug, Clone, Copy)]
pub enum ArchiveKey<'a> {
    /// The vault key.
    Vault,
    /// A passphrase.
    Passphrase(&'a str),
}

/// Why a store could not be exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The database, or the rows.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The file cannot be written or read.
    #[error("{0}")]
    File(#[from] io::Error),
    /// Sealing.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It is no such file.
    #[error("this is no exported store, or one of a newer version")]
    NoArchive,
    /// The passphrase or the vault key is another one, or the file was changed.
    #[error("the file does not open: another {0}, or the file is damaged")]
    Closed(&'static str),
    /// The private keys in it belong to another vault key.
    #[error("its private keys are sealed under another vault key: copy that vault.key here first")]
    OtherVaultKey,
}

/// The first line within.
#[derive(Debug, Serialize, Deserialize)]
struct Preface {
    /// A hash that only the holder of the vault key can make.
    vault: String,
}

/// Writes all of `database` to `file`. Returns how many rows.
///
/// # Errors
/// [`ArchiveError`].
pub async fn export(
    database: &Database,
    vault_key: &VaultKey,
    under: ArchiveKey<'_>,
    mut file: impl Write,
) -> Result<u64, ArchiveError> {
    let mut salt = [0; SALT_LENGTH];
    rand::fill(&mut salt).map_err(|_| SealError::NoRandomness)?;
    let outer = outer_key(under, vault_key, &salt);
    let key = DataKey::generate()?;
    file.write_all(MAGIC)?;
    file.write_all(&[kind(under)])?;
    file.write_all(&salt)?;
    file.write_all(&key.wrap(&outer, PURPOSE)?)?;
    let mut sealing = Sealing {
        file,
        key,
        chunk: Zeroizing::new(Vec::with_capacity(CHUNK)),
        number: 0,
    };
    let preface = Preface {
        vault: vault_mark(vault_key),
    };
    sealing.line(&serde_json::to_string(&preface).map_err(io::Error::from)?)?;
    let count = database.write_out(|line| sealing.line(line)).await?;
    sealing.end()?;
    Ok(count)
}

/// Reads what [`export`] wrote into an empty `database`, all or nothing. Returns how many rows.
///
/// # Errors
/// [`ArchiveError`].
pub async fn import(
    database: &Database,
    vault_key: &VaultKey,
    passphrase: &str,
    mut file: impl Read,
) -> Result<u64, ArchiveError> {
    let mut head = [0; MAGIC.len() + 1 + SALT_LENGTH + WRAPPED];
    file.read_exact(&mut head)
        .map_err(|_| ArchiveError::NoArchive)?;
    let (magic, rest) = head.split_at(MAGIC.len());
    let (kind, rest) = rest.split_at(1);
    let (salt, wrapped) = rest.split_at(SALT_LENGTH);
    let under = match kind {
        [0] => ArchiveKey::Vault,
        [1] => ArchiveKey::Passphrase(passphrase),
        _ => return Err(ArchiveError::NoArchive),
    };
    if magic != MAGIC {
        return Err(ArchiveError::NoArchive);
    }
    let outer = outer_key(under, vault_key, salt);
    let key = DataKey::unwrap(&outer, PURPOSE, wrapped).map_err(|_| closed(under))?;
    let mut lines = Opening {
        file,
        key,
        text: Zeroizing::default(),
        position: 0,
        number: 0,
        is_last: false,
    };
    let preface = lines.next().transpose()?.unwrap_or_default();
    let preface: Preface = serde_json::from_str(&preface).map_err(|_| ArchiveError::NoArchive)?;
    if preface.vault != vault_mark(vault_key) {
        return Err(ArchiveError::OtherVaultKey);
    }
    Ok(database.read_in(lines).await?)
}

const fn kind(under: ArchiveKey<'_>) -> u8 {
    match under {
        ArchiveKey::Vault => 0,
        ArchiveKey::Passphrase(_) => 1,
    }
}

const fn closed(under: ArchiveKey<'_>) -> ArchiveError {
    ArchiveError::Closed(match under {
        ArchiveKey::Vault => "vault key",
        ArchiveKey::Passphrase(_) => "passphrase",
    })
}

fn outer_key(under: ArchiveKey<'_>, vault_key: &VaultKey, salt: &[u8]) -> SealingKey {
    match under {
        ArchiveKey::Vault => vault_key.derive(PURPOSE),
        ArchiveKey::Passphrase(passphrase) => {
            let mut key = Zeroizing::new([0; KEY_LENGTH]);
            pbkdf2::derive(
                pbkdf2::PBKDF2_HMAC_SHA256,
                NonZeroU32::new(ITERATIONS).unwrap_or(NonZeroU32::MIN),
                salt,
                passphrase.as_bytes(),
                &mut key[..],
            );
            VaultKey::new(key).derive(PURPOSE)
        }
    }
}

fn vault_mark(vault_key: &VaultKey) -> String {
    let hash = vault_key.derive(PURPOSE).keyed_hash(b"vault");
    encodify::base64::STANDARD.encode(hash)
}

/// Lines that become sealed chunks, each behind its length; the last one is marked.
struct Sealing<W> {
    file: W,
    key: DataKey,
    chunk: Zeroizing<Vec<u8>>,
    number: u32,
}

impl<W: Write> Sealing<W> {
    fn line(&mut self, line: &str) -> io::Result<()> {
        self.chunk.extend_from_slice(line.as_bytes());
        self.chunk.push(b'\n');
        match self.chunk.len() < CHUNK {
            true => Ok(()),
            false => self.write(false),
        }
    }

    fn end(mut self) -> io::Result<()> {
        self.write(true)?;
        self.file.flush()
    }

    fn write(&mut self, is_last: bool) -> io::Result<()> {
        let sealed = self
            .key
            .seal_chunk(PURPOSE, self.number, is_last, &self.chunk);
        let sealed = sealed.map_err(io::Error::other)?;
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        self.file.write_all(&[u8::from(is_last)])?;
        self.file.write_all(&length.to_be_bytes())?;
        self.file.write_all(&sealed)?;
        self.number = self
            .number
            .checked_add(1)
            .ok_or_else(|| io::Error::other("too large"))?;
        self.chunk.clear();
        Ok(())
    }
}

/// The lines of sealed chunks. A line is never split between two.
struct Opening<R> {
    file: R,
    key: DataKey,
    text: Zeroizing<Vec<u8>>,
    position: usize,
    number: u32,
    is_last: bool,
}

impl<R: Read> Opening<R> {
    fn read_chunk(&mut self) -> io::Result<()> {
        let mut head = [0; 5];
        self.file.read_exact(&mut head)?;
        let [is_last, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
        // One line goes beyond a chunk's size; a certificate has 64 KiB at most, a CRL a few MiB.
        if length > 64 * CHUNK {
            return Err(io::Error::other(
                "the file is damaged: a chunk is too large",
            ));
        }
        let mut sealed = vec![0; length];
        self.file.read_exact(&mut sealed)?;
        self.is_last = is_last == 1;
        let opened = self
            .key
            .open_chunk(PURPOSE, self.number, self.is_last, &sealed);
        self.text =
            opened.map_err(|_| io::Error::other("the file is damaged: a chunk was changed"))?;
        self.position = 0;
        self.number = self.number.saturating_add(1);
        Ok(())
    }
}

impl<R: Read> Iterator for Opening<R> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<io::Result<String>> {
        while self.position >= self.text.len() {
            if self.is_last {
                return None;
            }
            if let Err(error) = self.read_chunk() {
                self.is_last = true;
                self.text = Zeroizing::default();
                return Some(Err(error));
            }
        }
        let rest = self.text.get(self.position..)?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).map(|line| String::from_utf8(line.to_vec()));
        self.position += end + 1;
        Some(line?.map_err(io::Error::other))
    }
}

#[cfg(test)]
mod tests;

//! The vault: the one room that private keys live in.
//!
//! Keys rest sealed in the database, each bound to its owner and certificate; here they are opened, and kept open for a
//! while. Others get a signer or decryptors, never a key; only the functions named `export` let one out, for its owner.
//! Nothing is ever overwritten: a user's old keys stay, so that old mail stays readable.

mod authority;
mod curve25519;
mod export;
mod follow;
mod import;
mod key_file;
mod key_rejection;
mod keyring;
mod ml_dsa;
mod ml_kem;
mod new_key;
mod pkcs12;
mod private_key_form;
mod software_key;
mod vault_key;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use policy::address::Address;

use crate::certificate::Fingerprint;
use crate::clock::Clock;
use crate::cms::{Decryptor, Signer};
use crate::database::{Database, DatabaseError, KeyEntry, KeyState};
use crate::lookup::Invalidations;
use crate::seal::{SealError, SealingKey, VaultKey};
use keyring::Keyring;

pub use export::ExportError;
pub use follow::apply_changes;
pub use import::{ImportError, ImportOptions, ImportedKey};
pub use key_file::{KeyFileError, MAX_KEY_FILE_SIZE};
pub use key_rejection::KeyRejection;
pub(crate) use new_key::GeneratedKey;
pub use new_key::KeyAlgorithm;
pub use vault_key::open_vault_key;

/// Owners whose keys are kept open at once.
const OPEN_KEYRINGS: u64 = 10_000;
/// How long keys stay open; also how long it takes at most until an expired encryption certificate is replaced.
const KEYRING_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Why the vault did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Something could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The file of the vault key is gone, but there is something sealed under that key.
    #[error(
        "the vault key {} is gone, but keys are sealed under it: restore the file from a backup", .0.display()
    )]
    KeyLost(PathBuf),
    /// The file of the vault key holds another key than the one that things are sealed under.
    #[error(
        "the vault key {} is not the one that this database was sealed with: put the right file there", .0.display()
    )]
    WrongKey(PathBuf),
    /// The file of the vault key may be read by others.
    #[error("the vault key {} can be read by others (mode {mode:o}): run chmod 600 on it", path.display())]
    KeyExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file of the vault key cannot be read or made.
    #[error("the vault key {}: {reason}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        reason: String,
    },
    /// A key opens, but is none that can be used.
    #[error("the key of certificate {certificate}, owned by {owner}, cannot be used: {reason}")]
    DamagedKey {
        /// The canonical address that owns it.
        owner: String,
        /// Its certificate.
        certificate: Fingerprint,
        /// What was wrong.
        reason: KeyRejection,
    },
    /// A task was stopped before it was done, since the program ends.
    #[error("the program ends")]
    Stopping,
}

/// The vault, open. Cheap to clone; all clones share the keys that are open.
#[derive(Debug, Clone)]
pub struct Vault {
    database: Database,
    sealing_key: Arc<SealingKey>,
    clock: Arc<dyn Clock>,
    keyrings: Cache<String, Arc<Keyring>>,
    invalidations: Arc<Invalidations>,
}

impl Vault {
    /// Opens the vault whose keys rest in `database`, under `key`.
    #[must_use]
    pub fn open(database: Database, key: &VaultKey, clock: Arc<dyn Clock>) -> Self {
        let keyrings = Cache::builder()
            .max_capacity(OPEN_KEYRINGS)
            .time_to_live(KEYRING_LIFETIME)
            .build();
        Self {
            database,
            sealing_key: Arc::new(key.derive("private keys")),
            clock,
            keyrings,
            invalidations: Arc::default(),
        }
    }

    /// Who signs for `address` now: the newest of its active keys whose certificate is valid, is for signing and names
    /// the address. None is an answer: the address has no such key.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn signer_for(
        &self,
        address: &Address,
    ) -> Result<Option<Arc<dyn Signer>>, VaultError> {
        let now = self.clock.now();
        Ok(self.keyring(address).await?.signer_at(now))
    }

    /// Who decrypts for `owner`: all keys that it ever had, those with the newest certificates first, but for the
    /// withdrawn ones and those that can only sign.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn decryptors_for(
        &self,
        owner: &Address,
    ) -> Result<Vec<Arc<dyn Decryptor>>, VaultError> {
        Ok(self.keyring(owner).await?.decryptors())
    }

    /// What is known of the keys of one owner, or of all.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn keys(&self, owner: Option<&Address>) -> Result<Vec<KeyEntry>, VaultError> {
        Ok(self.database.key_entries(owner).await?)
    }

    /// Retires, withdraws or revives the key with this number. False if there is none.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn set_key_state(&self, id: i64, state: KeyState) -> Result<bool, VaultError> {
        let found = self
            .database
            .set_key_state(id, state, self.clock.now())
            .await?;
        self.invalidate_all();
        Ok(found)
    }

    /// Forgets the open keys of `owner`; they are read again when they are needed.
    pub async fn invalidate(&self, owner: &str) {
        self.invalidations.count_one();
        self.keyrings.invalidate(owner).await;
    }

    /// Forgets all open keys.
    pub fn invalidate_all(&self) {
        self.invalidations.count_one();
        self.keyrings.invalidate_all();
    }

    async fn keyring(&self, owner: &Address) -> Result<Arc<Keyring>, VaultError> {
        // The usual case, without a copy of the address.
        if let Some(keyring) = self.keyrings.get(owner.canonical()).await {
            return Ok(keyring);
        }
        let count = self.invalidations.count();
        let opened = self
            .keyrings
            .try_get_with(owner.canonical().to_owned(), async {
                self.open_keyring(owner).await.map(Arc::new)
            })
            .await;
        if self.invalidations.came_since(count) {
            self.keyrings.invalidate(owner.canonical()).await;
        }
        opened.map_err(|error: Arc<VaultError>| VaultError::clone(&error))
    }
}

/// What a sealed key is bound to: it cannot be moved to another owner or certificate.
fn place_of_key(owner: &str, certificate: &Fingerprint) -> Vec<u8> {
    let mut place = Vec::with_capacity(owner.len() + 33);
    place.extend_from_slice(certificate.as_bytes());
    place.push(0);
    place.extend_from_slice(owner.as_bytes());
    place
}

#[cfg(test)]
mod tests;

//! Certificates and keys of a data folder, opened: for a gateway that runs and for commands alike.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use certstore::certificate::CertificateError;
use certstore::clock::Clock;
use certstore::database::{ChangeFeed, Database, DatabaseError};
use certstore::fetch::Fetcher;
use certstore::lookup::Lookup;
use certstore::seal::VaultKey;
use certstore::source::{Source, StoredCertificates};
use certstore::trust::Gatherer;
use certstore::vault::{Vault, VaultError, open_vault_key};

use super::directories::{self, DirectoryError};
use super::trust_files;
use crate::config::{Config, DatabaseConfig, TrustConfig};

/// The database's name in the data folder.
const DATABASE: &str = "certstore.db";

/// Certificates and keys.
#[derive(Debug)]
pub struct Store {
    /// The tables.
    pub database: Database,
    /// The key above all keys.
    pub vault_key: VaultKey,
    /// Private keys.
    pub vault: Arc<Vault>,
    /// Certificates.
    pub lookup: Arc<Lookup>,
}

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder is not there and cannot be made.
    #[error("data-dir {} cannot be made: {error}", .path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A file with anchors cannot be read.
    #[error("anchors in {} cannot be read: {error}", .path.display())]
    AnchorFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Nothing can be fetched: the system gives no TLS.
    #[error("CRLs and OCSP answers cannot be fetched: {0}")]
    NoFetching(String),
    /// A file with a CRL cannot be read.
    #[error("the CRL in {} cannot be used: {reason}", .path.display())]
    CrlFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A certificate in a file with anchors is broken.
    #[error("a certificate in {} cannot be trusted: {error}", .path.display())]
    Anchor {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: CertificateError,
    },
}

impl Store {
    /// Opens the store of a data folder, making both if they are missing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        make_private_folder(&config.data_dir)?;
        let database = match &config.database {
            DatabaseConfig::Embedded => Database::open(&config.data_dir.join(DATABASE)).await?,
            DatabaseConfig::Server(url) => Database::connect(url).await?,
        };
        let vault_key = open_vault_key(&config.vault_key_file, &database).await?;
        let vault = Arc::new(Vault::open(
            database.clone(),
            &vault_key,
            Arc::clone(&clock),
        ));
        let mut sources: Vec<Box<dyn Source>> =
            vec![Box::new(StoredCertificates::local(database.clone()))];
        if config.harvest.is_on {
            sources.push(Box::new(StoredCertificates::harvested(database.clone())));
        }
        sources.extend(directories::open(&config.directories)?);
        let trust = trust_files::settings(&config.trust)?;
        let crls = trust_files::crls(&config.trust)?;
        let lookup = Lookup::open(
            database.clone(),
            sources,
            trust,
            Arc::clone(&clock),
            config.cache,
        );
        let mut lookup = lookup.await?;
        lookup.evidence().set_files(crls);
        lookup.set_gatherer(gatherer(&config.trust, &lookup, &database, clock).await?);
        Ok(Self {
            database,
            vault_key,
            vault,
            lookup: Arc::new(lookup),
        })
    }

    /// What is written into the store from now on.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn changes(&self) -> Result<ChangeFeed, StoreError> {
        Ok(self.database.changes().await?)
    }
}

async fn gatherer(
    trust: &TrustConfig,
    lookup: &Lookup,
    database: &Database,
    clock: Arc<dyn Clock>,
) -> Result<Gatherer, StoreError> {
    let fetcher = Fetcher::new(trust.fetch_private.clone()).map_err(StoreError::NoFetching)?;
    let gatherer = Gatherer::open(
        lookup.evidence(),
        fetcher,
        database.clone(),
        clock,
        trust.ocsp_nonce,
    );
    Ok(gatherer.await?)
}

fn make_private_folder(path: &std::path::Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|error| StoreError::DataDir {
        path: path.to_owned(),
        error,
    })
}

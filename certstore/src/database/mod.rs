//! The database of certificates and keys: an SQLite file or a PostgreSQL server, its tables and the typed questions that
//! are put to them.
//!
//! Questions are written once and put to both. Every write appends to the table of changes in the same transaction, so
//! that running gateways notice it. What is secret comes in sealed and goes out sealed; this module has no key.

mod anchors;
mod asked;
mod authorities;
mod capabilities;
mod certificates;
mod changes;
mod distrusted;
mod engine;
mod harvested;
mod keys;
mod revocation_lists;
mod transfer;
mod vault_check;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::{Any, AnyPool};

use engine::Engine;

pub use anchors::StoredAnchor;
pub use authorities::StoredAuthority;
pub use capabilities::StoredCapabilities;
pub use certificates::{CertificateSource, StoredCertificate};
pub use changes::{Change, ChangeFeed, ChangeKind};
pub use harvested::{Acceptance, Harvest, HarvestOutcome, Sighting};
pub use keys::{KeyEntry, KeyOrigin, KeyPurpose, KeyState, NewKey, StoredKey};
pub use revocation_lists::StoredRevocationList;
pub use transfer::TransferError;

/// Why the database did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// The file cannot be opened or created, or the server lets nobody in.
    #[error("cannot open the database {path}: {reason}")]
    Open {
        /// The file, or the server and its database without user and password.
        path: String,
        /// What the system or the database said.
        reason: String,
    },
    /// A newer version of the program has changed the tables, or a change to them failed.
    #[error("cannot bring the tables of the database up to date: {0}")]
    Migration(String),
    /// A question was not answered: the disk is full, the file is locked or damaged, the server is down. Try again later.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// A row holds something that was never written there by this program.
    #[error("the database is damaged, restore it from a backup: {0}")]
    Damaged(String),
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The database, open. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    engine: Engine,
}

type Transaction = sqlx::Transaction<'static, Any>;

impl Database {
    /// Opens the SQLite file at `path`, creates it (mode 0600) where there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// [`DatabaseError::Open`] or [`DatabaseError::Migration`].
    pub async fn open(path: &Path) -> Result<Self, DatabaseError> {
        Self::ready(engine::open_file(path).await?, Engine::Sqlite).await
    }

    /// Connects to a PostgreSQL server, `postgres://USER:PASSWORD@HOST/DATABASE`, and brings the tables up to date. The
    /// database itself must be there.
    ///
    /// # Errors
    /// [`DatabaseError::Open`] or [`DatabaseError::Migration`].
    pub async fn connect(url: &str) -> Result<Self, DatabaseError> {
        let engine = Engine::Postgres { url: url.into() };
        Self::ready(engine::connect(url).await?, engine).await
    }

    async fn ready(pool: AnyPool, engine: Engine) -> Result<Self, DatabaseError> {
        engine.migrate(&pool).await?;
        Ok(Self { pool, engine })
    }

    /// Closes all connections; SQLite then folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins to write, as the only writer: SQLite knows one alone, and on PostgreSQL changes are numbered in the order in
    /// which they become visible. The lock is taken at once: a transaction that reads first and wants to write later could
    /// be refused without waiting for the other writer.
    async fn begin(&self) -> Result<Transaction, DatabaseError> {
        self.engine.begin(&self.pool).await
    }
}

/// Seconds since 1970; what lies before counts as its beginning.
fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

fn time(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests;

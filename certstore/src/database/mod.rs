//! The database of certificates and keys: an SQLite file, its tables and the typed questions that are put to them.
//!
//! Every write appends to the table of changes in the same transaction, so that running gateways notice it. What is
//! secret comes in sealed and goes out sealed; this module has no key.

mod anchors;
mod authorities;
mod capabilities;
mod certificates;
mod changes;
mod distrusted;
mod keys;
mod revocation_lists;
mod vault_check;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool};

pub use anchors::StoredAnchor;
pub use authorities::StoredAuthority;
pub use capabilities::StoredCapabilities;
pub use certificates::{CertificateSource, StoredCertificate};
pub use changes::{Change, ChangeFeed, ChangeKind};
pub use keys::{KeyEntry, KeyOrigin, KeyPurpose, KeyState, NewKey, StoredKey};
pub use revocation_lists::StoredRevocationList;

static MIGRATIONS: Migrator = sqlx::migrate!("src/database/migrations");

/// Readers do not wait for each other or for the writer; more connections than this gain nothing on SQLite.
const CONNECTIONS: u32 = 8;
/// How long a writer waits for another one, in this process or beside it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the database did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// The file cannot be opened or created.
    #[error("cannot open the database {path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// What the system or SQLite said.
        reason: String,
    },
    /// A newer version of the program has changed the tables, or a change to them failed.
    #[error("cannot bring the tables of the database up to date: {0}")]
    Migration(String),
    /// A question was not answered: the disk is full, the file is locked or damaged. Try again later.
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
    pool: SqlitePool,
}

type Transaction = sqlx::Transaction<'static, Sqlite>;

impl Database {
    /// Opens the file at `path`, creates it (mode 0600) where there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// [`DatabaseError::Open`] or [`DatabaseError::Migration`].
    pub async fn open(path: &Path) -> Result<Self, DatabaseError> {
        let open_error = |reason: String| DatabaseError::Open {
            path: path.display().to_string(),
            reason,
        };
        create_private_file(path).map_err(|error| open_error(error.to_string()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect_with(options)
            .await
            .map_err(|error| open_error(error.to_string()))?;
        MIGRATIONS
            .run(&pool)
            .await
            .map_err(|error| DatabaseError::Migration(error.to_string()))?;
        Ok(Self { pool })
    }

    /// Closes all connections, so that the write-ahead log is folded into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins to write. The lock is taken at once: a transaction that reads first and wants to write later could be
    /// refused without waiting for the other writer.
    async fn begin(&self) -> Result<Transaction, DatabaseError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// SQLite gives its journal files the mode of the database, so that one is made before SQLite makes it.
fn create_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options.open(path).map(drop)
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

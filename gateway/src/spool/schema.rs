//! The database file: how it is opened, what its tables are, whose key it belongs to.
//!
//! In clear are ids, times, states, sizes and counts; everything else is sealed.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::SpoolError;
use super::sealed::SpoolKey;

/// Name of the database file in the data folder.
pub(super) const FILE_NAME: &str = "spool.db";

/// `copy.state` of an entry that is to be delivered.
pub(super) const QUEUED: i64 = 0;
/// `copy.state` of an entry that was set aside as damaged.
pub(super) const SET_ASIDE: i64 = 1;

const FORMAT: i64 = 1;
const TABLES: &str = "
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE copy (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state INTEGER NOT NULL,    -- 0 queued, 1 set aside
    stored INTEGER NOT NULL,   -- milliseconds since 1970
    due INTEGER NOT NULL,      -- the same; 0: at once, by an operator's order
    attempts INTEGER NOT NULL,
    pending INTEGER NOT NULL,  -- recipients without a final result
    size INTEGER NOT NULL,     -- bytes of content
    key BLOB NOT NULL,
    details BLOB NOT NULL
);
CREATE INDEX copy_due ON copy (due) WHERE state = 0;
-- Apart from the copy, so that a new attempt does not write the content anew.
CREATE TABLE content (
    number INTEGER PRIMARY KEY,
    headers BLOB NOT NULL,
    body BLOB                  -- none: in a file of its own
);
";

/// Opens the database in `data_dir`, making both if they are missing.
pub(super) fn open(data_dir: &Path, key: &SpoolKey) -> Result<Connection, SpoolError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)?;
    let path = data_dir.join(FILE_NAME);
    // Made here, not by SQLite, for its mode; the files beside it take theirs from it.
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)?;
    prepare(&path, key).map_err(|error| {
        if let SpoolError::Damaged { reason, .. } = error {
            SpoolError::Damaged { path, reason }
        } else {
            error
        }
    })
}

fn prepare(path: &Path, key: &SpoolKey) -> Result<Connection, SpoolError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // In WAL mode: an fsync at each commit.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // 16 MiB of log before it is moved over: most mail is gone again by then and costs nothing there.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.pragma_update(None, "cache_size", -16_384)?;

    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let format: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match format {
        0 => {
            transaction.execute_batch(TABLES)?;
            transaction.execute(
                "INSERT INTO meta VALUES ('key check', ?1)",
                [key.check_value()?],
            )?;
            transaction.pragma_update(None, "user_version", FORMAT)?;
        }
        FORMAT => check_key(&transaction, key)?,
        newer => return Err(SpoolError::Format(newer)),
    }
    transaction.commit()?;
    Ok(connection)
}

fn check_key(connection: &Connection, key: &SpoolKey) -> Result<(), SpoolError> {
    let sealed: Option<Vec<u8>> = connection
        .query_row(
            "SELECT value FROM meta WHERE name = 'key check'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    match sealed {
        Some(sealed) if key.opens_check_value(&sealed) => Ok(()),
        _ => Err(SpoolError::WrongKey),
    }
}

/// A time as the database keeps it.
pub(super) fn milliseconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// A time from the database.
pub(super) fn time(milliseconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}

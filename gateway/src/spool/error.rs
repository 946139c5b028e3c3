//! Why the spool cannot do something, by whose fault it is.

use std::io::{Error as IoError, ErrorKind};
use std::path::PathBuf;

use certstore::seal::SealError;
use rusqlite::ErrorCode;

use super::CopyId;

/// Why the spool cannot do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpoolError {
    /// Another gateway uses the same data folder.
    #[error("{} is locked: another gateway runs on this data-dir; stop it, or give this one a data-dir of its own", .0.display())]
    Locked(PathBuf),
    /// The spool was sealed under another vault key.
    #[error(
        "the spool was sealed under another vault key; restore the key file that belongs to this data-dir"
    )]
    WrongKey,
    /// The database file is damaged or no spool at all.
    #[error("{} is damaged or not a spool: {reason}; move it away to start with an empty queue", .path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// A newer version of the program wrote the spool.
    #[error(
        "the spool has format {0}, which this version does not know; run the version that wrote it"
    )]
    Format(i64),
    /// The disk is full (452 4.3.1 to clients).
    #[error("the disk that holds the spool is full: {0}")]
    Full(String),
    /// The disk or the database does not work now (451 4.3.0 to clients).
    #[error("the spool cannot be used now: {0}")]
    Unavailable(String),
    /// This entry does not open; it was set aside.
    #[error("queue entry {id} is damaged: {reason}")]
    Corrupt {
        /// The entry.
        id: CopyId,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The entry is no longer there: it was settled, or an operator dropped it.
    #[error("queue entry {0} is gone")]
    Gone(CopyId),
}

impl From<rusqlite::Error> for SpoolError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(error.to_string()),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged {
                path: PathBuf::from(super::schema::FILE_NAME),
                reason: error.to_string(),
            },
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<IoError> for SpoolError {
    fn from(error: IoError) -> Self {
        let full = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded];
        if full.contains(&error.kind()) {
            Self::Full(error.to_string())
        } else {
            Self::Unavailable(error.to_string())
        }
    }
}

impl From<SealError> for SpoolError {
    fn from(error: SealError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        for (code, full) in [
            (ffi::SQLITE_FULL, true),
            (ffi::SQLITE_IOERR, false),
            (ffi::SQLITE_READONLY, false),
            (ffi::SQLITE_BUSY, false),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(
                matches!(SpoolError::from(error), SpoolError::Full(_)),
                full,
                "{code}"
            );
        }
        for (kind, full) in [
            (ErrorKind::StorageFull, true),
            (ErrorKind::QuotaExceeded, true),
            (ErrorKind::ReadOnlyFilesystem, false),
        ] {
            let error = SpoolError::from(IoError::from(kind));
            assert_eq!(matches!(error, SpoolError::Full(_)), full, "{kind}");
        }
    }
}

//! The queue as an operator handles it, from any process: a gateway may run meanwhile or not.
//!
//! A running gateway sees what was ordered here when it next looks for what is due, within a quarter of a second. What it
//! is delivering at this moment it finishes.

use std::path::Path;
use std::str::FromStr;

use certstore::seal::VaultKey;
use rusqlite::{Connection, TransactionBehavior};

use super::content::ContentFiles;
use super::sealed::SpoolKey;
use super::{CopyId, Listed, SpoolError, reader, schema};
use crate::observe::{QueueId, QueueIdError};

/// The queue in a data folder, for looking and for orders.
#[derive(Debug)]
pub struct Queue {
    connection: Connection,
    key: SpoolKey,
    files: ContentFiles,
}

/// Which entries an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Every entry.
    All,
    /// All copies of a message.
    Message(QueueId),
    /// One copy.
    Copy(CopyId),
}

impl FromStr for Which {
    type Err = QueueIdError;

    /// Reads the id of a message or of a copy.
    fn from_str(text: &str) -> Result<Self, QueueIdError> {
        if text.contains('.') {
            text.parse().map(Self::Copy)
        } else {
            text.parse().map(Self::Message)
        }
    }
}

impl Queue {
    /// Opens the queue in `data_dir`, whether a gateway uses it or not.
    ///
    /// # Errors
    /// [`SpoolError::WrongKey`], [`SpoolError::Damaged`], [`SpoolError::Format`], or what the disk says.
    pub fn open(data_dir: &Path, key: &VaultKey) -> Result<Self, SpoolError> {
        let key = SpoolKey::new(key);
        let connection = schema::open(data_dir, &key)?;
        let files = ContentFiles::open(data_dir)?;
        Ok(Self {
            connection,
            key,
            files,
        })
    }

    /// The entries, the oldest first; the damaged ones too.
    ///
    /// # Errors
    /// What the database says.
    pub fn list(&self, which: Which) -> Result<Vec<Listed>, SpoolError> {
        reader::list(&self.connection, &self.key, &which.range())
    }

    /// Orders entries to be tried at once, whatever back-off says. Returns how many.
    ///
    /// # Errors
    /// What the database says.
    pub fn retry(&self, which: Which) -> Result<usize, SpoolError> {
        let range = which.range();
        Ok(self.connection.execute(
            "UPDATE copy SET due = 0 WHERE state = 0 AND id >= ?1 AND id < ?2",
            [range.0, range.1],
        )?)
    }

    /// Takes entries out of the queue; nobody is told. Returns their ids.
    ///
    /// # Errors
    /// What the database says; nothing was taken out then.
    pub fn drop(&mut self, which: Which) -> Result<Vec<String>, SpoolError> {
        let range = which.range();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "DELETE FROM content WHERE number IN (SELECT number FROM copy WHERE id >= ?1 AND id < ?2)",
            [&range.0, &range.1],
        )?;
        let ids = transaction
            .prepare("DELETE FROM copy WHERE id >= ?1 AND id < ?2 RETURNING id")?
            .query_map([&range.0, &range.1], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?;
        transaction.commit()?;
        // Only now: a file without a row is swept some day, a row without its file would be damaged.
        for id in &ids {
            if id.parse::<CopyId>().is_ok() {
                self.files.remove(id);
            }
        }
        Ok(ids)
    }
}

impl Which {
    /// The ids meant, as text: from the first to before the second. `!` sorts before all that ids are made of, `/`
    /// follows on the point.
    fn range(self) -> (String, String) {
        match self {
            Self::All => (String::new(), "~".to_owned()),
            Self::Message(id) => (format!("{id}."), format!("{id}/")),
            Self::Copy(id) => (id.to_string(), format!("{id}!")),
        }
    }
}

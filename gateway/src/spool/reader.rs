//! What is read from the tables: due entries, contents, and the list for operators.
//!
//! A damaged entry is a value here, never an error that stops the rest.

#[expect(
    clippy::disallowed_types,
    reason = "a connection serves one reader at a time; locked on blocking threads alone"
)]
use std::sync::Mutex;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::content::{ContentFiles, ReadError, SealedFile};
use super::held::Held;
use super::schema::{self, QUEUED};
use super::sealed::{CopyKey, Damage, SpoolKey, sealed_length};
use super::{CopyId, Details, Entry, Listed, SpoolError};

#[derive(Debug)]
pub(super) struct Reader {
    #[expect(clippy::disallowed_types, reason = "see the import")]
    connection: Mutex<Connection>,
    key: Arc<SpoolKey>,
    files: ContentFiles,
}

/// A content that was found.
#[derive(Debug)]
pub(super) enum Body {
    Whole(Bytes),
    /// And the number of its row.
    File(Box<SealedFile>, i64),
}

/// An entry that does not open.
#[derive(Debug)]
pub(super) struct Damaged {
    pub(super) number: i64,
    pub(super) id: String,
    pub(super) reason: Damage,
}

/// Why a part of an entry was not read.
#[derive(Debug)]
pub(super) enum PartError {
    Damaged(Damaged),
    Other(SpoolError),
}

/// The part of an entry's row that is in clear, and what is sealed of it.
struct CopyRow {
    number: i64,
    id: String,
    state: i64,
    stored: i64,
    due: i64,
    attempts: u32,
    size: u64,
    key: Vec<u8>,
    details: Vec<u8>,
}

/// A part of an entry, sealed, and what it takes to open it.
struct PartRow {
    number: i64,
    size: u64,
    key: Vec<u8>,
    /// None: it lies in a file.
    part: Option<Vec<u8>>,
}

/// The columns that [`CopyRow`] is read from.
const COLUMNS: &str = "number, id, state, stored, due, attempts, size, key, details";

impl Reader {
    #[expect(clippy::disallowed_types, reason = "see the import")]
    pub(super) fn new(connection: Connection, key: Arc<SpoolKey>, files: ContentFiles) -> Self {
        Self {
            connection: Mutex::new(connection),
            key,
            files,
        }
    }

    /// Up to `limit` entries that are due and that nobody works on, the longest due first; and the damaged ones among them.
    pub(super) fn due(
        &self,
        held: &Arc<Held>,
        now: SystemTime,
        limit: usize,
    ) -> Result<(Vec<Entry>, Vec<Damaged>), SpoolError> {
        let connection = self.connection();
        held.scan(|| scan_due(&connection, &self.key, held, now, limit))
    }

    /// How many entries are queued; the index of due ones has no others.
    pub(super) fn waiting(&self) -> Result<u64, SpoolError> {
        let connection = self.connection();
        let question = "SELECT COUNT(*) FROM copy WHERE state = 0";
        let count: i64 = connection
            .prepare_cached(question)?
            .query_row([], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Where a content lies: opened if that is a row, ready to be read if it is a file.
    pub(super) fn content(&self, id: CopyId) -> Result<Body, PartError> {
        let row = self.part(id, "body")?;
        let number = row.number;
        let opened = CopyKey::unwrap(&self.key, &id.to_string(), &row.key)
            .map_err(ReadError::Damaged)
            .and_then(|key| self.open_content(id, key, row));
        opened.map_err(|error| self.blame(error, number, id))
    }

    /// The next piece of a content in a file; none at its end.
    pub(super) fn read_on(
        &self,
        file: &mut SealedFile,
        number: i64,
        id: CopyId,
    ) -> Result<Option<Bytes>, PartError> {
        file.read().map_err(|error| self.blame(error, number, id))
    }

    fn blame(&self, error: ReadError, number: i64, id: CopyId) -> PartError {
        match error {
            ReadError::Io(error) => PartError::Other(error.into()),
            ReadError::Damaged(reason) => match self.exists(id) {
                Ok(true) => PartError::damaged(number, id, reason),
                // An operator may have dropped the copy since its row was read.
                Ok(false) => PartError::Other(SpoolError::Gone(id)),
                Err(error) => error,
            },
        }
    }

    /// The original header block.
    pub(super) fn headers(&self, id: CopyId) -> Result<Bytes, PartError> {
        let row = self.part(id, "headers")?;
        CopyKey::unwrap(&self.key, &id.to_string(), &row.key)
            .and_then(|key| key.open_headers(&row.part.unwrap_or_default()))
            .map_err(|reason| PartError::damaged(row.number, id, reason))
    }

    /// What lies in this column of `content`, and what it takes to open it.
    fn part(&self, id: CopyId, column: &'static str) -> Result<PartRow, PartError> {
        let sql = format!(
            "SELECT copy.number, size, key, {column} FROM copy JOIN content USING (number) WHERE id = ?1"
        );
        let connection = self.connection();
        let found = connection.prepare_cached(&sql).and_then(|mut statement| {
            let row = statement.query_row([id.to_string()], PartRow::read);
            row.optional()
        });
        let found = found.map_err(|error| PartError::Other(error.into()))?;
        found.ok_or(PartError::Other(SpoolError::Gone(id)))
    }

    fn open_content(&self, id: CopyId, key: CopyKey, row: PartRow) -> Result<Body, ReadError> {
        let too_long = ReadError::Damaged("its size is beyond all measure");
        let size = usize::try_from(row.size).map_err(|_| too_long)?;
        let Some(sealed) = row.part else {
            let file = self.files.open_sealed(&id.to_string(), key, size)?;
            return Ok(Body::File(Box::new(file), row.number));
        };
        if sealed_length(size) != Some(sealed.len()) {
            return Err(ReadError::Damaged("its content has the wrong length"));
        }
        let mut plain = Vec::with_capacity(size);
        key.open_chunk(0, 1, &sealed, &mut plain)
            .map_err(ReadError::Damaged)?;
        Ok(Body::Whole(plain.into()))
    }

    fn exists(&self, id: CopyId) -> Result<bool, PartError> {
        exists(&self.connection(), &id.to_string()).map_err(PartError::Other)
    }

    #[expect(clippy::disallowed_types, reason = "see the import")]
    fn connection(&self) -> MutexGuard<'_, Connection> {
        let connection: &Mutex<Connection> = &self.connection;
        connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartError {
    fn damaged(number: i64, id: CopyId, reason: Damage) -> Self {
        Self::Damaged(Damaged {
            number,
            id: id.to_string(),
            reason,
        })
    }
}

/// Whether an entry has a row.
pub(super) fn exists(connection: &Connection, id: &str) -> Result<bool, SpoolError> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM copy WHERE id = ?1")?
        .exists([id])?)
}

/// The entries whose id is in `range` (its end excluded), the oldest first.
pub(super) fn list(
    connection: &Connection,
    key: &SpoolKey,
    range: &(String, String),
) -> Result<Vec<Listed>, SpoolError> {
    let sql = format!("SELECT {COLUMNS} FROM copy WHERE id >= ?1 AND id < ?2 ORDER BY stored, id");
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params![range.0, range.1], CopyRow::read)?;
    rows.map(|row| {
        let row = row?;
        Ok(Listed {
            stored: schema::time(row.stored),
            due: schema::time(row.due),
            attempts: row.attempts,
            size: row.size,
            details: (row.state == QUEUED)
                .then(|| row.open_details(key).ok())
                .flatten(),
            id: row.id,
        })
    })
    .collect()
}

fn scan_due(
    connection: &Connection,
    key: &SpoolKey,
    held: &Arc<Held>,
    now: SystemTime,
    limit: usize,
) -> Result<(Vec<Entry>, Vec<Damaged>), SpoolError> {
    let sql = format!("SELECT {COLUMNS} FROM copy WHERE state = 0 AND due <= ?1 ORDER BY due");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([schema::milliseconds(now)])?;
    let mut entries = Vec::new();
    let mut damaged = Vec::new();
    while entries.len() < limit
        && let Some(row) = rows.next()?
    {
        let row = CopyRow::read(row)?;
        match row.lease(key, held) {
            Ok(entry) => entries.extend(entry),
            Err(reason) => damaged.push(Damaged {
                number: row.number,
                id: row.id,
                reason,
            }),
        }
    }
    Ok((entries, damaged))
}

impl PartRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            size: size(row.get(1)?),
            key: row.get(2)?,
            part: row.get(3)?,
        })
    }
}

impl CopyRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            id: row.get(1)?,
            state: row.get(2)?,
            stored: row.get(3)?,
            due: row.get(4)?,
            attempts: row.get(5)?,
            size: size(row.get(6)?),
            key: row.get(7)?,
            details: row.get(8)?,
        })
    }

    /// Opens the entry for whoever works on it; none if somebody does already.
    fn lease(&self, key: &SpoolKey, held: &Arc<Held>) -> Result<Option<Entry>, Damage> {
        let id: CopyId = self.id.parse().map_err(|_| "its id is none of ours")?;
        let Some(lease) = held.lease(id) else {
            return Ok(None);
        };
        Ok(Some(Entry {
            id,
            stored: schema::time(self.stored),
            attempts: self.attempts,
            size: self.size,
            urgent: self.due == 0,
            details: self.open_details(key)?,
            _lease: lease,
        }))
    }

    fn open_details(&self, key: &SpoolKey) -> Result<Details, Damage> {
        CopyKey::unwrap(key, &self.id, &self.key)?.open_details(&self.details)
    }
}

/// A size as the database keeps it; a negative one, which we never write, is beyond all measure.
fn size(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

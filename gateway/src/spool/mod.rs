//! The queue on disk: what is in it survives a crash, and rests sealed.
//!
//! It stores all copies of a message or none, hands each due copy to one taker at a time, and writes down what became of it.
//! It does not know where mail goes, nor when it should be tried again.
//!
//! # Why a crash between any two steps is harmless
//! Storing a message:
//! 1. Contents over 64 KiB are sealed into files of their own, each flushed (fdatasync), then its folder. *Crash here:* there
//!    are files without rows. No 250 was given, so the client sends the message again; the files are swept at the next start.
//! 2. One transaction writes the rows of all copies, and in the same the settlements that brought them about (a bounce and the
//!    removal of the recipient that it tells of). SQLite makes a commit atomic, and with `synchronous=FULL` the log is flushed
//!    before it returns. *Crash before:* as in 1; no row exists, of no copy. *Crash after:* every row is there, and with each
//!    its file, which was on disk before.
//! 3. The caller is answered, and gives its 250. *Crash before:* the message is in the queue and the client sends it again:
//!    twice is allowed, never is not (RFC 5321, section 4.5.5).
//!
//! Should a commit report failure and yet be found on disk later (a flush that failed halfway), its files are gone already:
//! such an entry is set aside as damaged, and no 250 was ever given for it.
//!
//! Delivering: the row changes only after the next hop answered. *Crash before:* the copy is sent again. When the row is gone
//! its file is removed. *Crash before:* a file without a row, swept at start.
//!
//! Leases live in memory, since one process alone delivers (a file lock sees to that): a crash releases them all.

mod content;
mod entry;
mod error;
mod held;
mod operator;
mod reader;
mod record;
mod rows;
mod schema;
mod sealed;
mod writer;

#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use certstore::clock::Clock;
use certstore::seal::VaultKey;
use tokio::sync::{oneshot, watch};

pub use entry::{
    CopyId, Details, Entry, Fate, Listed, NewCopy, Outcome, Recipient, RecipientState, Settlement,
    Stored, Transport,
};
pub use error::SpoolError;
pub use operator::{Queue, Which};

use crate::message::has_bare_line_end;
use crate::observe::delivery as log;
use content::ContentFiles;
use held::Held;
use reader::{Body, Damaged, PartError, Reader};
use rows::{SealedBody, SealedCopy};
use sealed::{CHUNK, CopyKey, SpoolKey};
use writer::{Changes, Job, Writer};

/// The queue, as the one gateway that works on it has it.
#[derive(Debug)]
pub struct Spool {
    sealer: Sealer,
    /// None only while the spool is being dropped.
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    reader: Arc<Reader>,
    held: Arc<Held>,
    trouble: Arc<watch::Sender<Option<SpoolError>>>,
    damaged: AtomicU64,
    clock: Arc<dyn Clock>,
}

impl Spool {
    /// Opens the spool in `data_dir`, making it if it is missing, and sweeps what a crash may have left.
    ///
    /// # Errors
    /// [`SpoolError::Locked`], [`SpoolError::WrongKey`], [`SpoolError::Damaged`], [`SpoolError::Format`], or what the disk
    /// says.
    pub fn open(
        data_dir: &Path,
        key: &VaultKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SpoolError> {
        let key = Arc::new(SpoolKey::new(key));
        let connection = schema::open(data_dir, &key)?;
        let lock = lock(data_dir)?;
        let files = ContentFiles::open(data_dir)?;
        let swept = files.sweep(|id| reader::exists(&connection, id))?;
        if swept > 0 {
            log::swept(swept);
        }
        let held = Held::new();
        let trouble = Arc::new(watch::Sender::new(None));
        let reader = Reader::new(schema::open(data_dir, &key)?, key.clone(), files.clone());
        let writer = Writer {
            connection,
            key: key.clone(),
            files: files.clone(),
            held: held.clone(),
            data_dir: data_dir.to_owned(),
            trouble: trouble.clone(),
            _lock: lock,
        };
        let (jobs, queue) = mpsc::channel();
        let writer = std::thread::Builder::new()
            .name("spool".to_owned())
            .spawn(move || writer.run(&queue))?;
        Ok(Self {
            sealer: Sealer { key, files },
            jobs: Some(jobs),
            writer: Some(writer),
            reader: Arc::new(reader),
            held,
            trouble,
            damaged: AtomicU64::new(0),
            clock,
        })
    }

    /// Stores all copies of a message, or none. When this returns they are on disk.
    ///
    /// # Errors
    /// [`SpoolError::Full`] or [`SpoolError::Unavailable`]; nothing was stored.
    pub async fn store(&self, copies: Vec<NewCopy>) -> Result<Stored, SpoolError> {
        self.commit(copies, Vec::new()).await
    }

    /// Writes down what attempts did, of each of them all or nothing.
    ///
    /// # Errors
    /// As [`Spool::store`].
    pub async fn settle(&self, settlements: Vec<Settlement>) -> Result<(), SpoolError> {
        self.commit(Vec::new(), settlements).await.map(|_| ())
    }

    /// Stores copies and writes down what attempts did, all of it or nothing.
    ///
    /// # Errors
    /// As [`Spool::store`].
    pub async fn commit(
        &self,
        puts: Vec<NewCopy>,
        settlements: Vec<Settlement>,
    ) -> Result<Stored, SpoolError> {
        let stored = self.clock.now();
        let mut changes = Changes {
            puts: Vec::with_capacity(puts.len()),
            settlements,
            set_aside: Vec::new(),
        };
        for copy in puts {
            let sealed = self.sealer.seal_where_it_fits(copy, stored).await;
            changes.puts.push(sealed.inspect_err(|error| {
                self.trouble.send_replace(Some(error.clone()));
            })?);
        }
        let copies = changes.puts.len();
        self.submit(changes).await?;
        Ok(Stored { copies })
    }

    /// Up to `limit` entries that are due and that nobody works on: what was stored just now first, then the longest due.
    /// Damaged ones are set aside.
    ///
    /// # Errors
    /// What the database says.
    pub async fn due(&self, now: SystemTime, limit: usize) -> Result<Vec<Entry>, SpoolError> {
        let mut entries = self.held.take_arrived(limit);
        let rest = limit - entries.len();
        let (reader, held) = (self.reader.clone(), self.held.clone());
        let (found, damaged) = blocking(move || reader.due(&held, now, rest)).await??;
        entries.extend(found);
        if !damaged.is_empty() {
            self.set_aside(damaged).await?;
        }
        Ok(entries)
    }

    /// Up to `limit` of the entries stored since the last call, from memory.
    #[must_use]
    pub fn arrived(&self, limit: usize) -> Vec<Entry> {
        self.held.take_arrived(limit)
    }

    /// Waits until something is stored; what was stored since the last wait counts.
    pub async fn arrival(&self) {
        self.held.arrival().await;
    }

    /// The content of a copy, to be read from its beginning: a small one from memory if it was stored recently, else from
    /// disk.
    ///
    /// # Errors
    /// [`SpoolError::Corrupt`] (it was set aside), [`SpoolError::Gone`], or what the disk says.
    pub async fn content(&self, id: CopyId) -> Result<Content<'_>, SpoolError> {
        let body = match self.held.content(id) {
            Some(content) => Body::Whole(content),
            None => {
                let reader = self.reader.clone();
                let body = blocking(move || reader.content(id)).await?;
                self.judge(id, body).await?
            }
        };
        Ok(Content {
            spool: self,
            id,
            rest: Some(body),
        })
    }

    /// The outer header block of the message as it came in, for a bounce.
    ///
    /// # Errors
    /// As [`Spool::content`].
    pub async fn original_headers(&self, id: CopyId) -> Result<Bytes, SpoolError> {
        let reader = self.reader.clone();
        let headers = blocking(move || reader.headers(id)).await?;
        self.judge(id, headers).await
    }

    /// Whether mail can be taken in now, from what is known: the disk is not asked. A failed write counts until one succeeds.
    ///
    /// # Errors
    /// [`SpoolError::Full`] or [`SpoolError::Unavailable`].
    pub fn health(&self) -> Result<(), SpoolError> {
        self.trouble.borrow().clone().map_or(Ok(()), Err)
    }

    /// How many copies wait for their delivery.
    ///
    /// # Errors
    /// What the database says.
    pub async fn waiting(&self) -> Result<u64, SpoolError> {
        let reader = self.reader.clone();
        blocking(move || reader.waiting()).await?
    }

    /// How many entries were set aside as damaged since the start.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }

    async fn judge<T>(&self, id: CopyId, result: Result<T, PartError>) -> Result<T, SpoolError> {
        match result {
            Ok(found) => Ok(found),
            Err(PartError::Other(error)) => Err(error),
            Err(PartError::Damaged(damaged)) => {
                let reason = damaged.reason;
                self.set_aside(vec![damaged]).await?;
                Err(SpoolError::Corrupt { id, reason })
            }
        }
    }

    async fn set_aside(&self, damaged: Vec<Damaged>) -> Result<(), SpoolError> {
        for entry in &damaged {
            log::set_aside(&entry.id, entry.reason);
        }
        let count = u64::try_from(damaged.len()).unwrap_or(u64::MAX);
        self.damaged.fetch_add(count, Ordering::Relaxed);
        self.submit(Changes {
            set_aside: damaged.iter().map(|entry| entry.number).collect(),
            ..Changes::default()
        })
        .await
    }

    /// Has the writer do it. The channel has no bound of its own: each caller waits here, and callers are bounded.
    async fn submit(&self, changes: Changes) -> Result<(), SpoolError> {
        let stopped = || SpoolError::Unavailable("the spool's writer has stopped".to_owned());
        let (answer, answered) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(Job { changes, answer }).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for Spool {
    /// Waits until what was asked of the writer is done and the lock is released.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            writer.join().ok();
        }
    }
}

/// A content on its way out of the spool. A large one is never in memory as a whole.
#[derive(Debug)]
pub struct Content<'s> {
    spool: &'s Spool,
    id: CopyId,
    /// What was not read yet.
    rest: Option<Body>,
}

impl Content<'_> {
    /// The next piece, of 256 KiB at most; none at the end.
    ///
    /// # Errors
    /// As [`Spool::content`]; what was read before is not the content then.
    pub async fn next(&mut self) -> Result<Option<Bytes>, SpoolError> {
        let (mut file, number) = match self.rest.take() {
            None => return Ok(None),
            Some(Body::Whole(content)) => return Ok(Some(content)),
            Some(Body::File(file, number)) => (file, number),
        };
        let (reader, id) = (self.spool.reader.clone(), self.id);
        let reading = blocking(move || {
            let piece = reader.read_on(&mut file, number, id);
            (file, piece)
        });
        let (file, piece) = reading.await?;
        let piece = self.spool.judge(id, piece).await?;
        if piece.is_some() {
            self.rest = Some(Body::File(file, number));
        }
        Ok(piece)
    }

    /// All of it at once.
    ///
    /// # Errors
    /// As [`Content::next`].
    pub async fn whole(mut self) -> Result<Bytes, SpoolError> {
        let first = self.next().await?.unwrap_or_default();
        let mut whole = BytesMut::from(first);
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }
}

/// What sealing a copy takes.
#[derive(Debug, Clone)]
struct Sealer {
    key: Arc<SpoolKey>,
    files: ContentFiles,
}

impl Sealer {
    /// A small copy is sealed here and now; a large one takes a file, and a blocking thread.
    async fn seal_where_it_fits(
        &self,
        copy: NewCopy,
        stored: SystemTime,
    ) -> Result<SealedCopy, SpoolError> {
        if copy.content.len() <= CHUNK {
            return self.seal(copy, stored);
        }
        let sealer = self.clone();
        blocking(move || sealer.seal(copy, stored)).await?
    }

    fn seal(&self, copy: NewCopy, stored: SystemTime) -> Result<SealedCopy, SpoolError> {
        let (copy_key, key) = CopyKey::generate(&self.key, copy.id)?;
        let body = if copy.content.len() <= CHUNK {
            SealedBody::Row(
                copy_key
                    .seal_content(&copy.content)
                    .collect::<Result<Vec<_>, _>>()?
                    .concat(),
            )
        } else {
            SealedBody::File(self.files.write(copy.id, &copy_key, &copy.content)?)
        };
        let details = Details {
            reverse_path: copy.reverse_path,
            recipients: copy.recipients.into_iter().map(Recipient::new).collect(),
            needs_eight_bit: !copy.content.is_ascii(),
            has_bare_line_end: has_bare_line_end(&copy.content),
            smtputf8: copy.smtputf8,
            transport: copy.transport,
            message_id: copy.message_id,
            subject: copy.subject,
        };
        Ok(SealedCopy {
            id: copy.id,
            stored,
            key,
            sealed_details: copy_key.seal_details(&details)?,
            headers: copy_key.seal_headers(&copy.original_headers)?,
            body,
            details,
            content: copy.content,
        })
    }
}

/// Runs what waits for the disk on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SpoolError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| SpoolError::Unavailable(error.to_string()))
}

/// Locks the data folder against a second gateway, as long as the file is open.
fn lock(data_dir: &Path) -> Result<File, SpoolError> {
    let path = data_dir.join("spool.lock");
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SpoolError::Locked(path)),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

//! The one thread that writes: it gathers what callers ask for into one transaction, and answers them when it is on disk.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{oneshot, watch};

use super::content::ContentFiles;
use super::held::{Held, Lease};
use super::rows::{self, Removed, SealedBody, SealedCopy};
use super::sealed::SpoolKey;
use super::{Entry, Settlement, SpoolError};

/// How long the writer waits for company after the first job: the disk's flush costs more than this.
const LINGER: Duration = Duration::from_millis(1);
/// Most jobs in one transaction.
const BATCH: usize = 1024;
/// How often free space is looked at, and a failing disk tried again.
const CHECK: Duration = Duration::from_secs(1);
/// With less than this, in bytes, no more mail is taken in: what is in the queue needs room to be settled.
const FREE_SPACE: u64 = 64 * 1024 * 1024;

/// What is asked of the writer; done as a whole or not at all.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) changes: Changes,
    pub(super) answer: oneshot::Sender<Result<(), SpoolError>>,
}

#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) puts: Vec<SealedCopy>,
    pub(super) settlements: Vec<Settlement>,
    /// `copy.number` of damaged entries.
    pub(super) set_aside: Vec<i64>,
}

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) key: Arc<SpoolKey>,
    pub(super) files: ContentFiles,
    pub(super) held: Arc<Held>,
    pub(super) data_dir: PathBuf,
    /// Why no mail can be taken in now.
    pub(super) trouble: Arc<watch::Sender<Option<SpoolError>>>,
    /// Held as long as the writer lives.
    pub(super) _lock: File,
}

struct Committed {
    removed: Vec<Removed>,
    /// One for each put, in order; taken before the commit, so that no reader gets at the new rows first.
    leases: Vec<Option<Lease>>,
}

impl Writer {
    /// Works until all senders are gone and everything that was sent is done.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut checked = Instant::now();
        loop {
            match jobs.recv_timeout(CHECK) {
                Ok(first) => self.serve(gather(first, jobs)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if checked.elapsed() >= CHECK {
                self.check();
                checked = Instant::now();
            }
        }
    }

    fn serve(&mut self, batch: Vec<Job>) {
        match self.transact(batch.iter().map(|job| &job.changes)) {
            Ok(committed) => self.finish(batch, committed),
            // One of them may be at fault: each gets its own chance.
            Err(_) if batch.len() > 1 => batch.into_iter().for_each(|job| self.serve(vec![job])),
            Err(error) => {
                self.report(Some(error.clone()));
                for Job { changes, answer } in batch {
                    // First the content files go: the caller may count on nothing being left.
                    drop(changes);
                    answer.send(Err(error.clone())).ok();
                }
            }
        }
    }

    fn transact<'a>(
        &mut self,
        batch: impl Iterator<Item = &'a Changes>,
    ) -> Result<Committed, SpoolError> {
        let mut committed = Committed {
            removed: Vec::new(),
            leases: Vec::new(),
        };
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for changes in batch {
            for copy in &changes.puts {
                rows::put(&transaction, copy)?;
                committed.leases.push(self.held.lease(copy.id));
            }
            for settlement in &changes.settlements {
                let removed = rows::settle(&transaction, &self.key, settlement)?;
                committed.removed.extend(removed);
            }
            for &number in &changes.set_aside {
                rows::set_aside(&transaction, number)?;
            }
        }
        transaction.commit()?;
        Ok(committed)
    }

    /// Hands new mail over, tells callers, and removes what is no longer needed.
    fn finish(&self, batch: Vec<Job>, committed: Committed) {
        let mut leases = committed.leases.into_iter();
        let mut answers = Vec::with_capacity(batch.len());
        for job in batch {
            for copy in job.changes.puts {
                self.hand_over(copy, leases.next().flatten());
            }
            answers.push(job.answer);
        }
        for removed in &committed.removed {
            self.held.forget_content(removed.id);
        }
        self.report(None);
        for answer in answers {
            // Nobody listens if the caller lost patience; what he asked for is done all the same.
            answer.send(Ok(())).ok();
        }
        for removed in committed.removed.iter().filter(|removed| removed.has_file) {
            self.files.remove(&removed.id.to_string());
        }
    }

    fn hand_over(&self, copy: SealedCopy, lease: Option<Lease>) {
        if let SealedBody::File(file) = copy.body {
            file.keep();
        }
        // Without a lease somebody has the copy already.
        let Some(lease) = lease else {
            return;
        };
        let entry = Entry {
            id: copy.id,
            stored: copy.stored,
            attempts: 0,
            size: u64::try_from(copy.content.len()).unwrap_or(u64::MAX),
            urgent: false,
            details: copy.details,
            _lease: lease,
        };
        self.held.arrive(entry, copy.content);
    }

    /// Looks at the disk; after a failure, tries whether it can be written again.
    fn check(&self) {
        if self.trouble.borrow().is_none() {
            self.report(None);
            return;
        }
        let written = self
            .connection
            .execute("INSERT OR REPLACE INTO meta VALUES ('probe', x'')", []);
        self.report(written.err().map(SpoolError::from));
    }

    fn report(&self, failure: Option<SpoolError>) {
        let trouble = failure.or_else(|| self.lacks_space());
        self.trouble.send_if_modified(|current| {
            let changed = *current != trouble;
            *current = trouble;
            changed
        });
    }

    fn lacks_space(&self) -> Option<SpoolError> {
        let disk = rustix::fs::statvfs(&self.data_dir).ok()?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        (free < FREE_SPACE).then(|| {
            SpoolError::Full(format!(
                "{} MiB are free in {}, {} are needed",
                free >> 20,
                self.data_dir.display(),
                FREE_SPACE >> 20
            ))
        })
    }
}

fn gather(first: Job, jobs: &Receiver<Job>) -> Vec<Job> {
    std::thread::sleep(LINGER);
    let mut batch = vec![first];
    batch.extend(jobs.try_iter().take(BATCH - 1));
    batch
}

#[cfg(test)]
mod tests {
    use super::super::{Sealer, tests};
    use super::*;

    #[test]
    fn a_full_disk_is_a_clean_no() {
        let folder = tempfile::tempdir().unwrap();
        let vault = certstore::seal::VaultKey::generate().unwrap();
        let key = Arc::new(SpoolKey::new(&vault));
        let connection = super::super::schema::open(folder.path(), &key).unwrap();
        connection
            .pragma_update(None, "max_page_count", 12)
            .unwrap();
        let files = ContentFiles::open(folder.path()).unwrap();
        let mut writer = Writer {
            connection,
            key: key.clone(),
            files: files.clone(),
            held: Held::new(),
            data_dir: folder.path().to_owned(),
            trouble: Arc::new(watch::Sender::new(None)),
            _lock: File::open(folder.path()).unwrap(),
        };
        let sealer = Sealer { key, files };
        let mut store = |copies: Vec<super::super::NewCopy>| {
            let puts = copies
                .into_iter()
                .map(|copy| sealer.seal(copy, std::time::UNIX_EPOCH).unwrap())
                .collect();
            let changes = Changes {
                puts,
                ..Changes::default()
            };
            let (answer, mut answered) = oneshot::channel();
            writer.serve(vec![Job { changes, answer }]);
            (
                answered.try_recv().unwrap(),
                writer.trouble.borrow().clone(),
            )
        };
        let large = vec![b'x'; 50_000];
        let (full, trouble) = store(vec![tests::copy(1, 1, "small"), tests::copy(1, 2, large)]);
        assert!(matches!(full, Err(SpoolError::Full(_))), "{full:?}");
        assert_eq!(trouble, full.err());
        // What is smaller still fits, and nothing is left of the first.
        let (stored, trouble) = store(vec![tests::copy(1, 1, "small")]);
        assert_eq!((stored, trouble), (Ok(()), None));
        assert_eq!(writer.held.take_arrived(10).len(), 1);
    }
}

//! What the spool holds in memory: who works on which copy, what arrived just now, and recent contents.
//!
//! All of it may be lost: a crash releases the leases, and what arrived is found in the database. The lock is held for a few
//! instructions only, never across an await and never while an entry is dropped.

#[expect(
    clippy::disallowed_types,
    reason = "shared by the writer thread, blocking readers and the drop of a lease; held for a few instructions"
)]
use std::sync::Mutex;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};

use std::collections::{BTreeMap, HashSet, VecDeque};

use bytes::Bytes;
use tokio::sync::Notify;

use super::sealed::CHUNK;
use super::{CopyId, Entry};

/// How much content is kept for hand-over, in bytes.
const CONTENT_LIMIT: usize = 16 * 1024 * 1024;
/// How many new entries wait for a taker before the rest is left to be found in the database.
const ARRIVAL_LIMIT: usize = 4096;

#[derive(Debug)]
pub(super) struct Held {
    #[expect(clippy::disallowed_types, reason = "see the import")]
    state: Mutex<State>,
    arrival: Notify,
}

#[derive(Debug, Default)]
struct State {
    leased: HashSet<CopyId>,
    /// While the database is scanned: what was released since the scan began.
    released: Option<HashSet<CopyId>>,
    arrived: VecDeque<Entry>,
    /// By age, for ids sort by age.
    contents: BTreeMap<CopyId, Bytes>,
    content_bytes: usize,
}

/// The right to work on a copy; dropping it gives the copy free.
#[derive(Debug)]
pub(super) struct Lease {
    id: CopyId,
    held: Weak<Held>,
}

impl Held {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Default::default(),
            arrival: Notify::new(),
        })
    }

    /// Leases a copy; none if it is leased, or if `Held::scan` runs and what it sees of this copy may be out of date.
    pub(super) fn lease(self: &Arc<Self>, id: CopyId) -> Option<Lease> {
        let mut state = self.lock();
        let stale = state.released.as_ref().is_some_and(|ids| ids.contains(&id));
        (!stale && state.leased.insert(id)).then(|| Lease {
            id,
            held: Arc::downgrade(self),
        })
    }

    /// Runs a scan of the database that leases what it finds.
    ///
    /// The scan sees the database as it was when it began. A copy that is settled and released meanwhile would look as if it
    /// were still to be done; so no copy is leased that was released after the scan began.
    pub(super) fn scan<T>(&self, scan: impl FnOnce() -> T) -> T {
        self.lock().released = Some(HashSet::new());
        let result = scan();
        self.lock().released = None;
        result
    }

    /// Takes in an entry that was committed just now, and keeps its content if it fits.
    pub(super) fn arrive(&self, entry: Entry, content: Bytes) {
        let mut state = self.lock();
        state.keep_content(entry.id, content);
        if state.arrived.len() < ARRIVAL_LIMIT {
            state.arrived.push_back(entry);
        } else {
            drop(state);
            drop(entry);
        }
        self.arrival.notify_one();
    }

    pub(super) fn take_arrived(&self, limit: usize) -> Vec<Entry> {
        let mut state = self.lock();
        let count = state.arrived.len().min(limit);
        state.arrived.drain(..count).collect()
    }

    /// Waits until something arrived.
    pub(super) async fn arrival(&self) {
        self.arrival.notified().await;
    }

    pub(super) fn content(&self, id: CopyId) -> Option<Bytes> {
        self.lock().contents.get(&id).cloned()
    }

    pub(super) fn forget_content(&self, id: CopyId) {
        let mut state = self.lock();
        if let Some(content) = state.contents.remove(&id) {
            state.content_bytes -= content.len();
        }
    }

    #[expect(clippy::disallowed_types, reason = "see the import")]
    fn lock(&self) -> MutexGuard<'_, State> {
        let state: &Mutex<State> = &self.state;
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn keep_content(&mut self, id: CopyId, content: Bytes) {
        // What lies in a file is read from there, piece by piece.
        if content.len() > CHUNK {
            return;
        }
        self.content_bytes += content.len();
        self.contents.insert(id, content);
        while self.content_bytes > CONTENT_LIMIT {
            let Some((_, oldest)) = self.contents.pop_first() else {
                return;
            };
            self.content_bytes -= oldest.len();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(held) = self.held.upgrade() else {
            return;
        };
        let mut state = held.lock();
        state.leased.remove(&self.id);
        if let Some(released) = &mut state.released {
            released.insert(self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u16) -> CopyId {
        CopyId {
            message: "0123456789abcdef".parse().unwrap(),
            number,
        }
    }

    #[test]
    fn a_copy_is_leased_once() {
        let held = Held::new();
        let lease = held.lease(id(1)).unwrap();
        assert!(held.lease(id(1)).is_none());
        drop(lease);
        assert!(held.lease(id(1)).is_some());
    }

    #[test]
    fn what_is_released_during_a_scan_is_not_leased_by_it() {
        let held = Held::new();
        let lease = held.lease(id(1)).unwrap();
        held.scan(|| {
            drop(lease);
            assert!(held.lease(id(1)).is_none());
            assert!(held.lease(id(2)).is_some());
        });
        assert!(held.lease(id(1)).is_some());
    }

    #[test]
    fn the_oldest_contents_make_room() {
        let mut state = State::default();
        let room = u16::try_from(CONTENT_LIMIT / CHUNK).unwrap();
        for number in 1..=room + 5 {
            state.keep_content(id(number), vec![0; CHUNK].into());
        }
        assert_eq!(state.contents.keys().map(|id| id.number).min(), Some(6));
        assert_eq!(state.content_bytes, CONTENT_LIMIT);
        state.keep_content(id(1000), vec![0; CHUNK + 1].into());
        assert!(!state.contents.contains_key(&id(1000)));
    }
}

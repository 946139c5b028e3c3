//! The cache over all sources: one lookup for many who ask at once, and no answer kept longer than it holds.
//!
//! An answer is fresh for its lifetime. After that, a certificate that was found is still given out for a while
//! (`refresh`), and the sources are asked behind the asker's back; after that, whoever asks waits for the sources, and
//! only if they do not answer gets what was found before (`stale`). Nothing is given out past the end of a certificate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use metrics::{Counter, counter};
use moka::Expiry;
use moka::future::Cache;
use tokio::sync::{Mutex, mpsc};

use super::Invalidations;
use super::answer::{CachedAnswer, Lifetimes, Outcome};
use crate::certificate::Purpose;

/// A canonical address, and what its certificate is for.
pub(super) type Key = (String, Purpose);

/// Most answers that wait to be asked for anew; one that finds no room is asked for when somebody needs it.
const MOST_DUE: usize = 1024;

/// How long answers are kept, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// Room for answers, in bytes; those that are used least make room.
    pub bytes: u64,
    /// How long an answer is fresh.
    pub lifetimes: Lifetimes,
    /// How much longer a certificate is given out while it is looked for anew.
    pub refresh: Duration,
    /// How much longer a certificate is given out if a source is down.
    pub stale: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            bytes: 64 * 1024 * 1024,
            lifetimes: Lifetimes::default(),
            refresh: Duration::from_secs(10 * 60),
            stale: Duration::from_secs(4 * 60 * 60),
        }
    }
}

impl From<Lifetimes> for CacheSettings {
    /// These lifetimes, and not a moment longer.
    fn from(lifetimes: Lifetimes) -> Self {
        Self {
            lifetimes,
            refresh: Duration::ZERO,
            stale: Duration::ZERO,
            ..Self::default()
        }
    }
}

/// How much a cache holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheFigures {
    /// Answers.
    pub entries: u64,
    /// Their size, in bytes, about.
    pub bytes: u64,
}

/// Answers by address and purpose.
#[derive(Debug)]
pub(super) struct Answers {
    cache: Cache<Key, Arc<Entry>>,
    settings: CacheSettings,
    invalidations: Invalidations,
    due: mpsc::Sender<Key>,
    due_end: Mutex<mpsc::Receiver<Key>>,
    counts: Counts,
}

/// An answer, and until when it is good for what.
#[derive(Debug)]
struct Entry {
    answer: CachedAnswer,
    begun: Instant,
    fresh: Duration,
    kept: Duration,
    /// Whether it waits to be asked for anew.
    is_due: AtomicBool,
}

/// What became of questions.
struct Counts {
    fresh: Counter,
    refreshing: Counter,
    stale: Counter,
    missed: Counter,
}

impl std::fmt::Debug for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counts")
    }
}

impl Answers {
    pub(super) fn new(settings: CacheSettings) -> Self {
        let cache = Cache::builder()
            .max_capacity(settings.bytes)
            .weigher(|key: &Key, entry: &Arc<Entry>| entry.weight(key))
            .expire_after(ByLifetime)
            .build();
        let (due, due_end) = mpsc::channel(MOST_DUE);
        let count = |outcome| counter!("postern_cache_questions_total", "outcome" => outcome);
        Self {
            cache,
            settings,
            invalidations: Invalidations::default(),
            due,
            due_end: Mutex::new(due_end),
            counts: Counts {
                fresh: count("fresh"),
                refreshing: count("refreshing"),
                stale: count("stale"),
                missed: count("missed"),
            },
        }
    }

    /// The answer to `key`: kept, or what `ask` says, which runs once for all who wait for it.
    pub(super) async fn find(
        &self,
        key: Key,
        now: SystemTime,
        ask: impl Future<Output = Outcome>,
    ) -> Outcome {
        let known = self.cache.get(&key).await;
        if let Some(entry) = &known {
            if entry.begun.elapsed() < entry.fresh {
                self.counts.fresh.increment(1);
                return entry.answer.outcome();
            }
            if self.may_be_given(entry) {
                self.counts.refreshing.increment(1);
                if !entry.is_due.swap(true, Ordering::Relaxed) {
                    // Where there is no room, the next one who asks later waits for it.
                    let _no_room = self.due.try_send(key);
                }
                return entry.answer.outcome();
            }
        }
        self.counts.missed.increment(1);
        self.ask(key, now, known, ask).await
    }

    /// Asks for `key` anew, whatever is known; what was found before stays if a source is down.
    pub(super) async fn renew(
        &self,
        key: Key,
        now: SystemTime,
        ask: impl Future<Output = Outcome>,
    ) {
        let count = self.invalidations.count();
        let known = self.cache.get(&key).await;
        let outcome = ask.await;
        let entry = self.entry(outcome, now, known);
        self.cache.insert(key.clone(), entry).await;
        self.drop_if_old(&key, count).await;
    }

    async fn ask(
        &self,
        key: Key,
        now: SystemTime,
        known: Option<Arc<Entry>>,
        ask: impl Future<Output = Outcome>,
    ) -> Outcome {
        let count = self.invalidations.count();
        let asking = async { self.entry(ask.await, now, known) };
        let too_old = |entry: &Arc<Entry>| !self.may_be_given(entry);
        let entry = self
            .cache
            .entry_by_ref(&key)
            .or_insert_with_if(asking, too_old)
            .await;
        self.drop_if_old(&key, count).await;
        entry.into_value().answer.outcome()
    }

    /// Whether an answer is given out before the sources are asked.
    fn may_be_given(&self, entry: &Entry) -> bool {
        entry.begun.elapsed() < entry.fresh.saturating_add(self.settings.refresh)
    }

    /// What is kept of an outcome: the certificate that was found before, if it still may be used and a source is down.
    fn entry(&self, outcome: Outcome, now: SystemTime, known: Option<Arc<Entry>>) -> Arc<Entry> {
        let answer = CachedAnswer::new(outcome);
        let fresh = answer.lifetime(&self.settings.lifetimes, now);
        let left = known
            .as_ref()
            .and_then(|known| known.kept.checked_sub(known.begun.elapsed()));
        if answer.is_failure()
            && let (Some(known), Some(left)) = (known, left)
            && known.answer.is_found()
        {
            self.counts.stale.increment(1);
            return Arc::new(Entry {
                answer: known.answer.clone(),
                begun: Instant::now(),
                fresh: fresh.min(left),
                kept: left,
                is_due: AtomicBool::new(false),
            });
        }
        let longer = self.settings.refresh.max(self.settings.stale);
        let kept = match answer.is_found() {
            true => fresh
                .saturating_add(longer)
                .min(answer.certificate_left(now)),
            false => fresh,
        };
        Arc::new(Entry {
            answer,
            begun: Instant::now(),
            fresh,
            kept,
            is_due: AtomicBool::new(false),
        })
    }

    /// An invalidation that came while the sources were asked may be about what they said.
    async fn drop_if_old(&self, key: &Key, count: u64) {
        if self.invalidations.came_since(count) {
            self.cache.invalidate(key).await;
        }
    }

    /// The next answer that is to be asked for anew.
    pub(super) async fn next_due(&self) -> Option<Key> {
        self.due_end.lock().await.recv().await
    }

    pub(super) async fn invalidate(&self, address: &str) {
        self.invalidations.count_one();
        for purpose in [Purpose::Signing, Purpose::Encryption] {
            self.cache.invalidate(&(address.to_owned(), purpose)).await;
        }
    }

    pub(super) fn invalidate_all(&self) {
        self.invalidations.count_one();
        self.cache.invalidate_all();
    }

    /// Canonical addresses with a certificate to encrypt to, at most so many.
    pub(super) fn in_use(&self, limit: u32) -> Vec<String> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let encrypts = |(key, entry): &(Arc<Key>, Arc<Entry>)| {
            key.1 == Purpose::Encryption && entry.answer.is_found()
        };
        let found = self.cache.iter().filter(encrypts).take(limit);
        found.map(|(key, _)| key.0.clone()).collect()
    }

    pub(super) const fn invalidations(&self) -> &Invalidations {
        &self.invalidations
    }

    pub(super) fn figures(&self) -> CacheFigures {
        CacheFigures {
            entries: self.cache.entry_count(),
            bytes: self.cache.weighted_size(),
        }
    }
}

impl Entry {
    fn weight(&self, key: &Key) -> u32 {
        let length = u32::try_from(key.0.len() + size_of::<Self>()).unwrap_or(u32::MAX);
        self.answer.weight().saturating_add(length)
    }
}

/// Each answer says itself how long it is kept.
struct ByLifetime;

impl Expiry<Key, Arc<Entry>> for ByLifetime {
    fn expire_after_create(&self, _: &Key, entry: &Arc<Entry>, _: Instant) -> Option<Duration> {
        Some(entry.kept)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        entry: &Arc<Entry>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.kept)
    }
}

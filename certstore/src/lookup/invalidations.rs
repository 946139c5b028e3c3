//! Counts invalidations of a cache, so that a value which was fetched while one came is not kept.
//!
//! Dropping a value from the cache does nothing to one that is still being fetched, and that one may be the old one. So
//! whoever fetches looks at the count before, and again when the value is in the cache; if an invalidation came between,
//! the value is dropped again.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number of invalidations so far.
#[derive(Debug, Default)]
pub(crate) struct Invalidations(AtomicU64);

impl Invalidations {
    /// To be called before values are dropped from the cache.
    pub(crate) fn count_one(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// The number that [`Invalidations::came_since`] compares with.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Whether there was one since `count` was taken.
    pub(crate) fn came_since(&self, count: u64) -> bool {
        self.count() != count
    }
}

//! What a lookup ends with, how long a cache keeps that, and how much room it takes there.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use moka::Expiry;

use crate::certificate::Certificate;
use crate::selection::{Considered, Selection};

/// A source did not answer, and no source before it had a usable certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the certificate source {source_name} is unavailable: {reason}")]
pub struct Unavailable {
    /// The source; the first one, if several did not answer.
    pub source_name: String,
    /// What was wrong with it.
    pub reason: String,
    /// What the other sources had: for those whose policy is to go on without this one.
    pub otherwise: Arc<Selection>,
}

/// How long answers are kept.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// A usable certificate; never past the end of its validity, or of an authority's above it, and never longer than
    /// what is known about their revocation counts.
    pub found: Duration,
    /// No usable certificate.
    pub none: Duration,
    /// A source did not answer.
    pub failed: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            found: Duration::from_secs(60 * 60),
            none: Duration::from_secs(5 * 60),
            failed: Duration::from_secs(10),
        }
    }
}

/// An answer as the cache keeps it. A failure is a value like any other, so that a directory that is down is not asked
/// for each message.
#[derive(Debug, Clone)]
pub(super) struct CachedAnswer {
    pub(super) outcome: Result<Arc<Selection>, Unavailable>,
    lifetime: Duration,
}

impl CachedAnswer {
    pub(super) fn new(
        outcome: Result<Arc<Selection>, Unavailable>,
        lifetimes: &Lifetimes,
        now: SystemTime,
    ) -> Self {
        let lifetime = match &outcome {
            Err(_) => lifetimes.failed,
            Ok(selection) => match &selection.chosen {
                None => lifetimes.none,
                Some((trusted, _)) => {
                    let whole_path = std::iter::once(trusted.certificate()).chain(trusted.chain());
                    let ends = whole_path
                        .map(Certificate::not_after)
                        .chain(trusted.revocation_known_until())
                        .min();
                    let left = ends.and_then(|end| end.duration_since(now).ok());
                    lifetimes.found.min(left.unwrap_or_default())
                }
            },
        };
        Self { outcome, lifetime }
    }

    /// About the number of bytes that it takes.
    pub(super) fn weight(&self) -> u32 {
        let selection = match &self.outcome {
            Ok(selection) => selection,
            Err(unavailable) => &unavailable.otherwise,
        };
        let chosen = selection.chosen.as_ref().map_or(0, |(trusted, _)| {
            // The parsed form of a certificate takes about as much as its DER again.
            2 * trusted.certificate().der().len()
        });
        let considered = selection.considered.iter().map(|considered| {
            size_of::<Considered>()
                + considered.subject.len()
                + considered.source.len()
                + considered.reason.len()
        });
        let fixed = size_of::<Self>() + size_of::<Selection>();
        u32::try_from(fixed + chosen + considered.sum::<usize>()).unwrap_or(u32::MAX)
    }
}

/// Each answer says itself how long it is kept.
pub(super) struct ByLifetime;

impl<K> Expiry<K, CachedAnswer> for ByLifetime {
    fn expire_after_create(
        &self,
        _key: &K,
        answer: &CachedAnswer,
        _created_at: Instant,
    ) -> Option<Duration> {
        Some(answer.lifetime)
    }
}

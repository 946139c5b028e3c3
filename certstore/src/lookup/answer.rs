//! What a lookup ends with, how long a cache keeps that, and how much room it takes there.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// What a lookup ends with.
pub(super) type Outcome = Result<Arc<Selection>, Unavailable>;

/// An answer as the cache keeps it. A failure is a value like any other, so that a directory that is down is not asked
/// for each message.
#[derive(Debug, Clone)]
pub(super) struct CachedAnswer(Outcome);

impl CachedAnswer {
    pub(super) const fn new(outcome: Outcome) -> Self {
        Self(outcome)
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.0.clone()
    }

    pub(super) const fn is_failure(&self) -> bool {
        self.0.is_err()
    }

    pub(super) fn is_found(&self) -> bool {
        matches!(&self.0, Ok(selection) if selection.chosen.is_some())
    }

    /// How long it is fresh.
    pub(super) fn lifetime(&self, lifetimes: &Lifetimes, now: SystemTime) -> Duration {
        match &self.0 {
            Err(_) => lifetimes.failed,
            Ok(_) if self.is_found() => lifetimes.found.min(self.certificate_left(now)),
            Ok(_) => lifetimes.none,
        }
    }

    /// How long the certificate that was found may be used at most, by the dates of its path and by what is known of their
    /// revocation; nothing where none was.
    pub(super) fn certificate_left(&self, now: SystemTime) -> Duration {
        let chosen = self.0.as_ref().ok().and_then(|found| found.chosen.as_ref());
        let ends = chosen.and_then(|(trusted, _)| {
            let whole_path = std::iter::once(trusted.certificate()).chain(trusted.chain());
            whole_path
                .map(Certificate::not_after)
                .chain(trusted.revocation_known_until())
                .min()
        });
        let left = ends.and_then(|end| end.duration_since(now).ok());
        left.unwrap_or_default()
    }

    /// About the number of bytes that it takes.
    pub(super) fn weight(&self) -> u32 {
        let selection = match &self.0 {
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

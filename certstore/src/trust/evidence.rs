//! What was fetched to judge certificates: CRLs, answers of OCSP responders, certificates of issuers.
//!
//! Validation only looks here, and notes what it would have needed. Whoever may wait has that fetched and asks again.
//! What a stranger's address gave is kept under that very address, so that nobody can push somebody else's CRL aside;
//! and it is bounded in bytes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use moka::sync::Cache;
use tokio::sync::watch;

use super::revocation::crl::Crl;
use super::revocation::ocsp::Answer;
use crate::certificate::{Certificate, Fingerprint};

/// Room for what was fetched, in bytes.
const ROOM: u64 = 256 * 1024 * 1024;
/// What nobody asked for so long is dropped.
const IDLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Remembered signatures on CRLs.
const REMEMBERED_SIGNATURES: u64 = 10_000;
/// First wait after a failed fetch; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(10 * 60);
/// An answer is not asked for again before this time, whatever it says of itself.
const LEAST_LIFETIME: Duration = Duration::from_secs(60);
/// How long an answer counts that does not say when the next one will be there.
pub(super) const DEFAULT_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// A certificate of an issuer does not change.
const ISSUER_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Something that would help to judge a certificate, and where it can be had.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// The certificate of an issuer.
    Issuers {
        /// Where it is said to be.
        url: String,
    },
    /// A certificate revocation list.
    Crl {
        /// Where it is said to be.
        url: String,
    },
    /// What a responder says of a certificate.
    Ocsp {
        /// The responder.
        url: String,
        /// The certificate.
        certificate: Certificate,
        /// The CA that issued it.
        issuer: Certificate,
    },
}

impl Wanted {
    /// Where it can be had.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::Issuers { url } | Self::Crl { url } | Self::Ocsp { url, .. } => url,
        }
    }
}

/// What came of a fetch.
#[derive(Debug, Clone)]
pub(super) enum Fact {
    Issuers(Arc<[Certificate]>),
    Crl(Arc<Crl>),
    Answer(Answer),
}

impl Fact {
    fn size(&self) -> usize {
        match self {
            Self::Issuers(certificates) => certificates.iter().map(|c| 2 * c.der().len()).sum(),
            Self::Crl(crl) => crl.size(),
            Self::Answer(_) => size_of::<Answer>(),
        }
    }

    /// How long it need not be asked for again.
    fn lifetime(&self, at: SystemTime) -> Duration {
        let left = |next: Option<SystemTime>| match next {
            Some(next) => next.duration_since(at).unwrap_or_default(),
            None => DEFAULT_LIFETIME,
        };
        let lifetime = match self {
            Self::Issuers(_) => ISSUER_LIFETIME,
            Self::Crl(crl) => left(crl.next_update),
            Self::Answer(answer) => left(answer.next_update),
        };
        lifetime.max(LEAST_LIFETIME)
    }
}

/// The newest good fact, and how it stands with a newer one.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) fact: Option<Fact>,
    /// Why the last fetch failed.
    pub(super) problem: Option<Problem>,
    fetched: Option<SystemTime>,
    next_try: Option<SystemTime>,
    failures: u32,
}

/// Why a fetch gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) text: String,
    /// Whether the next one may.
    pub(super) is_temporary: bool,
}

impl Known {
    /// Whether it is time to fetch it again.
    pub(super) fn is_due(&self, at: SystemTime) -> bool {
        self.next_try.is_none_or(|next| next <= at)
    }

    /// Whether most of its time is over, so that it is better fetched before somebody waits for it.
    fn is_aging(&self, at: SystemTime) -> bool {
        let (Some(fetched), Some(next)) = (self.fetched, self.next_try) else {
            return false;
        };
        let whole = next.duration_since(fetched).unwrap_or_default();
        self.failures == 0 && at >= fetched + whole.mul_f32(0.8)
    }
}

/// The store of everything that was fetched, and of the CRLs in files.
#[derive(Debug)]
pub struct Evidence {
    fetched: Cache<Wanted, Arc<Known>>,
    files: watch::Sender<Arc<[Arc<Crl>]>>,
    /// Whether a CRL is signed with a key; both by their fingerprints.
    signatures: Cache<(Fingerprint, Fingerprint), bool>,
}

impl Default for Evidence {
    fn default() -> Self {
        let fetched = Cache::builder()
            .max_capacity(ROOM)
            .weigher(|wanted: &Wanted, known: &Arc<Known>| {
                let fact = known.fact.as_ref().map_or(0, Fact::size);
                u32::try_from(fact + wanted.url().len() + 200).unwrap_or(u32::MAX)
            })
            .time_to_idle(IDLE)
            .build();
        Self {
            fetched,
            files: watch::Sender::new(Arc::from([])),
            signatures: Cache::new(REMEMBERED_SIGNATURES),
        }
    }
}

impl Evidence {
    /// What is known of `wanted`; nothing, if it was never fetched.
    pub(super) fn known(&self, wanted: &Wanted) -> Arc<Known> {
        self.fetched.get(wanted).unwrap_or_default()
    }

    /// Keeps what a fetch at the time `at` gave; after a failure, what was known before stays.
    pub(super) fn keep(&self, wanted: &Wanted, outcome: Result<Fact, Problem>, at: SystemTime) {
        let before = self.known(wanted);
        let known = match outcome {
            Ok(fact) => Known {
                next_try: Some(at + fact.lifetime(at)),
                fact: Some(fact),
                fetched: Some(at),
                ..Known::default()
            },
            Err(problem) => {
                let wait = FIRST_RETRY * 2_u32.saturating_pow(before.failures.min(10));
                Known {
                    fact: before.fact.clone(),
                    problem: Some(problem),
                    fetched: before.fetched,
                    next_try: Some(at + wait.min(LONGEST_RETRY)),
                    failures: before.failures.saturating_add(1),
                }
            }
        };
        self.fetched.insert(wanted.clone(), Arc::new(known));
    }

    /// What should be fetched again ahead of time.
    pub(super) fn aging(&self, at: SystemTime) -> Vec<Wanted> {
        let aging = self.fetched.iter().filter(|(_, known)| known.is_aging(at));
        aging.map(|(wanted, _)| (*wanted).clone()).collect()
    }

    /// The CRLs that the operator keeps in files.
    pub(super) fn files(&self) -> Arc<[Arc<Crl>]> {
        Arc::clone(&self.files.borrow())
    }

    /// Replaces the CRLs of files.
    pub fn set_files(&self, crls: Vec<Crl>) {
        let crls = crls.into_iter().map(Arc::new).collect();
        self.files.send_replace(crls);
    }

    /// Whether `crl` is signed with the key of `signer`, remembered.
    pub(super) fn is_signed(&self, crl: &Crl, signer: &Certificate) -> bool {
        let key = (crl.sha256, signer.sha256());
        self.signatures.get_with(key, || {
            super::signature::is_signed_with(
                signer,
                &crl.signature_algorithm,
                crl.to_be_signed(),
                crl.signature(),
            )
        })
    }
}

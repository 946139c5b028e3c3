//! Gets what validation wanted and did not have.
//!
//! Concurrent wishes for one thing make one fetch. CRLs are kept in the database too, so that a start without network
//! is one with revocation.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, stream};
use moka::future::Cache;

use super::Trust;
use super::evidence::{Evidence, Fact, Problem, Wanted};
use super::revocation::crl::Crl;
use super::revocation::ocsp;
use crate::certificate::{Certificate, read_certificates};
use crate::clock::Clock;
use crate::database::{Database, DatabaseError};
use crate::fetch::Fetcher;

/// A path is found step by step, and each step may need something: issuers, then CRLs, then signers of those.
const ROUNDS: usize = 6;
/// For all fetches of one validation together; what is not there then is unknown.
const PATIENCE: Duration = Duration::from_secs(12);
/// Fetches for one validation at once.
const CONCURRENCY: usize = 8;
/// More certificates than this are not taken from one address of an issuer.
const MAX_ISSUERS: usize = 16;
/// The length of a nonce, in bytes (RFC 9654, section 2.1).
const NONCE_LENGTH: usize = 32;

/// What validations would have needed, each once.
#[derive(Debug, Clone, Default)]
pub struct Notes(
    #[expect(
        clippy::disallowed_types,
        reason = "written within pure computation, read after it; never held across anything"
    )]
    Arc<std::sync::Mutex<Vec<Wanted>>>,
);

impl Notes {
    pub(super) fn add(&self, wanted: Vec<Wanted>) {
        if wanted.is_empty() {
            return;
        }
        if let Ok(mut notes) = self.0.lock() {
            for one in wanted {
                if !notes.contains(&one) {
                    notes.push(one);
                }
            }
        }
    }

    /// What was noted until now; the notes are empty then.
    #[must_use]
    pub fn take(&self) -> Vec<Wanted> {
        self.0
            .lock()
            .map(|mut notes| std::mem::take(&mut *notes))
            .unwrap_or_default()
    }
}

/// Fetches into an [`Evidence`] store.
#[derive(Debug)]
pub struct Gatherer {
    evidence: Arc<Evidence>,
    fetcher: Fetcher,
    database: Database,
    clock: Arc<dyn Clock>,
    sends_nonce: bool,
    /// What is being fetched at this moment.
    under_way: Cache<Wanted, ()>,
}

impl Gatherer {
    /// A gatherer for `evidence`, which begins with the CRLs of the database. With `sends_nonce`, OCSP responders are
    /// asked for an answer of their own.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn open(
        evidence: Arc<Evidence>,
        fetcher: Fetcher,
        database: Database,
        clock: Arc<dyn Clock>,
        sends_nonce: bool,
    ) -> Result<Self, DatabaseError> {
        for stored in database.revocation_lists().await? {
            // One that cannot be read is fetched again.
            if let Ok(crl) = Crl::read(&stored.der) {
                let wanted = Wanted::Crl { url: stored.url };
                evidence.keep(&wanted, Ok(Fact::Crl(Arc::new(crl))), stored.fetched);
            }
        }
        Ok(Self {
            evidence,
            fetcher,
            database,
            clock,
            sends_nonce,
            under_way: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(Duration::from_secs(1))
                .build(),
        })
    }

    /// Runs `compute` with `trust`, and again as long as there is something to fetch that it would have needed.
    pub async fn complete<T, F: Future<Output = T>>(
        &self,
        trust: &Trust,
        mut compute: impl FnMut(Trust) -> F,
    ) -> T {
        let notes = Notes::default();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut rounds = 0;
        loop {
            let result = compute(trust.noting(&notes)).await;
            let wanted = notes.take();
            if wanted.is_empty() || rounds == ROUNDS {
                return result;
            }
            rounds += 1;
            if tokio::time::timeout_at(deadline, self.gather(wanted))
                .await
                .is_err()
            {
                return compute(trust.clone()).await;
            }
        }
    }

    /// Fetches what is near its end, so that nobody has to wait for it.
    pub async fn refresh(&self) {
        self.gather(self.evidence.aging(self.clock.now())).await;
    }

    async fn gather(&self, wanted: Vec<Wanted>) {
        let fetches = wanted.into_iter().map(|wanted| async move {
            self.under_way
                .get_with_by_ref(&wanted, self.fetch(&wanted))
                .await;
        });
        stream::iter(fetches)
            .buffer_unordered(CONCURRENCY)
            .collect::<()>()
            .await;
    }

    async fn fetch(&self, wanted: &Wanted) {
        let outcome = match wanted {
            Wanted::Issuers { url } => self.issuers(url).await.map(Fact::Issuers),
            Wanted::Crl { url } => self.crl(url).await.map(|crl| Fact::Crl(Arc::new(crl))),
            Wanted::Ocsp {
                url,
                certificate,
                issuer,
            } => self
                .answer(url, certificate, issuer)
                .await
                .map(Fact::Answer),
        };
        self.evidence.keep(wanted, outcome, self.clock.now());
    }

    async fn issuers(&self, url: &str) -> Result<Arc<[Certificate]>, Problem> {
        let bytes = self.get(url).await?;
        let found = read_certificates(&bytes).into_iter().filter_map(Result::ok);
        let authorities: Arc<[Certificate]> =
            found.filter(Certificate::is_ca).take(MAX_ISSUERS).collect();
        match authorities.is_empty() {
            true => Err(lasting(format!(
                "{url} gives no certificate of an authority"
            ))),
            false => Ok(authorities),
        }
    }

    async fn crl(&self, url: &str) -> Result<Crl, Problem> {
        let bytes = self.get(url).await?;
        // A large one takes a while, too long for a thread that serves sockets.
        let read = tokio::task::spawn_blocking(move || Crl::read(&bytes)).await;
        let read = read.map_err(|panic| for_now(panic.to_string()))?;
        let crl = read.map_err(|error| for_now(format!("{url}: {error}")))?;
        let kept = self
            .database
            .keep_revocation_list(url, crl.der(), self.clock.now())
            .await;
        // It counts in memory even where the disk is full.
        match kept {
            Ok(()) => {}
            Err(error) => tracing::warn!(url, %error, "a CRL was not stored"),
        }
        Ok(crl)
    }

    async fn answer(
        &self,
        url: &str,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Result<ocsp::Answer, Problem> {
        let nonce = self.nonce();
        let unreadable = |_| lasting("its serial number fits into no question".to_owned());
        let request = ocsp::request(certificate, issuer, nonce.as_deref()).map_err(unreadable)?;
        let bytes = self.fetcher.post(url, ocsp::REQUEST_TYPE, request).await;
        let bytes = bytes.map_err(|error| problem(&error))?;
        let now: SystemTime = self.clock.now();
        ocsp::read_answer(&bytes, certificate, issuer, nonce.as_deref(), now)
            .map_err(|error| for_now(format!("the answer of {url} {error}")))
    }

    fn nonce(&self) -> Option<Vec<u8>> {
        let mut nonce = vec![0; NONCE_LENGTH];
        let is_random = aws_lc_rs::rand::fill(&mut nonce).is_ok();
        (self.sends_nonce && is_random).then_some(nonce)
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, Problem> {
        self.fetcher.get(url).await.map_err(|error| problem(&error))
    }
}

fn problem(error: &crate::fetch::FetchError) -> Problem {
    Problem {
        text: error.to_string(),
        is_temporary: error.is_temporary(),
    }
}

const fn lasting(text: String) -> Problem {
    Problem {
        text,
        is_temporary: false,
    }
}

const fn for_now(text: String) -> Problem {
    Problem {
        text,
        is_temporary: true,
    }
}

//! Looking a certificate up: the sources in their order, what is trusted, and a cache over both.
//!
//! The first source that has a usable certificate wins, within it the newest. "None" is an answer; "unavailable" is an
//! error, which says what the other sources had. A source that takes its time does not hold up the next one, but its
//! answer still counts first. Concurrent questions about one address make one lookup. What a source asks and how it asks
//! is its own affair.

mod anchors;
mod answer;
mod cache;
mod capabilities;
mod invalidations;
mod judge;
mod walk;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use policy::address::Address;
use tokio::sync::watch;

use crate::certificate::Purpose;
use crate::clock::Clock;
use crate::database::{Database, DatabaseError};
use crate::selection::{Question, Selection};
use crate::source::{Source, SourceFailure};
use crate::trust::{Evidence, Gatherer, Trust};
use answer::Outcome;
use cache::Answers;
use judge::Case;

pub use anchors::{TrustSettings, add_anchor};
pub use answer::{Lifetimes, Unavailable};
pub use cache::{CacheFigures, CacheSettings};
pub(crate) use invalidations::Invalidations;

/// Addresses that are looked up again after a start.
const MOST_REMEMBERED: u32 = 10_000;

/// Looks certificates up.
#[derive(Debug)]
pub struct Lookup {
    database: Database,
    sources: Vec<Box<dyn Source>>,
    trust_settings: TrustSettings,
    evidence: Arc<Evidence>,
    gatherer: Option<Gatherer>,
    trust: watch::Sender<Arc<Trust>>,
    clock: Arc<dyn Clock>,
    answers: Answers,
    capabilities: capabilities::Memory,
}

/// A fresh answer and how it came about.
#[derive(Debug)]
pub struct Explanation {
    /// The certificate to use, if any will do, and what became of the others.
    pub selection: Selection,
    /// The sources that had a say, in their order; those after the first usable certificate had none.
    pub sources: Vec<SourceReport>,
}

/// What one source did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReport {
    /// Its name.
    pub name: String,
    /// What it had.
    pub outcome: SourceOutcome,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// What an operator should know about its answer; empty if there is nothing.
    pub note: String,
}

/// What a source had for an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceOutcome {
    /// A usable certificate.
    Found,
    /// No usable certificate.
    None,
    /// No answer; why.
    Unavailable(String),
}

impl SourceOutcome {
    /// Its name in explanations.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::None => "none",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl Lookup {
    /// A lookup over `sources` in their order, trusting what `trust_settings` say, the anchors in the database and our own
    /// authorities. Nothing is fetched until [`Lookup::set_gatherer`].
    ///
    /// # Errors
    /// [`DatabaseError`] if the anchors cannot be read.
    pub async fn open(
        database: Database,
        sources: Vec<Box<dyn Source>>,
        trust_settings: impl Into<TrustSettings>,
        clock: Arc<dyn Clock>,
        cache: impl Into<CacheSettings>,
    ) -> Result<Self, DatabaseError> {
        let (trust_settings, evidence) = (trust_settings.into(), Arc::default());
        let trust = anchors::load_trust(&database, &trust_settings, &evidence).await?;
        Ok(Self {
            database,
            sources,
            trust_settings,
            evidence,
            gatherer: None,
            trust: watch::Sender::new(Arc::new(trust)),
            clock,
            answers: Answers::new(cache.into()),
            capabilities: capabilities::Memory::default(),
        })
    }

    /// The certificate of `address` for `purpose`, from the cache or from the sources.
    ///
    /// # Errors
    /// [`Unavailable`] if a source did not answer and none before it had a usable certificate.
    pub async fn find(
        &self,
        address: &Address,
        purpose: Purpose,
    ) -> Result<Arc<Selection>, Unavailable> {
        let key = (address.canonical().to_owned(), purpose);
        let now = self.clock.now();
        self.answers
            .find(key, now, self.ask(address, purpose))
            .await
    }

    /// Asks anew for what is still given out and past its time, for ever; one question at a time.
    pub async fn keep_fresh(&self) {
        while let Some(key) = self.answers.next_due().await {
            let Ok(address) = Address::parse(&key.0) else {
                continue;
            };
            let (now, purpose) = (self.clock.now(), key.1);
            self.answers
                .renew(key, now, self.ask(&address, purpose))
                .await;
        }
    }

    /// Looks up what was in use when a gateway ran last, one address after the other, so that the first mails find an
    /// answer.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn warm_up(&self) -> Result<(), DatabaseError> {
        for address in self.database.asked(MOST_REMEMBERED).await? {
            if let Ok(address) = Address::parse(&address) {
                // Whatever comes of it is in the cache now, and the next asker's matter.
                let _answer = self.find(&address, Purpose::Encryption).await;
            }
        }
        Ok(())
    }

    /// Remembers what is in use, for the next [`Lookup::warm_up`].
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn remember(&self) -> Result<(), DatabaseError> {
        let addresses = self.answers.in_use(MOST_REMEMBERED);
        self.database
            .remember_asked(&addresses, self.clock.now())
            .await
    }

    /// How much the cache holds.
    #[must_use]
    pub fn cache_figures(&self) -> CacheFigures {
        self.answers.figures()
    }

    /// A fresh answer for `address`, past the cache, and how it came about.
    pub async fn explain(&self, address: &Address, purpose: Purpose) -> Explanation {
        let question = self.question(address, purpose);
        self.walk(&question).await
    }

    /// What is trusted at this moment.
    #[must_use]
    pub fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.trust.borrow())
    }

    /// What was fetched to judge certificates, and the CRLs of files.
    #[must_use]
    pub fn evidence(&self) -> Arc<Evidence> {
        Arc::clone(&self.evidence)
    }

    /// From now on, `gatherer` fetches what is needed into [`Lookup::evidence`].
    pub fn set_gatherer(&mut self, gatherer: Gatherer) {
        self.gatherer = Some(gatherer);
    }

    /// Fetches ahead of time what is near its end.
    pub async fn refresh_evidence(&self) {
        if let Some(gatherer) = &self.gatherer {
            gatherer.refresh().await;
        }
    }

    /// Runs `compute` with what is trusted at this moment, again whenever something could be fetched that it needed.
    pub async fn with_trust<T, F: Future<Output = T>>(
        &self,
        mut compute: impl FnMut(Trust) -> F,
    ) -> T {
        let trust = Trust::clone(&self.trust());
        match &self.gatherer {
            Some(gatherer) => gatherer.complete(&trust, compute).await,
            None => compute(trust).await,
        }
    }

    /// Reads the anchors and intermediate certificates again, and forgets all answers.
    ///
    /// # Errors
    /// [`DatabaseError`]; what was trusted then stays.
    pub async fn reload_trust(&self) -> Result<(), DatabaseError> {
        let trust =
            anchors::load_trust(&self.database, &self.trust_settings, &self.evidence).await?;
        self.trust.send_replace(Arc::new(trust));
        self.invalidate_all();
        Ok(())
    }

    /// Forgets the answers for one address.
    pub async fn invalidate(&self, address: &Address) {
        self.invalidate_canonical(address.canonical()).await;
    }

    /// The same for an address that is in canonical form already, as the database names it.
    pub async fn invalidate_canonical(&self, address: &str) {
        self.answers.invalidate(address).await;
        self.capabilities.forget(address).await;
    }

    /// Forgets all answers.
    pub fn invalidate_all(&self) {
        self.answers.invalidate_all();
        self.capabilities.forget_all();
    }

    async fn ask(&self, address: &Address, purpose: Purpose) -> Outcome {
        let question = self.question(address, purpose);
        let Explanation { selection, sources } = self.walk(&question).await;
        let selection = Arc::new(selection);
        let failed = sources.into_iter().find_map(|report| match report.outcome {
            SourceOutcome::Unavailable(reason) => Some((report.name, reason)),
            SourceOutcome::Found | SourceOutcome::None => None,
        });
        match failed {
            None => Ok(selection),
            Some((source_name, reason)) => Err(Unavailable {
                source_name,
                reason,
                otherwise: selection,
            }),
        }
    }

    fn question(&self, address: &Address, purpose: Purpose) -> Question {
        Question {
            address: address.clone(),
            purpose,
            at: self.clock.now(),
        }
    }

    /// The best of what a source brought.
    async fn decide(&self, case: Case) -> Result<Selection, SourceFailure> {
        let deciding = self.with_trust(|trust| {
            let case = case.clone();
            // Validating paths takes up to a few milliseconds, too long for a thread that serves sockets.
            tokio::task::spawn_blocking(move || case.decide(&trust))
        });
        deciding
            .await
            .map_err(|_| SourceFailure("its certificates could not be judged".to_owned()))
    }
}

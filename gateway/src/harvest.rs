//! Certificates of strangers, kept from mail whose signature was right.
//!
//! It never holds mail up: what comes faster than it can be kept is left, and comes again with the next mail. A
//! certificate counts only if it is trusted for encryption by itself; the database keeps aside what may be an attempt to
//! take an address over.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use certstore::certificate::{Certificate, Fingerprint, Purpose};
use certstore::clock::Clock;
use certstore::database::{Acceptance, Database, Harvest};
use certstore::lookup::Lookup;
use moka::sync::Cache;
use policy::address::Address;
use tokio::sync::mpsc;

use crate::observe;
use crate::transform::Transformed;

/// Signers that wait to be looked at.
const MOST_WAITING: usize = 1024;
/// Signers that are looked at together.
const BATCH: usize = 128;
/// Certificates of one message that are looked at.
const MOST_CERTIFICATES: usize = 16;
/// Certificates that were looked at lately, whatever came of it.
const REMEMBERED: u64 = 50_000;
/// How long they are not looked at again: trust may change meanwhile.
const REMEMBERED_FOR: Duration = Duration::from_secs(60 * 60);

/// Who signed a message rightly, and the certificates that came along.
#[derive(Debug, Clone)]
struct Signer {
    address: Address,
    certificates: Vec<Certificate>,
    message_id: String,
}

/// Where signers are handed in.
#[derive(Debug, Clone)]
pub struct Harvester {
    signers: mpsc::Sender<Signer>,
    internal_domains: Arc<[String]>,
}

/// Who keeps what was handed in.
#[derive(Debug)]
pub struct Harvesting {
    signers: mpsc::Receiver<Signer>,
    database: Database,
    lookup: Arc<Lookup>,
    acceptance: Acceptance,
    clock: Arc<dyn Clock>,
    remembered: Cache<(Fingerprint, String), ()>,
}

impl Harvester {
    /// The two ends of it. Our own users' certificates are not harvested: `internal_domains`.
    #[must_use]
    pub fn new(
        database: Database,
        lookup: Arc<Lookup>,
        acceptance: Acceptance,
        clock: Arc<dyn Clock>,
        internal_domains: &[String],
    ) -> (Self, Harvesting) {
        let (sender, signers) = mpsc::channel(MOST_WAITING);
        let harvester = Self {
            signers: sender,
            internal_domains: internal_domains.into(),
        };
        let remembered = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(REMEMBERED_FOR)
            .build();
        let harvesting = Harvesting {
            signers,
            database,
            lookup,
            acceptance,
            clock,
            remembered,
        };
        (harvester, harvesting)
    }

    /// Hands in who signed a message that was accepted; never waits.
    pub fn offer(&self, transformed: &Transformed) {
        let message_id = &transformed.origin().message_id;
        let seen = transformed
            .copies()
            .iter()
            .filter_map(|copy| copy.treated.signer.as_ref());
        for signer in seen {
            let domain = signer.address.domain();
            if self.internal_domains.iter().any(|ours| ours == domain) {
                continue;
            }
            let signer = Signer {
                address: signer.address.clone(),
                certificates: signer.certificates.clone(),
                message_id: message_id.clone().unwrap_or_default(),
            };
            if self.signers.try_send(signer).is_err() {
                observe::harvest_left();
            }
        }
    }
}

impl Harvesting {
    /// Keeps what is handed in, for ever.
    pub async fn run(mut self) {
        let mut signers = Vec::with_capacity(BATCH);
        while self.signers.recv_many(&mut signers, BATCH).await > 0 {
            let mut harvests = Vec::new();
            for signer in signers.drain(..) {
                harvests.extend(self.trusted(signer).await);
            }
            if !harvests.is_empty() {
                self.keep(&harvests).await;
            }
        }
    }

    /// What is new and trusted of what a signer brought.
    async fn trusted(&self, signer: Signer) -> Vec<Harvest> {
        let mut seen = HashSet::new();
        let own = signer.certificates.iter().filter(|certificate| {
            let key = (certificate.sha256(), signer.address.canonical().to_owned());
            certificate.addresses().contains(&signer.address)
                && seen.insert(certificate.sha256())
                && !self.remembered.contains_key(&key)
        });
        let own: Vec<Certificate> = own.take(MOST_CERTIFICATES).cloned().collect();
        let mut harvests = Vec::new();
        for certificate in own {
            let key = (certificate.sha256(), signer.address.canonical().to_owned());
            match self.database.is_known(&certificate.sha256()).await {
                Ok(false) => harvests.extend(self.judged(certificate, &signer).await),
                Ok(true) => {}
                Err(error) => {
                    observe::harvest_failed(&error.to_string());
                    continue;
                }
            }
            self.remembered.insert(key, ());
        }
        harvests
    }

    async fn judged(&self, certificate: Certificate, signer: &Signer) -> Option<Harvest> {
        let now = self.clock.now();
        let judging = self.lookup.with_trust(|trust| {
            let (certificate, signer) = (certificate.clone(), signer.clone());
            tokio::task::spawn_blocking(move || {
                let Signer {
                    address,
                    certificates,
                    ..
                } = &signer;
                trust.validate(
                    &certificate,
                    certificates,
                    Purpose::Encryption,
                    address,
                    now,
                )
            })
        });
        let trusted = judging.await.ok()?.ok()?;
        let above = trusted
            .chain()
            .iter()
            .filter(|above| !above.is_self_issued());
        Some(Harvest {
            certificate,
            address: signer.address.clone(),
            chain: above.cloned().collect(),
            message_id: signer.message_id.clone(),
        })
    }

    async fn keep(&self, harvests: &[Harvest]) {
        let kept = self
            .database
            .harvest(harvests, self.acceptance, self.clock.now())
            .await;
        match kept {
            Ok(outcomes) => {
                for (harvest, outcome) in harvests.iter().zip(outcomes) {
                    let (address, sha256) = (&harvest.address, harvest.certificate.sha256());
                    observe::harvested(address, &sha256.to_string(), outcome);
                }
            }
            Err(error) => {
                observe::harvest_failed(&error.to_string());
                // They may come again, and then the database may answer.
                for harvest in harvests {
                    let key = (
                        harvest.certificate.sha256(),
                        harvest.address.canonical().to_owned(),
                    );
                    self.remembered.invalidate(&key);
                }
            }
        }
    }
}

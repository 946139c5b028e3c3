//! Delivery: what is due goes to its next hop, and what became of it is written down.
//!
//! At least once: a copy leaves the queue only after the next hop took it, or after its sender was told that it will not
//! be delivered. Where mail goes is the routes' matter, when it is tried again the schedule's; keeping it is the spool's.

mod attempt;
mod client;
mod crew;
mod data;
mod dsn;
mod lane;
mod maildir;
mod route;
mod schedule;
mod scheduler;
mod tls;
mod verdict;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use certstore::clock::Clock;
use policy::address::Address;
use rustls::RootCertStore;
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::spool::{CopyId, Fate, Spool};
use client::Connector;
use crew::Crew;
use route::Routes;
pub use route::is_protected;
use schedule::Schedule;
use scheduler::Scheduler;
pub use tls::system_roots;

/// How many fates a slow listener may lag behind before it misses some.
const FATES: usize = 1024;

/// Delivery cannot start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DeliverError {
    /// The cryptographic provider cannot do TLS.
    #[error("TLS towards next hops cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// What became of some recipients of a copy in one attempt.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The copy.
    pub id: CopyId,
    /// The recipients.
    pub recipients: Vec<Address>,
    /// What became of it.
    pub fate: Fate,
    /// The next hop.
    pub destination: String,
    /// Its reply, or our own reason.
    pub reply: String,
    /// How long the attempt took.
    pub took: Duration,
}

/// Delivery at work.
#[derive(Debug)]
pub struct Deliver {
    stop: oneshot::Sender<Duration>,
    task: JoinHandle<()>,
    fates: broadcast::Sender<Delivery>,
}

impl Deliver {
    /// Starts to deliver what is in the spool. `roots` are the anchors for next hops whose TLS must be verified; see
    /// [`system_roots`]. Runs on the present tokio runtime.
    ///
    /// # Errors
    /// [`DeliverError::Tls`].
    pub fn start(
        spool: Arc<Spool>,
        config: &Config,
        roots: RootCertStore,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DeliverError> {
        let (fates, _) = broadcast::channel(FATES);
        let (stop, stopped) = oneshot::channel();
        let crew = Crew {
            spool,
            routes: Routes::new(&config.routes),
            schedule: Schedule::new(&config.delivery),
            connector: Connector {
                hostname: config.hostname.clone(),
                timeout: config.delivery.timeout,
                tls: tls::Connectors::new(roots)?,
            },
            clock,
            fates: fates.clone(),
        };
        let task = tokio::spawn(Scheduler::new(crew, &config.delivery).run(stopped));
        Ok(Self { stop, task, fates })
    }

    /// What becomes of mail from now on, attempt by attempt.
    #[must_use]
    pub fn fates(&self) -> broadcast::Receiver<Delivery> {
        self.fates.subscribe()
    }

    /// Begins no further attempt, and returns when those that run are finished and written down, or after `patience`. What
    /// is not finished by then is due again at the next start.
    pub async fn shutdown(self, patience: Duration) {
        if self.stop.send(patience).is_ok() {
            self.task.await.ok();
        }
    }
}

//! The composition root: builds every part in order, runs them, and ends them in order.

mod answers;
mod directories;
mod follow;
mod metrics;
mod policy_files;
mod store;
mod trust_files;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use certstore::clock::Clock;
use policy::compile::Policy;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::config::Config;
use crate::deliver::{Deliver, DeliverError, system_roots};
use crate::harvest::Harvester;
use crate::intake::Gatekeeper;
use crate::listen::{self, ListenError};
use crate::observe;
use crate::publication;
use crate::resolve::Keyring;
use crate::spool::{Spool, SpoolError};

use metrics::Figures;

pub use directories::DirectoryError;
pub use policy_files::{Checked, UNAVAILABLE, check_policy, load_policy, load_policy_from};
pub use store::{Store, StoreError};
pub use trust_files::{crls, settings};

/// How long sessions and deliveries under way may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Certificates and keys cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Figures cannot be shown.
    #[error("metrics cannot be served at {address}: {reason}")]
    Metrics {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        reason: String,
    },
    /// The queue cannot be used.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A socket cannot be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Delivery cannot begin.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
}

/// Runs a gateway until `stop` is there, and then finishes what was accepted. `ready` is told where it listens.
///
/// # Errors
/// [`StartError`]; nothing was accepted then.
pub async fn run(
    config: Config,
    policy: Policy,
    clock: Arc<dyn Clock>,
    ready: impl FnOnce(&[SocketAddr]),
    stop: impl Future<Output = &'static str>,
) -> Result<(), StartError> {
    let figures = match config.metrics {
        Some(address) => Some(Figures::start(address).await?),
        None => None,
    };
    let store = Store::open(&config, Arc::clone(&clock)).await?;
    let spool = Spool::open(&config.data_dir, &store.vault_key, Arc::clone(&clock))?;
    let spool = Arc::new(spool);
    let listeners: Vec<_> = config
        .listeners
        .iter()
        .map(listen::bind)
        .collect::<Result<_, _>>()?;
    let published = publication::open(&config, &store.database, &clock)?;
    let addresses: Vec<SocketAddr> = listeners.iter().map(listen::Bound::address).collect();
    let deliver = Deliver::start(
        Arc::clone(&spool),
        &config,
        system_roots(),
        Arc::clone(&clock),
    )?;

    let settings = listening(&config, &clock);
    let keyring = store.keyring();
    let (shutdown, shut_down) = watch::channel(false);
    let mut background = JoinSet::new();
    background.spawn(follow::follow(store.changes().await?, keyring.clone()));
    let lookup = || Arc::clone(&store.lookup);
    background.spawn(trust_files::keep_fresh(config.trust.clone(), lookup()));
    background.spawn(answers::keep_fresh(lookup()));
    background.spawn(answers::remember(lookup()));
    background.spawn(publication::serve(published, shut_down.clone()));
    if let Some(figures) = figures {
        background.spawn(figures.serve(lookup(), Arc::clone(&spool)));
    }
    let harvester = harvester(&config, &store, &clock, &mut background);
    let rules = policy.rule_count();
    let hostname = config.hostname.clone();
    let gatekeeper = Arc::new(Gatekeeper {
        config: Arc::new(config),
        policy: Arc::new(policy),
        keyring,
        spool: Arc::clone(&spool),
        clock,
        harvester,
        crypto: Arc::new(Semaphore::new(cores())),
    });
    let serving = tokio::spawn(listen::serve(listeners, settings, gatekeeper, shut_down));

    observe::started(&hostname, addresses.len(), rules);
    ready(&addresses);
    observe::stopping(stop.await);
    shutdown.send_replace(true);
    // Who is not done in time is cut off: what was not answered with 250 is the sender's to send again.
    let _cut_off = tokio::time::timeout(PATIENCE, serving).await;
    deliver.shutdown(PATIENCE).await;
    background.shutdown().await;
    answers::remember_now(&store.lookup).await;
    store.database.close().await;
    observe::stopped();
    Ok(())
}

fn listening(config: &Config, clock: &Arc<dyn Clock>) -> listen::Settings {
    listen::Settings {
        hostname: config.hostname.clone(),
        limits: config.limits.clone(),
        clock: Arc::clone(clock),
    }
}

impl Store {
    fn keyring(&self) -> Keyring {
        Keyring {
            lookup: Arc::clone(&self.lookup),
            vault: Arc::clone(&self.vault),
        }
    }
}

/// Keeps certificates from verified signatures, unless that is switched off.
fn harvester(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    background: &mut JoinSet<()>,
) -> Option<Harvester> {
    if !config.harvest.is_on {
        return None;
    }
    let (harvester, harvesting) = Harvester::new(
        store.database.clone(),
        Arc::clone(&store.lookup),
        config.harvest.accept,
        Arc::clone(clock),
        &config.internal_domains,
    );
    background.spawn(harvesting.run());
    Some(harvester)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

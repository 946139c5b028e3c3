//! What the cache of certificates needs while a gateway runs: fresh answers, and a good start the next time.

use std::sync::Arc;
use std::time::Duration;

use certstore::lookup::Lookup;

use crate::observe;

/// How often what is in use is written down.
const INTERVAL: Duration = Duration::from_secs(5 * 60);

/// Asks anew for what is past its time and still given out, for ever.
pub(super) async fn keep_fresh(lookup: Arc<Lookup>) {
    lookup.keep_fresh().await;
}

/// Looks up what was in use the last time, and writes down what is now, for ever.
pub(super) async fn remember(lookup: Arc<Lookup>) {
    if let Err(error) = lookup.warm_up().await {
        observe::store_unreadable(&error.to_string());
    }
    loop {
        tokio::time::sleep(INTERVAL).await;
        remember_now(&lookup).await;
    }
}

/// Writes down what is in use.
pub(super) async fn remember_now(lookup: &Lookup) {
    if let Err(error) = lookup.remember().await {
        observe::store_unreadable(&error.to_string());
    }
}

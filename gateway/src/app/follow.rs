//! Keeps the caches true: what commands write into the store counts at once.

use std::time::Duration;

use certstore::database::{Change, ChangeFeed, DatabaseError};
use certstore::vault::apply_changes;

use crate::observe;
use crate::resolve::Keyring;

/// How often the store is asked for changes.
const INTERVAL: Duration = Duration::from_millis(250);

/// Tells lookup and vault of every change, for ever.
pub(super) async fn follow(mut feed: ChangeFeed, keyring: Keyring) {
    let mut is_broken = false;
    loop {
        tokio::time::sleep(INTERVAL).await;
        match step(&mut feed, &keyring).await {
            Ok(changes) => {
                is_broken = false;
                if !changes.is_empty() {
                    observe::store_changed(changes.len());
                }
            }
            // Said once, until it works again.
            Err(error) if !is_broken => {
                is_broken = true;
                observe::store_unreadable(&error.to_string());
            }
            Err(_) => {}
        }
    }
}

async fn step(feed: &mut ChangeFeed, keyring: &Keyring) -> Result<Vec<Change>, DatabaseError> {
    let changes = feed.poll().await?;
    apply_changes(&changes, &keyring.lookup, &keyring.vault).await?;
    Ok(changes)
}

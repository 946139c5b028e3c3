//! Keeps the caches true: what commands write into the store counts at once.

use certstore::database::{Change, ChangeFeed, DatabaseError};
use certstore::vault::apply_changes;

use crate::observe;
use crate::resolve::Keyring;

/// Tells lookup and vault of every change, for ever.
pub(super) async fn follow(mut feed: ChangeFeed, keyring: Keyring) {
    let mut is_broken = false;
    let mut changes = Vec::new();
    loop {
        feed.wait().await;
        match step(&mut feed, &mut changes, &keyring).await {
            Ok(()) => {
                if std::mem::take(&mut is_broken) {
                    observe::store_readable();
                }
                if !changes.is_empty() {
                    observe::store_changed(changes.len());
                    changes.clear();
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

/// Adds new changes to those that could not be applied yet, and applies all.
async fn step(
    feed: &mut ChangeFeed,
    changes: &mut Vec<Change>,
    keyring: &Keyring,
) -> Result<(), DatabaseError> {
    changes.extend(feed.poll().await?);
    apply_changes(changes, &keyring.lookup, &keyring.vault).await
}

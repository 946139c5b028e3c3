//! What a running gateway does with changes that others made: it forgets what they made old.

use std::collections::HashSet;

use super::Vault;
use crate::database::{Change, ChangeKind, DatabaseError};
use crate::lookup::Lookup;

/// Makes the caches of `lookup` and `vault` forget what `changes` are about, each thing once.
///
/// # Errors
/// [`DatabaseError`] if the trust anchors cannot be read; the old ones then stay, and it should be tried again.
pub async fn apply_changes(
    changes: &[Change],
    lookup: &Lookup,
    vault: &Vault,
) -> Result<(), DatabaseError> {
    let mut trust_changed = false;
    for change in changes.iter().collect::<HashSet<_>>() {
        match change.kind {
            ChangeKind::Certificate => lookup.invalidate_canonical(&change.subject).await,
            ChangeKind::Key => vault.invalidate(&change.subject).await,
            ChangeKind::Trust | ChangeKind::Authority => trust_changed = true,
        }
    }
    if trust_changed {
        lookup.reload_trust().await?;
        // Chains that travel with signatures may be longer now.
        vault.invalidate_all();
    }
    Ok(())
}

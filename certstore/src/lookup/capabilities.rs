//! What people's mail programs read: remembered from their signed mail, with a cache over the database.
//!
//! Nothing here verifies a signature: whoever remembers must have done so.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use policy::address::Address;

use super::{DatabaseError, Lookup};
use crate::database::StoredCapabilities;

/// Addresses whose capabilities are kept at hand.
const REMEMBERED: u64 = 100_000;
/// How long an answer is kept; changes are noticed before.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// A cache of what addresses said, and of having said nothing.
#[derive(Debug)]
pub(super) struct Memory(Cache<String, Option<Arc<StoredCapabilities>>>);

impl Default for Memory {
    fn default() -> Self {
        let cache = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(LIFETIME)
            .build();
        Self(cache)
    }
}

impl Memory {
    pub(super) async fn forget(&self, address: &str) {
        self.0.invalidate(address).await;
    }

    pub(super) fn forget_all(&self) {
        self.0.invalidate_all();
    }
}

impl Lookup {
    /// What the mail program of `address` reads, as its newest signed mail said; none if it said nothing yet.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn capabilities(
        &self,
        address: &Address,
    ) -> Result<Option<Arc<StoredCapabilities>>, DatabaseError> {
        let memory = &self.capabilities.0;
        if let Some(known) = memory.get(address.canonical()).await {
            return Ok(known);
        }
        let count = self.answers.invalidations().count();
        let asked = memory.try_get_with(address.canonical().to_owned(), async {
            let stored = self.database.capabilities_of(address).await?;
            Ok::<_, DatabaseError>(stored.map(Arc::new))
        });
        let known = asked.await;
        if self.answers.invalidations().came_since(count) {
            memory.invalidate(address.canonical()).await;
        }
        known.map_err(|error| DatabaseError::clone(&error))
    }

    /// Remembers what `address` said in a mail that it signed, which was verified. A date in the future counts as now, so
    /// that no later mail is kept out. False if a newer mail said something already.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn remember_capabilities(
        &self,
        address: &Address,
        said: StoredCapabilities,
    ) -> Result<bool, DatabaseError> {
        let now = self.clock.now();
        let said = StoredCapabilities {
            signed_at: said.signed_at.min(now),
            ..said
        };
        let known = self.capabilities(address).await?;
        if known.is_some_and(|known| known.signed_at >= said.signed_at) {
            return Ok(false);
        }
        let is_newest = self
            .database
            .remember_capabilities(address, &said, now)
            .await?;
        self.answers.invalidations().count_one();
        self.capabilities.forget(address.canonical()).await;
        Ok(is_newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Fingerprint;
    use crate::clock::FixedClock;
    use crate::cms::ContentCipher::{self, Aes128Cbc, Aes256Cbc, Aes256Gcm};
    use crate::database::Database;
    use crate::lookup::Lifetimes;
    use crate::samples::{DAY, address, now};

    async fn lookup(folder: &tempfile::TempDir) -> (Lookup, Database) {
        let path = folder.path().join("postern.db");
        let database = Database::open(&path).await.unwrap();
        let clock = Arc::new(FixedClock(now()));
        let lifetimes = Lifetimes::default();
        let lookup = Lookup::open(database.clone(), Vec::new(), Vec::new(), clock, lifetimes);
        (lookup.await.unwrap(), database)
    }

    fn said(ciphers: &[ContentCipher], signed_at: std::time::SystemTime) -> StoredCapabilities {
        StoredCapabilities {
            ciphers: ciphers.to_vec(),
            signed_at,
            certificate: Fingerprint::of(b"a certificate"),
        }
    }

    #[tokio::test]
    async fn the_newest_signed_mail_counts() {
        let folder = tempfile::tempdir().unwrap();
        let (lookup, database) = lookup(&folder).await;
        let bob = address("bob@example.org");
        assert_eq!(lookup.capabilities(&bob).await, Ok(None));
        for (ciphers, signed_at, is_news, expected) in [
            (&[Aes256Cbc][..], now() - 9 * DAY, true, &[Aes256Cbc][..]),
            (
                &[Aes256Gcm, Aes256Cbc],
                now() - 5 * DAY,
                true,
                &[Aes256Gcm, Aes256Cbc],
            ),
            (
                &[Aes128Cbc],
                now() - 7 * DAY,
                false,
                &[Aes256Gcm, Aes256Cbc],
            ),
            (
                &[Aes128Cbc],
                now() - 5 * DAY,
                false,
                &[Aes256Gcm, Aes256Cbc],
            ),
            (&[], now() - DAY, true, &[]),
        ] {
            let remembered = lookup.remember_capabilities(&bob, said(ciphers, signed_at));
            assert_eq!(remembered.await, Ok(is_news), "{ciphers:?}");
            let known = lookup.capabilities(&bob).await.unwrap().unwrap();
            assert_eq!(known.ciphers, expected);
            assert_eq!(
                database.capabilities_of(&bob).await.unwrap().as_ref(),
                Some(&*known)
            );
        }
        let carol = address("carol@example.org");
        assert_eq!(lookup.capabilities(&carol).await, Ok(None));
    }

    #[tokio::test]
    async fn a_mail_from_the_future_keeps_no_later_one_out() {
        let folder = tempfile::tempdir().unwrap();
        let (lookup, _) = lookup(&folder).await;
        let bob = address("bob@example.org");
        let ahead = said(&[Aes128Cbc], now() + 365 * DAY);
        assert_eq!(lookup.remember_capabilities(&bob, ahead).await, Ok(true));
        let known = lookup.capabilities(&bob).await.unwrap().unwrap();
        assert_eq!(known.signed_at, now());
    }

    #[tokio::test]
    async fn only_another_list_is_news_for_other_gateways() {
        let folder = tempfile::tempdir().unwrap();
        let (lookup, database) = lookup(&folder).await;
        let mut feed = database.changes().await.unwrap();
        let bob = address("bob@example.org");
        for (ciphers, days, changes) in [
            (&[Aes256Gcm][..], 3, 1),
            (&[Aes256Gcm], 2, 0),
            (&[Aes256Cbc], 1, 1),
        ] {
            let signed_at = now() - days * DAY;
            let remembered = lookup.remember_capabilities(&bob, said(ciphers, signed_at));
            assert_eq!(remembered.await, Ok(true));
            assert_eq!(feed.poll().await.unwrap().len(), changes);
        }
    }
}

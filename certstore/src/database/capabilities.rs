//! What people's mail programs read: the capabilities of the newest mail that each address signed.

use std::time::SystemTime;

use policy::address::Address;
use sqlx::AnyConnection;

use super::changes::{ChangeKind, forget_old, note};
use super::{Database, DatabaseError, seconds, time};
use crate::certificate::Fingerprint;
use crate::cms::ContentCipher;

/// What an address said it can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCapabilities {
    /// The ciphers, best first, of those that we can write.
    pub ciphers: Vec<ContentCipher>,
    /// When the mail was signed.
    pub signed_at: SystemTime,
    /// The certificate that signed it.
    pub certificate: Fingerprint,
}

impl Database {
    /// What `address` said in the newest mail it signed, if anything.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn capabilities_of(
        &self,
        address: &Address,
    ) -> Result<Option<StoredCapabilities>, DatabaseError> {
        let mut connection = self.pool.acquire().await?;
        stored(&mut connection, address).await
    }

    /// Remembers what `address` said, unless a mail that was signed later said something already. False then.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn remember_capabilities(
        &self,
        address: &Address,
        said: &StoredCapabilities,
        now: SystemTime,
    ) -> Result<bool, DatabaseError> {
        let mut transaction = self.begin().await?;
        let known = stored(&mut transaction, address).await?;
        if known
            .as_ref()
            .is_some_and(|known| known.signed_at >= said.signed_at)
        {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO capability (address, ciphers, signed_at, sha256) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (address) DO UPDATE SET ciphers = excluded.ciphers, signed_at = excluded.signed_at, \
             sha256 = excluded.sha256",
        )
        .bind(address.canonical())
        .bind(write(&said.ciphers))
        .bind(seconds(said.signed_at))
        .bind(&said.certificate.as_bytes()[..])
        .execute(&mut *transaction)
        .await?;
        // A newer date alone is no news for the caches of other gateways.
        if known.is_none_or(|known| known.ciphers != said.ciphers) {
            note(
                &mut transaction,
                ChangeKind::Certificate,
                address.canonical(),
                now,
            )
            .await?;
            forget_old(&mut transaction, now).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}

async fn stored(
    connection: &mut AnyConnection,
    address: &Address,
) -> Result<Option<StoredCapabilities>, DatabaseError> {
    let row: Option<(String, i64, Vec<u8>)> =
        sqlx::query_as("SELECT ciphers, signed_at, sha256 FROM capability WHERE address = $1")
            .bind(address.canonical())
            .fetch_optional(connection)
            .await?;
    let Some((ciphers, signed_at, sha256)) = row else {
        return Ok(None);
    };
    let sha256 = <[u8; 32]>::try_from(sha256)
        .map_err(|_| DatabaseError::Damaged("a fingerprint in the table capability".to_owned()))?;
    Ok(Some(StoredCapabilities {
        ciphers: read(&ciphers),
        signed_at: time(signed_at),
        certificate: Fingerprint::from_bytes(sha256),
    }))
}

fn write(ciphers: &[ContentCipher]) -> String {
    let names: Vec<_> = ciphers.iter().map(|cipher| cipher.name()).collect();
    names.join(" ")
}

/// A name that another version wrote and this one does not know is left out.
fn read(names: &str) -> Vec<ContentCipher> {
    let named = |name: &str| {
        ContentCipher::ALL
            .into_iter()
            .find(|cipher| cipher.name() == name)
    };
    names.split(' ').filter_map(named).collect()
}

//! CRLs as they were fetched, each under its address, so that a start without network has them.

use std::time::SystemTime;

use super::{Database, DatabaseError, seconds, time};

/// So many are kept; those that were fetched first go first.
const MOST_KEPT: u32 = 1_000;

/// A CRL as it is kept.
#[derive(Debug, Clone)]
pub struct StoredRevocationList {
    /// Where it was fetched.
    pub url: String,
    /// DER of the CRL.
    pub der: Vec<u8>,
    /// When it was fetched.
    pub fetched: SystemTime,
}

impl Database {
    /// Keeps a CRL in place of the one that was fetched from the same address before.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn keep_revocation_list(
        &self,
        url: &str,
        der: &[u8],
        fetched: SystemTime,
    ) -> Result<(), DatabaseError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO revocation_list (url, der, fetched) VALUES ($1, $2, $3) \
             ON CONFLICT (url) DO UPDATE SET der = excluded.der, fetched = excluded.fetched",
        )
        .bind(url)
        .bind(der)
        .bind(seconds(fetched))
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM revocation_list WHERE url IN \
             (SELECT url FROM revocation_list ORDER BY fetched DESC, url LIMIT 1000000 OFFSET $1)",
        )
        .bind(i64::from(MOST_KEPT))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// All CRLs that are kept.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn revocation_lists(&self) -> Result<Vec<StoredRevocationList>, DatabaseError> {
        let rows: Vec<(String, Vec<u8>, i64)> =
            sqlx::query_as("SELECT url, der, fetched FROM revocation_list ORDER BY url")
                .fetch_all(&self.pool)
                .await?;
        let stored = rows
            .into_iter()
            .map(|(url, der, fetched)| StoredRevocationList {
                url,
                der,
                fetched: time(fetched),
            });
        Ok(stored.collect())
    }
}

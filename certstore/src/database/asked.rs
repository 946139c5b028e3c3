//! Addresses whose certificates were in use lately, on any gateway.

use std::time::{Duration, SystemTime};

use super::{Database, DatabaseError, seconds};

/// How long an address is remembered that nobody writes to any more.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Database {
    /// Remembers that certificates of these canonical addresses are in use.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn remember_asked(
        &self,
        addresses: &[String],
        now: SystemTime,
    ) -> Result<(), DatabaseError> {
        let mut transaction = self.begin().await?;
        for address in addresses {
            sqlx::query(
                "INSERT INTO asked (address, at) VALUES ($1, $2) \
                 ON CONFLICT (address) DO UPDATE SET at = excluded.at",
            )
            .bind(address)
            .bind(seconds(now))
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query("DELETE FROM asked WHERE at < $1")
            .bind(seconds(now).saturating_sub_unsigned(KEPT.as_secs()))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// At most `limit` canonical addresses, those in use last first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn asked(&self, limit: u32) -> Result<Vec<String>, DatabaseError> {
        let question = "SELECT address FROM asked ORDER BY at DESC, address LIMIT $1";
        let addresses = sqlx::query_scalar(question)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        Ok(addresses)
    }
}
